// Package verify has the benchmarks of other libraries that verify webhooks. It
// is a module of its own, so that they do not become dependencies of wsk.
package verify

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/wskdev/wsk/pkg/webhook"
)

const key = "whsec_d29ya2JlbmNoLXN0YW5kYXJkLWtleQ=="

// request is a body of 1 KB and the headers that sign it now, by the one scheme
// that all of the libraries have.
func request(b *testing.B) (webhook.Verifier, http.Header, []byte) {
	b.Helper()
	secret, err := webhook.NewSecret(key)
	if err != nil {
		b.Fatal(err)
	}
	scheme, err := webhook.SchemeNamed(webhook.StandardWebhooks)
	if err != nil {
		b.Fatal(err)
	}
	body := append(bytes.Repeat([]byte(" "), 1022), "{}"...)
	lines, err := scheme.Headers(webhook.Message{Body: body, Timestamp: webhook.FormatTimestamp(time.Now()), ID: "msg_1"}, secret)
	if err != nil {
		b.Fatal(err)
	}
	header := lines.HTTP()
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "bench")
	return webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{secret}}, header, body
}

func BenchmarkWsk(b *testing.B) {
	verifier, header, body := request(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifier.Verify(header, body, time.Now()); err != nil { // the peers read the clock as well
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardWebhooks(b *testing.B) {
	_, header, body := request(b)
	peer, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := peer.Verify(body, header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSvix(b *testing.B) {
	_, header, body := request(b)
	peer, err := svix.NewWebhook(key)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := peer.Verify(body, header); err != nil {
			b.Fatal(err)
		}
	}
}
