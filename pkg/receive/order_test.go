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

func TestConfigSkipVerifyChecksNoSignatureAndNoTimestamp(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.SkipVerify, c.Verifier.Secrets = true, nil })
	wantAnswer(t, r.answerTo(post(http.Header{}, payload)), 200, taken)
	if got := r.last(t); got.Verdict.Verified || got.Scheme != "" {
		t.Errorf("an unverified record has verified=%t, scheme %q", got.Verdict.Verified, got.Scheme)
	}
	wantAnswer(t, r.answerTo(post(http.Header{}, payload[1:])), 400, `{"error":"Invalid JSON"}`)
	if got := r.last(t).Verdict.Detail; strings.Contains(got, "signed") {
		t.Errorf("the signature was not checked, but the record has %q", got)
	}
}

// An unverified receiver still distinguishes deliveries, by WorkSkedge's
// headers or else by those of Standard Webhooks.
func TestConfigSkipVerifyRecognizesDeliveriesByTheirHeaders(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.SkipVerify, c.Verifier.Secrets = true, nil })
	tests := []struct {
		name, id, timestamp, otherID, otherStamp string
		known, answer                            string
	}{
		{"one of Standard Webhooks", "", "", "msg_1", "1001", "msg_1", taken},
		{"another of them", "", "", "msg_2", "1002", "msg_2", taken},
		{"the first again", "", "", "msg_1", "1001", "msg_1", takenBefore},
		{"one of WorkSkedge", "evt_1", "1003", "", "", "evt_1", taken},
		{"one with both, which is WorkSkedge's", "evt_2", "1004", "msg_1", "1001", "evt_2", taken},
		{"that again", "evt_2", "1004", "", "", "evt_2", takenBefore},
		{"its time under another id", "evt_3", "1004", "msg_3", "1005", "evt_3", takenSuspect},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range map[string]string{
				webhook.HeaderID: tt.id, webhook.HeaderTimestamp: tt.timestamp, "webhook-id": tt.otherID, "webhook-timestamp": tt.otherStamp,
			} {
				if value != "" {
					h.Set(name, value)
				}
			}
			wantAnswer(t, r.answerTo(post(h, payload)), 200, tt.answer)
			if got := r.last(t).WebhookID; got != tt.known {
				t.Errorf("recorded under the id %q, want %q", got, tt.known)
			}
		})
	}
}

func TestHandlerIgnoresTheHeadersOfOtherSchemes(t *testing.T) {
	r := newReceiver(t, nil)
	for i, want := range []string{taken, takenBefore} {
		h := header("", payload, clock)
		h.Set("webhook-id", fmt.Sprint("msg_", i))
		h.Set("webhook-timestamp", fmt.Sprint(1000+i))
		wantAnswer(t, r.answerTo(post(h, payload)), 200, want)
		if got := r.last(t).WebhookID; got != "" {
			t.Errorf("recorded under the id %q", got)
		}
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

func TestHandlerAnswersByTheFirstFailedCheck(t *testing.T) {
	want := []struct {
		check  string
		status int
		answer string
	}{
		{"method", 405, `{"error":"Method not allowed"}`},
		{"encoding", 415, `{"error":"Content-Encoding is not supported"}`},
		{"size", 413, `{"error":"Body too large"}`},
		{"repeated header", 400, `{"error":"The header X-Webhook-Timestamp occurs more than once"}`},
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

func TestAnswerIsJSONWithItsLength(t *testing.T) {
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
