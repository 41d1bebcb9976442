// Package webhooktest provides what the tests of several packages need. Its
// signatures are computed without package webhook, so that a test compares two
// implementations.
package webhooktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ClosedURL is a URL of loopback that nobody listens on. Its port is below those that
// a system chooses for port 0, so no other test takes it.
const ClosedURL = "http://127.0.0.1:1"

// Secret returns the secret with that text.
func Secret(t testing.TB, text string) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Scheme returns the scheme of that name.
func Scheme(t testing.TB, name string) webhook.Scheme {
	t.Helper()
	s, err := webhook.SchemeNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// HMAC returns the HMAC-SHA256 of a text.
func HMAC(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// HexHMAC returns the HMAC-SHA256 of a text in lowercase hex.
func HexHMAC(key, text string) string { return hex.EncodeToString(HMAC(key, text)) }

// Base64HMAC returns the HMAC-SHA256 of a text in base64.
func Base64HMAC(key, text string) string { return base64.StdEncoding.EncodeToString(HMAC(key, text)) }

// RoundTrip is a function as an [http.RoundTripper].
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Heap returns the bytes of all objects that are not yet swept. If collect is
// set, it collects garbage first.
func Heap(collect bool) int64 {
	if collect {
		runtime.GC()
		runtime.GC() // what the first one released from pools
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Observer is an [observe.Observer] that keeps the values that it gets.
type Observer struct {
	mu     sync.Mutex
	values []any

	// Then, if not nil, is called with each value after it was kept.
	Then func(value any)
}

func (o *Observer) add(value any) {
	o.mu.Lock()
	o.values = append(o.values, value)
	o.mu.Unlock()
	if o.Then != nil {
		o.Then(value)
	}
}

// Values returns what o got, in order.
func (o *Observer) Values() []any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.values)
}

// Want compares what o got, in order, with what it should have.
func (o *Observer) Want(t testing.TB, want ...any) {
	t.Helper()
	got := o.Values()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("observed nothing more, want %T%+v", want[i], want[i])
		case i >= len(want):
			t.Errorf("also observed %T%+v", got[i], got[i])
		case got[i] != want[i]:
			t.Errorf("observed %T%+v, want %T%+v", got[i], got[i], want[i], want[i])
		}
	}
}

// Received keeps r.
func (o *Observer) Received(_ context.Context, r observe.Receipt) { o.add(r) }

// Refused keeps r.
func (o *Observer) Refused(_ context.Context, r observe.Refusal) { o.add(r) }

// Handled keeps c.
func (o *Observer) Handled(_ context.Context, c observe.Call) { o.add(c) }

// Sent keeps a.
func (o *Observer) Sent(_ context.Context, a observe.Attempt) { o.add(a) }

// Retried keeps r.
func (o *Observer) Retried(_ context.Context, r observe.Retry) { o.add(r) }
