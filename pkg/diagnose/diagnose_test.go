package diagnose

import (
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// requestWith is a signed WorkSkedge request with other headers in it.
func requestWith(t *testing.T, s webhook.Scheme, pairs ...string) (webhook.Verifier, webhook.Request) {
	t.Helper()
	message := webhook.Message{Body: []byte(testBody), Timestamp: testTimestamp, ID: testID, URL: testURL}
	secret := secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk=")
	value, err := s.Signature(message, secret)
	if err != nil {
		t.Fatal(err)
	}
	h := webhook.Header{{Name: s.SignatureHeader(), Value: value}}
	for name, value := range map[string]string{s.TimestampHeader(): testTimestamp, s.IDHeader(): testID} {
		if name != "" {
			h = append(h, webhook.Pair{Name: name, Value: value})
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if h = h.Without(pairs[i]); pairs[i+1] != "" {
			h = h.With(pairs[i], pairs[i+1])
		}
	}
	return webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: testURL}, webhook.Request{Header: h, Body: []byte(testBody)}
}

func TestRefusal(t *testing.T) {
	unrelatedHex := strings.Repeat("0f", 32)
	for _, test := range []struct {
		name    string
		scheme  string
		pairs   []string // headers that are replaced, or removed where the value is ""
		reason  webhook.Reason
		want    string
		certain bool
	}{
		{"no secret", webhook.TimestampBody, nil, webhook.NoSecret, "secret.none", true},
		{"a header twice", webhook.TimestampBody, nil, webhook.HeaderRepeated, "header.repeated", true},
		{"no signature", webhook.TimestampBody, []string{webhook.HeaderSignature, ""}, webhook.SignatureMissing, "header.signature_missing", true},
		{"a word for a signature", webhook.TimestampBody, []string{webhook.HeaderSignature, "undefined"}, webhook.SignatureMalformed, "encoding.placeholder", false},
		{"a text for a signature", webhook.QuickBooks, []string{"intuit-signature", "hello"}, webhook.SignatureMalformed, "encoding.unknown", false},
		{"no timestamp", webhook.TimestampBody, []string{webhook.HeaderTimestamp, ""}, webhook.TimestampMissing, "time.timestamp_missing", true},
		{"no id", webhook.StandardWebhooks, []string{"webhook-id", ""}, webhook.IDMissing, "header.id_missing", true},
		{"an unknown signature", webhook.TimestampBody, []string{webhook.HeaderSignature, unrelatedHex}, webhook.SignatureMismatch, "", false},
		{"another timestamp", webhook.TimestampBody, []string{webhook.HeaderTimestamp, testTimestamp + "789"}, webhook.SignatureMismatch, "content.seconds", true},
		{"a timestamp that is a date", webhook.TimestampBody, nil, webhook.TimestampMalformed, "time.timestamp_malformed", true},
		{"an old timestamp", webhook.TimestampBody, nil, webhook.TimestampTooOld, "time.timestamp_too_old", true},
		{"a future timestamp", webhook.TimestampBody, nil, webhook.TimestampTooNew, "time.timestamp_too_new", true},
		{"a refusal for another reason", webhook.TimestampBody, nil, "size", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := webhook.SchemeNamed(test.scheme)
			if err != nil {
				t.Fatal(err)
			}
			v, r := requestWith(t, s, test.pairs...)
			d := Refusal(v, r, test.reason)
			if d == nil {
				d = &webhook.Diagnosis{}
			}
			if d.ID != test.want || d.Certain != test.certain {
				t.Fatalf("got %+v, want %q, certain %v", d, test.want, test.certain)
			}
			for _, text := range []string{d.Summary, d.Fix} {
				if (text == "") != (test.want == "") || strings.HasSuffix(text, ".") {
					t.Errorf("not one sentence without a period: %q", text)
				}
			}
		})
	}
}

func TestRefusal_previous_secret(t *testing.T) {
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	old := v.Secrets[0]
	v.Secrets = []webhook.Secret{secretOf("the new one")}
	if d := Refusal(v, r, webhook.SignatureMismatch); d != nil {
		t.Errorf("without the previous secret: %+v", d)
	}
	if d := Refusal(v, r, webhook.SignatureMismatch, old); d == nil || d.ID != "secret.previous" {
		t.Errorf("with the previous secret: %+v", d)
	}
}

func TestLimiter(t *testing.T) {
	var l Limiter
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	r.Body = append(r.Body, '\n')
	if d := l.Refusal(v, r, webhook.SignatureMismatch); d == nil || d.ID != "body.newline_added" {
		t.Errorf("an idle limiter: %+v", d)
	}
	l.searching.Lock()
	if d := l.Refusal(v, r, webhook.SignatureMismatch); d != nil {
		t.Errorf("while another search runs: %+v", d)
	}
	if d := l.Refusal(v, r, webhook.TimestampTooOld); d == nil {
		t.Error("a reason that needs no search waits for one")
	}
	l.searching.Unlock()
	r.Body = make([]byte, maxLimited+1)
	if d := l.Refusal(v, r, webhook.SignatureMissing); d != nil {
		t.Errorf("a large body: %+v", d)
	}
}
