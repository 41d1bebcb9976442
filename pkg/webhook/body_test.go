package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestVerifyRequest(t *testing.T) {
	t.Parallel()
	const body = `{"event_type":"work_order.created"}`
	secret, previous := webhooktest.Secret(t, "s3cret"), webhooktest.Secret(t, "the one before")
	signed := func(edit func(*http.Request)) *http.Request {
		h, err := webhook.Sign([]byte(body), time.Now(), secret)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
		r.Header = h.HTTP()
		if edit != nil {
			edit(r)
		}
		return r
	}
	secrets := []webhook.Secret{previous, secret}
	for _, tt := range []struct {
		name    string
		edit    func(*http.Request)
		limit   int64
		secrets []webhook.Secret
		reason  webhook.Reason
		status  int
		text    string
	}{
		{"as signed", nil, 1 << 20, secrets, "", 0, ""},
		{"as large as the limit", nil, int64(len(body)), secrets, "", 0, ""},
		{"one byte larger", nil, int64(len(body)) - 1, secrets, webhook.BodyTooLarge, 413, "Body too large"},
		{"larger, of unknown length", func(r *http.Request) { r.ContentLength = -1 }, 5, secrets, webhook.BodyTooLarge, 413, "Body too large"},
		{"compressed", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 1 << 20, secrets, webhook.BodyEncoded, 415, "Content-Encoding is not supported"},
		{"cut off", func(r *http.Request) { r.Body = http.NoBody }, 1 << 20, secrets, webhook.SignatureMismatch, 401, "Invalid signature"},
		{"without a body", func(r *http.Request) { r.Body = nil }, 1 << 20, secrets, webhook.SignatureMismatch, 401, "Invalid signature"},
		{"under another secret", nil, 1 << 20, secrets[:1], webhook.SignatureMismatch, 401, "Invalid signature"},
		{"without a secret", nil, 1 << 20, nil, webhook.NoSecret, 500, "No secret to verify with"},
		{"under a zero secret", nil, 1 << 20, make([]webhook.Secret, 1), webhook.NoSecret, 500, "A secret to verify with is blank"},
		{"without a signature", func(r *http.Request) { r.Header.Del(webhook.HeaderSignature) }, 1 << 20, secrets, webhook.SignatureMissing, 401, "Invalid signature"},
		{"with an old timestamp", func(r *http.Request) {
			h, _ := webhook.Sign([]byte(body), time.Now().Add(-time.Hour), secret)
			r.Header = h.HTTP()
		}, 1 << 20, secrets, webhook.TimestampTooOld, 400, "The timestamp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := webhook.VerifyRequest(signed(tt.edit), tt.limit, tt.secrets...)
			if tt.reason == "" {
				if err != nil || string(got) != body {
					t.Errorf("returned %q, %v", got, err)
				}
				return
			}
			var refusal *webhook.Refusal
			if got != nil || !errors.As(err, &refusal) || !errors.Is(err, tt.reason) {
				t.Fatalf("returned %q, %v, want %s", got, err, tt.reason)
			}
			text := webhook.TextOf(err)
			if tt.reason == webhook.TimestampTooOld { // the clock goes on
				text, _, _ = strings.Cut(text, " is ")
			}
			if status := webhook.StatusOf(err); status != tt.status || text != tt.text {
				t.Errorf("answered with %d %q, want %d %q", status, text, tt.status, tt.text)
			}
		})
	}
}
