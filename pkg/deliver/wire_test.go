package deliver_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestAttemptRequest(t *testing.T) {
	// Every source and scheme as the documents show it: the header that arrives is
	// compared whole, and the receiver's own Verifier takes it.
	t.Run("every source and scheme", func(t *testing.T) {
		const notify = "https://hooks.example/square?a=1"
		timestamp := fmt.Sprint(clock.Unix())
		whsec := "whsec_" + base64.StdEncoding.EncodeToString([]byte(sharedSecret))
		hire := `{"event":"hireUpdated","data":{"id":"1"}}`
		outbound := webhook.Header{
			{Name: "Content-Type", Value: "application/json"}, {Name: webhook.HeaderEvent, Value: "work_order.created"}, {Name: webhook.HeaderRetry, Value: "0"},
		}
		source := func(name string) deliver.Delivery {
			return deliver.Delivery{Header: deliver.Inbound("the-api-key", name), Scheme: webhooktest.Scheme(t, deliver.SchemeForSource(name)), NotifyURL: notify}
		}
		custom := func(source string) http.Header {
			return http.Header{
				"Content-Type": {"application/json"}, "X-Api-Key": {"the-api-key"}, "X-Webhook-Source": {source},
				"X-Webhook-Timestamp": {timestamp}, "X-Webhook-Signature": {webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload)},
			}
		}
		with := func(h http.Header, name, value string) http.Header {
			h.Del("X-Webhook-Signature")
			h.Set(name, value)
			return h
		}
		tests := []struct {
			name     string
			delivery deliver.Delivery
			secret   string
			body     string
			want     http.Header
		}{
			{"source custom", source("custom"), sharedSecret, payload, custom("custom")},
			{"source dynamics365, signed as custom", source("dynamics365"), sharedSecret, payload, custom("dynamics365")},
			{"source square", source("square"), sharedSecret, payload,
				with(custom("square"), "X-Square-Hmacsha256-Signature", webhooktest.Base64HMAC(sharedSecret, notify+payload))},
			{"source quickbooks", source("quickbooks"), sharedSecret, payload,
				with(custom("quickbooks"), "Intuit-Signature", webhooktest.Base64HMAC(sharedSecret, payload))},
			{"source custom by scheme body", deliver.Delivery{Header: deliver.Inbound("the-api-key", "custom"), Scheme: webhooktest.Scheme(t, webhook.BodyOnly)}, sharedSecret, payload,
				with(custom("custom"), "X-Webhook-Signature", webhooktest.HexHMAC(sharedSecret, payload))},
			{"no scheme named: the default", deliver.Delivery{Header: deliver.Inbound("the-api-key", "custom")}, sharedSecret, payload, custom("custom")},
			{"no API key", deliver.Delivery{Header: deliver.Inbound("", "custom")}, sharedSecret, payload,
				func() http.Header { h := custom("custom"); h.Del("X-Api-Key"); return h }()},
			{"outbound, with an id", deliver.Delivery{Header: outbound, WebhookID: "evt_1"}, sharedSecret, payload, http.Header{
				"Content-Type": {"application/json"}, "X-Webhook-Event": {"work_order.created"}, "X-Webhook-Retry": {"0"}, "X-Webhook-Id": {"evt_1"},
				"X-Webhook-Timestamp": {timestamp}, "X-Webhook-Signature": {webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload)},
			}},
			{"Worksome, in its header", deliver.Delivery{Scheme: webhook.SchemeFor(webhook.Worksome), WebhookID: "not sent"}, sharedSecret, hire, http.Header{
				"Signature": {webhooktest.HexHMAC(sharedSecret, hire)},
			}},
			{"standard-webhooks", deliver.Delivery{Scheme: webhooktest.Scheme(t, webhook.StandardWebhooks), WebhookID: "msg_1"}, whsec, payload, http.Header{
				"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {"v1," + webhooktest.Base64HMAC(sharedSecret, "msg_1."+timestamp+"."+payload)},
			}},
			{"unsigned, to the inbound endpoint", deliver.Delivery{Header: deliver.Inbound("", "custom"), Unsigned: true}, "", payload, http.Header{
				"Content-Type": {"application/json"}, "X-Webhook-Source": {"custom"}, "X-Webhook-Timestamp": {timestamp},
			}},
			{"unsigned, to anywhere", deliver.Delivery{WebhookID: "not sent", Unsigned: true}, "", payload, http.Header{}},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				server := newEndpoint(t, nil)
				d := tt.delivery
				d.URL, d.Event = server.URL+"/hooks?x=1", event(t, tt.body)
				if tt.secret != "" {
					d.Secret = webhooktest.Secret(t, tt.secret)
				}
				record := attempt(t, client(overTCP(t)), d)
				wantVerdict(t, record, webhook.Accepted, "")
				got := server.requests()[0]
				tt.want.Set("User-Agent", "wsk")
				tt.want.Set("Content-Length", fmt.Sprint(len(tt.body)))
				if !reflect.DeepEqual(got.header, tt.want) || string(got.body) != tt.body {
					t.Errorf("got\n%v, want\n%v", got.header, tt.want)
				}
				if tt.secret == "" {
					if record.Scheme != "" {
						t.Errorf("an unsigned request is recorded under scheme %q", record.Scheme)
					}
					return
				}
				scheme := d.Scheme
				if scheme.IsZero() {
					scheme = webhook.SchemeFor(webhook.WorkSkedge)
				}
				verifier := webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{d.Secret}, URL: notify}
				if _, err := verifier.Verify(got.header, got.body, clock); err != nil || record.Scheme != scheme.Name() {
					t.Errorf("scheme %q: %v", record.Scheme, err)
				}
			})
		}
	})
	t.Run("square signs over the URL unless NotifyURL is set", func(t *testing.T) {
		d := deliver.Delivery{URL: "https://a.example/hooks", Event: event(t, payload), Scheme: webhooktest.Scheme(t, webhook.Square), Secret: webhooktest.Secret(t, sharedSecret)}
		for notify, over := range map[string]string{"": "https://a.example/hooks", "https://b.example": "https://b.example"} {
			d.NotifyURL = notify
			request, err := d.Request(clock)
			if got := request.Header.Get("x-square-hmacsha256-signature"); err != nil || got != webhooktest.Base64HMAC(sharedSecret, over+payload) {
				t.Errorf("with %q: %s, %v", notify, got, err)
			}
		}
	})
	// THREATS row 40.
	t.Run("the body is sent byte for byte", func(t *testing.T) {
		bodies := map[string]string{
			"a number past 2^53 and trailing zeros": `{"event_type":"work_order.created","data":{"n":9007199254740993,"price":5000.00,"e":1E+2,"z":-0}}`,
			"escapes, spaces and line ends":         "\r\n{ \"event_type\" :\t\"a.b\", \"s\":\"\\/\\u00e9\\ud83d\\ude00<>&\u2028\" }\n\n",
			"duplicate names in data":               `{"event_type":"a.b","data":{"a":1,"a":2}}`,
			"a megabyte":                            `{"event_type":"a.b","data":"` + strings.Repeat("x", 1<<20) + `"}`,
		}
		for name, body := range bodies {
			t.Run(name, func(t *testing.T) {
				server := newEndpoint(t, nil)
				d := delivery(t, server.URL)
				d.Event = event(t, body)
				record := attempt(t, client(overTCP(t)), d)
				if got := server.requests()[0]; string(got.body) != body || string(record.Request.Body) != body || string(d.Event.Raw) != body {
					t.Errorf("%d bytes arrived, %d are recorded, of %d", len(got.body), len(record.Request.Body), len(body))
				}
			})
		}
		t.Run("bytes that are not JSON, and none", func(t *testing.T) {
			for _, body := range []string{"", "\x00\xff\xfe\r\n", "\ufeff{}"} {
				server := newEndpoint(t, nil)
				d := delivery(t, server.URL)
				d.Event = webhook.Event{Raw: []byte(body)}
				wantVerdict(t, attempt(t, client(overTCP(t)), d), webhook.Accepted, "")
				if got := server.requests()[0]; string(got.body) != body || got.header.Get("Content-Length") != fmt.Sprint(len(body)) {
					t.Errorf("%q arrived as %q", body, got.body)
				}
			}
		})
	})
}

