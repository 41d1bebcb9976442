package receive_test

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// FuzzHandler throws any method, header and body at a receiver. It never
// panics, and it answers 2xx only to a POST with one signature that an HMAC
// computed here confirms.
func FuzzHandler(f *testing.F) {
	timestamp := webhook.FormatTimestamp(clock)
	good := "X-Webhook-Timestamp: " + timestamp + "\nX-Webhook-Signature: " + webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload) + "\nX-Webhook-ID: evt_1"
	f.Add("POST", good, []byte(payload), false)
	f.Add("POST", good+"\nX-Webhook-ID: evt_2", []byte(payload), false)
	f.Add("POST", good+"\nContent-Encoding: gzip", []byte(payload), true)
	f.Add("GET", good, []byte(payload), true)
	f.Add("POST", "X-Webhook-Timestamp: +1\nX-Webhook-Signature: "+strings.Repeat("0", 64), []byte("[[[["), true)
	f.Add("POST", "", []byte(`{"event_type":"a","event_type":"b"}`), true)
	f.Add("PRI", ":\n: \nX", []byte{0, 0xff, 0xfe}, false)
	f.Add("POST", "X-Webhook-Event: x\nX-Webhook-Retry: 99999", []byte(`{"event":"hireUpdated","data":null}`), true)
	key, err := webhook.NewSecret(sharedSecret)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, head string, body []byte, sign bool) {
		var records int
		handler, err := receive.New(receive.Config{
			Verifier: webhook.Verifier{Secrets: []webhook.Secret{key}}, MaxBody: 4096,
			Now: func() time.Time { return clock }, NewID: func() string { return "1" },
			Sink: func(r webhook.Record) {
				records++
				if err := webhook.NewEncoder(io.Discard).Encode(r); err != nil {
					t.Errorf("the record cannot be written: %v", err)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		for line := range strings.SplitSeq(head, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			h.Add(name, value)
		}
		if sign {
			h.Set(webhook.HeaderTimestamp, timestamp)
			h.Set(webhook.HeaderSignature, webhooktest.HexHMAC(sharedSecret, timestamp+"."+string(body)))
		}
		request := &http.Request{
			Method: method, Header: h, RequestURI: "/", Host: "x",
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}
		for range 2 { // the second time as a duplicate
			w := httptest.NewRecorder()
			request.Body = io.NopCloser(bytes.NewReader(body))
			handler.ServeHTTP(w, request)
			if w.Code/100 == 2 && !confirmed(method, h, body) {
				t.Errorf("answered %d %s without a good signature", w.Code, w.Body)
			}
			if !strings.Contains(" 200 400 401 405 409 413 415 ", " "+strconv.Itoa(w.Code)+" ") {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
		if records != 2 {
			t.Errorf("%d records of two requests", records)
		}
	})
}

// confirmed is a second opinion, in as few words as can be.
func confirmed(method string, h http.Header, body []byte) bool {
	signatures, stamps := h["X-Webhook-Signature"], h["X-Webhook-Timestamp"]
	if method != "POST" || len(signatures) != 1 || len(stamps) != 1 || len(h["X-Webhook-Id"]) > 1 {
		return false
	}
	signature, err := hex.DecodeString(signatures[0])
	seconds, bad := strconv.Atoi(stamps[0])
	age := clock.Unix() - int64(seconds)
	return err == nil && bad == nil && -300 <= age && age <= 300 && hmac.Equal(signature, webhooktest.HMAC(sharedSecret, stamps[0]+"."+string(body)))
}
