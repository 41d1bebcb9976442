package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// payload is an event of about 2 KB.
func payload() []byte {
	filler := bytes.Repeat([]byte(`{"item_name":"Braze suction and liquid lines","status":"pending"},`), 28)
	return append(append([]byte(`{"event_type":"work_order.created","timestamp":"2026-03-02T15:20:00Z","source":"custom","data":{"items":[`), filler...), `{}]}}`...)
}

// kilobyte is a body of 1 KB.
func kilobyte() []byte { return payload()[:1024] }

func BenchmarkVerify(b *testing.B) {
	body, secret := kilobyte(), keyFor(b, webhook.TimestampBody)
	h := headersOf(b, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: body, Timestamp: unixTimestamp}, secret)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := webhook.Verify(h, body, now(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHMAC is the limit of BenchmarkVerify: a hash that has its key, and
// nothing else. BenchmarkHMACNew is a new hash for each body.
func BenchmarkHMAC(b *testing.B) {
	body, lead, key := kilobyte(), []byte(unixTimestamp+"."), []byte(keyFor(b, webhook.TimestampBody).Reveal())
	mac := hmac.New(sha256.New, key)
	digest := make([]byte, 0, sha256.Size)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		mac.Reset()
		mac.Write(lead)
		mac.Write(body)
		digest = mac.Sum(digest[:0])
	}
}

func BenchmarkHMACNew(b *testing.B) {
	body, lead, key := kilobyte(), []byte(unixTimestamp+"."), []byte(keyFor(b, webhook.TimestampBody).Reveal())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		mac := hmac.New(sha256.New, key)
		mac.Write(lead)
		mac.Write(body)
		mac.Sum(nil)
	}
}

// BenchmarkVerifyByHand is what a receiver of one sender writes without the
// package: the same checks, by a hash that it keeps, for one request at a time.
func BenchmarkVerifyByHand(b *testing.B) {
	body, secret := kilobyte(), keyFor(b, webhook.TimestampBody)
	h := headersOf(b, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: body, Timestamp: unixTimestamp}, secret)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	sum := make([]byte, 0, sha256.Size)
	verify := func(at time.Time) bool {
		timestamp := h.Get(webhook.HeaderTimestamp)
		seconds, err := strconv.ParseInt(timestamp, 10, 64)
		if err != nil || at.Sub(time.Unix(seconds, 0)).Abs() > webhook.DefaultTolerance {
			return false
		}
		signature, err := hex.DecodeString(h.Get(webhook.HeaderSignature))
		if err != nil {
			return false
		}
		mac.Reset()
		mac.Write([]byte(timestamp + "."))
		mac.Write(body)
		sum = mac.Sum(sum[:0])
		return hmac.Equal(signature, sum)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if !verify(now()) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkVerifyForgery(b *testing.B) {
	body, secret := payload(), keyFor(b, webhook.TimestampBody)
	h := headersOf(b, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: body, Timestamp: unixTimestamp}, secretOf(b, "another"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if webhook.Verify(h, body, now(), secret) == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkParseEvent(b *testing.B) {
	raw := payload()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webhook.ParseEvent(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// benchRecord is a receipt as a listener stores it.
func benchRecord(b *testing.B) webhook.Record {
	body := payload()
	h := headersOf(b, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: body, Timestamp: unixTimestamp, ID: "wh_1"}, keyFor(b, webhook.TimestampBody))
	h.Set("Content-Type", "application/json")
	h.Set("X-API-Key", "key")
	return webhook.Record{
		ID: "r1", Time: now(), Direction: webhook.Received, Platform: webhook.WorkSkedge, Form: webhook.Inbound, Event: "work_order.created",
		WebhookID: "wh_1", Scheme: webhook.TimestampBody, Duration: 3 * time.Millisecond,
		Request: webhook.Request{Method: "POST", URL: "/hook?token=x", Header: webhook.HeaderOf(h), Body: body},
		Verdict: &webhook.Verdict{Outcome: webhook.Accepted, Verified: true}, Response: &webhook.Response{Status: 200, Body: []byte(`{"received":true}`)},
	}
}

func BenchmarkEncode(b *testing.B) {
	r, e := benchRecord(b), webhook.NewEncoder(io.Discard)
	b.SetBytes(int64(len(r.Request.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := benchRecord(b)
	var line bytes.Buffer
	if err := webhook.NewEncoder(&line).Encode(r); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Request.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webhook.NewDecoder(bytes.NewReader(line.Bytes())).Decode(); err != nil {
			b.Fatal(err)
		}
	}
}
