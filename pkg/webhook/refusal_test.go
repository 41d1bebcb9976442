package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// reasonOf is the reason of a refusal, or "".
func reasonOf(err error) webhook.Reason {
	var refusal *webhook.Refusal
	if !errors.As(err, &refusal) {
		return ""
	}
	return refusal.Reason
}

// statuses is the answer to each reason.
var statuses = map[webhook.Reason]int{
	webhook.NoSecret:           500,
	webhook.HeaderRepeated:     400,
	webhook.SignatureMissing:   401,
	webhook.SignatureMalformed: 401,
	webhook.TimestampMissing:   400,
	webhook.IDMissing:          400,
	webhook.SignatureMismatch:  401,
	webhook.TimestampMalformed: 400,
	webhook.TimestampTooOld:    400,
	webhook.TimestampTooNew:    400,
	"one of a later wsk":       401,
}

func TestEveryReasonHasItsStatus(t *testing.T) {
	t.Parallel()
	for reason, want := range statuses {
		refusal := &webhook.Refusal{Reason: reason, Detail: "a sentence"}
		for _, err := range []error{refusal, fmt.Errorf("receiving: %w", refusal), errors.Join(io.EOF, refusal)} {
			if got := webhook.StatusOf(err); got != want {
				t.Errorf("%s: status %d, want %d", reason, got, want)
			}
			if !errors.Is(err, reason) {
				t.Errorf("%v is not %s", err, reason)
			}
			if errors.Is(err, webhook.Reason("another")) {
				t.Errorf("%v is another reason as well", err)
			}
		}
		if refusal.Error() != "a sentence" || reason.Error() != string(reason) {
			t.Errorf("%s: texts %q and %q", reason, refusal.Error(), reason.Error())
		}
	}
	for _, err := range []error{io.EOF, webhook.ErrBlankSecret, nil} {
		if got := webhook.StatusOf(err); got != 500 {
			t.Errorf("%v: status %d, want 500", err, got)
		}
	}
}

// TestTheFirstFaultIsTheReason gives requests with every fault from one on:
// the reason is the earliest in the documented order.
func TestTheFirstFaultIsTheReason(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.StandardWebhooks)
	secret := keyFor(t, s.Name())
	faults := []struct {
		reason webhook.Reason
		apply  func(h map[string][]string)
	}{
		{webhook.HeaderRepeated, func(h map[string][]string) { h["Webhook-Id"] = []string{"a", "b"} }},
		{webhook.SignatureMissing, func(h map[string][]string) { delete(h, "Webhook-Signature") }},
		{webhook.SignatureMalformed, func(h map[string][]string) { h["Webhook-Signature"] = []string{"v1,short"} }},
		{webhook.TimestampMissing, func(h map[string][]string) { delete(h, "Webhook-Timestamp") }},
		{webhook.IDMissing, func(h map[string][]string) { delete(h, "Webhook-Id") }},
		{webhook.SignatureMismatch, func(h map[string][]string) { h["Webhook-Timestamp"] = []string{"+1"} }},
	}
	for i := range faults {
		h := headersOf(t, s, webhook.Message{Body: order, Timestamp: stamp, ID: "a"}, secret)
		for j := len(faults) - 1; j >= i; j-- { // so that the earliest is applied last
			faults[j].apply(h)
		}
		_, err := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}}.Verify(h, order, now())
		wantReason(t, err, faults[i].reason)
		_, err = webhook.Verifier{Scheme: s}.Verify(h, order, now())
		wantReason(t, err, webhook.NoSecret)
	}
}
