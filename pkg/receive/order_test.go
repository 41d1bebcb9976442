package receive_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestSkipVerifyLooksAtNoSignatureAndNoTime(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.SkipVerify, c.Verifier.Secrets = true, nil })
	wantAnswer(t, r.answerTo(post(http.Header{}, payload)), 200, taken)
	if got := r.last(t); got.Verdict.Verified || got.Scheme != "" {
		t.Errorf("an unverified record says verified=%t, scheme %q", got.Verdict.Verified, got.Scheme)
	}
	wantAnswer(t, r.answerTo(post(http.Header{}, payload[1:])), 400, `{"error":"Invalid JSON"}`)
	if got := r.last(t).Verdict.Detail; strings.Contains(got, "signed") {
		t.Errorf("nobody looked at the signature, and the record says %q", got)
	}
}

// An unverified receiver still tells deliveries apart by the id and the time
// that Standard Webhooks' headers give.
func TestSkipVerifyKnowsDeliveriesByStandardWebhooksHeaders(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.SkipVerify, c.Verifier.Secrets = true, nil })
	for i, want := range []string{taken, taken, takenBefore} {
		id := min(i, 1)
		h := http.Header{"Webhook-Id": {fmt.Sprintf("msg_%d", id)}, "Webhook-Timestamp": {fmt.Sprint(1000 + id)}}
		wantAnswer(t, r.answerTo(post(h, payload)), 200, want)
	}
}

// brokenRequest is wrong in every way from the given check on, and right in
// the ones before it.
func brokenRequest(from int) *http.Request {
	const (
		method = iota
		encoding
		size
		repeated
		signature
		timestamp
		syntax
		conflict
	)
	body := payload
	if from <= conflict {
		body = strings.Replace(payload, "wo_1", "wo_2", 1)
	}
	if from <= syntax {
		body = strings.TrimSuffix(body, "}")
	}
	if from <= size {
		body += strings.Repeat(" ", 4096)
	}
	at := clock
	if from <= timestamp {
		at = at.Add(-time.Hour)
	}
	h := header("seen", body, at)
	if from <= signature {
		h.Set(webhook.HeaderSignature, "0")
	}
	if from <= repeated {
		h.Add(webhook.HeaderTimestamp, "1")
	}
	if from <= encoding {
		h.Set("Content-Encoding", "gzip")
	}
	r := post(h, body)
	if from <= method {
		r.Method = http.MethodPut
	}
	return r
}

func TestTheFirstCheckThatFailsGivesTheAnswer(t *testing.T) {
	want := []struct {
		check  string
		status int
		answer string
	}{
		{"method", 405, `{"error":"Method not allowed"}`},
		{"encoding", 415, `{"error":"Content-Encoding is not supported"}`},
		{"size", 413, `{"error":"Body too large"}`},
		{"repeated header", 400, `{"error":"The header X-Webhook-Timestamp is there more than once"}`},
		{"signature", 401, invalidSignature},
		{"timestamp", 400, `{"error":"The timestamp is 3600 s old, more than 300 s"}`},
		{"JSON", 400, `{"error":"Invalid JSON"}`},
		{"conflict", 409, `{"error":"Webhook id was used for another body"}`},
		{"none: a duplicate", 200, takenBefore},
	}
	r := newReceiver(t, func(c *receive.Config) { c.MaxBody = 1024 })
	wantAnswer(t, r.deliver("seen", payload, clock), 200, taken)
	for i, tt := range want {
		t.Run(tt.check, func(t *testing.T) {
			wantAnswer(t, r.answerTo(brokenRequest(i)), tt.status, tt.answer)
		})
	}
	wantCalls(t, r, 1)
}

func TestEveryAnswerIsJSONAndSaysHowLongItIs(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.MaxBody = 1024 })
	for i := range 9 {
		got := r.answerTo(brokenRequest(i))
		h := got.Result().Header
		if h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != fmt.Sprint(got.Body.Len()) {
			t.Errorf("%d came with %v", got.Code, h)
		}
		if (got.Code == 405) != (h.Get("Allow") == "POST") {
			t.Errorf("%d came with Allow %q", got.Code, h.Get("Allow"))
		}
	}
}
