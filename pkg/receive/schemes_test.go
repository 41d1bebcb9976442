package receive_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

const notifyURL = "https://example.com/hooks?a=1"

// standardHeader signs according to the Standard Webhooks specification.
func standardHeader(key, id, body string) http.Header {
	timestamp := webhook.FormatTimestamp(clock)
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp},
		"Webhook-Signature": {"v1," + webhooktest.Base64HMAC(key, id+"."+timestamp+"."+body)},
	}
}

func TestHandlerVerifiesEveryScheme(t *testing.T) {
	const hire = `{"event":"hireUpdated","data":{"id":"1"}}`
	whsec := "whsec_" + base64.StdEncoding.EncodeToString([]byte(sharedSecret))
	tests := []struct {
		name   string
		config receive.Config
		secret string
		body   string
		sign   func(body string) http.Header
		header string // where the signature is
		id     string // the id that the record knows it by
	}{
		{"timestamp.body, the default", receive.Config{}, sharedSecret, payload,
			func(b string) http.Header { return header("evt_1", b, clock) }, webhook.HeaderSignature, "evt_1"},
		{"body, in WorkSkedge's header", receive.Config{Verifier: webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.BodyOnly)}}, sharedSecret, payload,
			func(b string) http.Header {
				return http.Header{"X-Webhook-Signature": {webhooktest.HexHMAC(sharedSecret, b)}, "X-Webhook-Id": {"evt_1"}}
			}, webhook.HeaderSignature, "evt_1"},
		{"Worksome's Signature header, by the platform alone", receive.Config{Platform: webhook.Worksome}, sharedSecret, hire,
			func(b string) http.Header { return http.Header{"Signature": {webhooktest.HexHMAC(sharedSecret, b)}} }, "Signature", ""},
		{"square, over URL and body", receive.Config{Verifier: webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.Square), URL: notifyURL}}, sharedSecret, payload,
			func(b string) http.Header {
				return http.Header{"X-Square-Hmacsha256-Signature": {webhooktest.Base64HMAC(sharedSecret, notifyURL+b)}}
			}, "X-Square-Hmacsha256-Signature", ""},
		{"quickbooks", receive.Config{Verifier: webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.QuickBooks)}}, sharedSecret, payload,
			func(b string) http.Header {
				return http.Header{"Intuit-Signature": {webhooktest.Base64HMAC(sharedSecret, b)}}
			}, "Intuit-Signature", ""},
		{"standard-webhooks", receive.Config{Verifier: webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.StandardWebhooks)}}, whsec, payload,
			func(b string) http.Header { return standardHeader(sharedSecret, "msg_1", b) }, "Webhook-Signature", "msg_1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) {
				c.Platform, c.Verifier = tt.config.Platform, tt.config.Verifier
				c.Verifier.Secrets = []webhook.Secret{webhooktest.Secret(t, "the secret before"), webhooktest.Secret(t, tt.secret)}
				if c.Verifier.Scheme.Name() == webhook.StandardWebhooks { // where a secret has to be base64
					c.Verifier.Secrets = c.Verifier.Secrets[1:]
				}
			})
			good := tt.sign(tt.body)
			wrong := good.Clone()
			wrong.Set(tt.header, tt.sign(tt.body+" ").Get(tt.header))
			wantAnswer(t, r.answerTo(post(wrong, tt.body)), 401, invalidSignature)
			missing := good.Clone()
			missing.Del(tt.header)
			wantAnswer(t, r.answerTo(post(missing, tt.body)), 401, invalidSignature)
			twice := good.Clone()
			twice.Add(tt.header, good.Get(tt.header))
			if got := r.answerTo(post(twice, tt.body)); got.Code != 400 {
				t.Errorf("a repeated signature was answered %d", got.Code)
			}
			wantAnswer(t, r.answerTo(post(good, tt.body)), 200, taken)
			record := r.last(t)
			scheme := tt.config.Verifier.Scheme
			if scheme.IsZero() {
				scheme = webhook.SchemeFor(tt.config.Platform)
			}
			if record.WebhookID != tt.id || record.Scheme != scheme.Name() {
				t.Errorf("recorded under the id %q and scheme %q", record.WebhookID, record.Scheme)
			}
			wantAnswer(t, r.answerTo(post(good, tt.body)), 200, takenBefore)
			wantCalls(t, r, 1)
		})
	}
}

func TestHandlerWithAnUnusableSecretAcceptsNothing(t *testing.T) {
	tests := []struct {
		name string
		v    webhook.Verifier
		h    http.Header
	}{
		{"square without a URL", webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.Square), Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}},
			http.Header{"X-Square-Hmacsha256-Signature": {webhooktest.Base64HMAC(sharedSecret, payload)}}},
		{"standard-webhooks with a secret that is not base64", webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.StandardWebhooks), Secrets: []webhook.Secret{webhooktest.Secret(t, "not base64!")}},
			standardHeader("not base64!", "msg_1", payload)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.Verifier = tt.v })
			wantAnswer(t, r.answerTo(post(tt.h, payload)), 500, `{"error":"The receiver is misconfigured"}`)
			if v := r.last(t).Verdict; v.Reason != "config" || strings.Contains(v.Detail, "not base64!") {
				t.Errorf("recorded as %+v", v)
			}
			wantCalls(t, r, 0)
		})
	}
}

func TestHandlerStandardWebhooksAcceptsAnyOfSeveralSignatures(t *testing.T) {
	whsec := "whsec_" + base64.StdEncoding.EncodeToString([]byte(sharedSecret))
	other := "v1," + webhooktest.Base64HMAC("another", "x")
	good := standardHeader(sharedSecret, "msg_1", payload).Get("Webhook-Signature")
	for name, tt := range map[string]struct {
		signature string
		status    int
	}{
		"the second is good":           {other + " " + good, 200},
		"one of another version":       {"v1a,AAAA " + good, 200},
		"none is good":                 {other + " " + other, 401},
		"the good one without version": {strings.TrimPrefix(good, "v1,"), 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) {
				c.Verifier = webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.StandardWebhooks), Secrets: []webhook.Secret{webhooktest.Secret(t, whsec)}}
			})
			h := standardHeader(sharedSecret, "msg_1", payload)
			h.Set("Webhook-Signature", tt.signature)
			if got := r.answerTo(post(h, payload)); got.Code != tt.status {
				t.Errorf("answered %d %s, want %d", got.Code, got.Body, tt.status)
			}
		})
	}
	t.Run("but not without an id", func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) {
			c.Verifier = webhook.Verifier{Scheme: webhooktest.Scheme(t, webhook.StandardWebhooks), Secrets: []webhook.Secret{webhooktest.Secret(t, whsec)}}
		})
		h := standardHeader(sharedSecret, "", payload)
		wantAnswer(t, r.answerTo(post(h, payload)), 400, `{"error":"The header webhook-id is missing or empty"}`)
	})
}