func TestSchemeForSource(t *testing.T) {
	if got := deliver.Sources(); !slices.Equal(got, []string{"custom", "square", "quickbooks", "dynamics365"}) {
		t.Errorf("sources %q", got)
	}
	for _, source := range append(deliver.Sources(), "zapier") {
		if err := deliver.CheckSource(source); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
	var unknown *webhook.UnknownError
	if err := deliver.CheckSource("custm"); !errors.As(err, &unknown) || unknown.Nearest != "custom" {
		t.Errorf("custm: %v", err)
	}
	for source, want := range map[string]string{
		"custom": "timestamp.body", "square": "square", "quickbooks": "quickbooks", "dynamics365": "timestamp.body", "zapier": "timestamp.body", "": "timestamp.body",
	} {
		if got := deliver.SchemeForSource(source); got != want {
			t.Errorf("%q is signed by %s", source, got)
		}
	}
}

func TestAttemptRecord(t *testing.T) {
	server := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Many"] = []string{"b", "a"}
		w.Header()["Date"] = nil
		w.WriteHeader(422)
		_, _ = w.Write([]byte("{\"error\":\"\xff\"}"))
	})
	ticks := 0
	c := client(overTCP(t))
	c.UserAgent = "wsk/1.2"
	d := delivery(t, server.URL+"/in?a=b")
	d.WebhookID = "evt_1"
	c.Now = func() time.Time { ticks++; return clock.Add(time.Duration(ticks) * time.Millisecond) }
	got, err := c.Attempt(t.Context(), d, 4)
	if err != nil {
		t.Fatal(err)
	}
	timestamp := fmt.Sprint(clock.Unix())
	want := webhook.Record{
		ID: "rec_1", Time: clock.Add(time.Millisecond), Direction: webhook.Sent, Platform: webhook.WorkSkedge, Form: webhook.Inbound,
		Event: "work_order.created", WebhookID: "evt_1", Attempt: 4, Scheme: webhook.TimestampBody,
		Request: webhook.Request{
			Method: "POST", URL: server.URL + "/in?a=b", Body: []byte(payload),
			Header: webhook.Header{
				{Name: "Content-Type", Value: "application/json"}, {Name: "X-API-Key", Value: "the-api-key"}, {Name: "X-Webhook-Source", Value: "custom"},
				{Name: "X-Webhook-ID", Value: "evt_1"}, {Name: "X-Webhook-Timestamp", Value: timestamp},
				{Name: "X-Webhook-Signature", Value: webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload)}, {Name: "User-Agent", Value: "wsk/1.2"},
			},
		},
		Verdict: &webhook.Verdict{Outcome: webhook.Refused, Reason: "status"},
		Response: &webhook.Response{
			Status: 422, Body: []byte("{\"error\":\"\xff\"}"),
			Header: webhook.Header{
				{Name: "Content-Length", Value: "13"}, {Name: "Content-Type", Value: "text/plain; charset=utf-8"},
				{Name: "X-Many", Value: "b"}, {Name: "X-Many", Value: "a"},
			},
		},
		Duration: time.Duration(ticks-1) * time.Millisecond,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded as\n%+v, want\n%+v", got, want)
	}
	if text := line(t, got); strings.Contains(text, "the-api-key") || strings.Contains(text, sharedSecret) {
		t.Errorf("a credential is in %s", text)
	}
}

func TestAttemptTLS(t *testing.T) {
	proto := ""
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhook.Verify(r.Header, body, clock, webhooktest.Secret(t, sharedSecret))
		}
		if proto = r.Proto; err != nil {
			t.Error(err)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	record := attempt(t, client(overTCP(t)), delivery(t, server.URL))
	wantVerdict(t, record, webhook.Failed, "unreachable")
	if !strings.Contains(record.Error, "certificate") || proto != "" {
		t.Errorf("the error is %q", record.Error)
	}
	trusting := overTCP(t)
	trusting.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	trusting.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	wantVerdict(t, attempt(t, client(trusting), delivery(t, server.URL)), webhook.Accepted, "")
	if proto != "HTTP/2.0" {
		t.Errorf("spoken to in %s", proto)
	}
}
