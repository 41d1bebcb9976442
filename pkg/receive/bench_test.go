package receive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// bareHMAC is the limit to measure against: a handler that reads the body,
// compares the signature, and does nothing else.
func bareHMAC(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	m := hmac.New(sha256.New, []byte(sharedSecret))
	_, _ = io.WriteString(m, r.Header.Get(webhook.HeaderTimestamp)+".")
	_, _ = m.Write(body)
	got, err := hex.DecodeString(r.Header.Get(webhook.HeaderSignature))
	if err != nil || !hmac.Equal(got, m.Sum(nil)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, taken)
}

// deliveries are signed ahead. There are more of them than the receiver
// remembers, so that each is new to it when its turn comes again.
type deliveries struct {
	bodies  []string
	headers []http.Header
	turn    atomic.Int64
}

const remembered = 1024

func newDeliveries(size int) *deliveries {
	d := &deliveries{}
	for i := range 4 * remembered {
		body := fmt.Sprintf(`{"event_id":"evt_%08d","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{"text":"%s"}}`,
			i, strings.Repeat("x", size))
		d.bodies = append(d.bodies, body)
		d.headers = append(d.headers, header(fmt.Sprintf("evt_%08d", i), body, clock))
	}
	return d
}

func (d *deliveries) next() (http.Header, string) {
	i := int(d.turn.Add(1)) % len(d.bodies)
	return d.headers[i], d.bodies[i]
}

// BenchmarkHandler has the receiver with HMAC, JSON and deduplication beside a
// bare net/http handler with HMAC alone.
func BenchmarkHandler(b *testing.B) {
	handler, err := receive.New(receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(b, sharedSecret)}},
		Store:    receive.NewMemory(remembered), Sink: func(webhook.Record) {},
		Now: func() time.Time { return clock }, NewID: func() string { return "rec_1" },
	})
	if err != nil {
		b.Fatal(err)
	}
	handlers := []struct {
		name string
		http.Handler
	}{{"receive", handler}, {"bare", http.HandlerFunc(bareHMAC)}}
	for _, size := range []int{500, 20_000} {
		d := newDeliveries(size)
		for _, h := range handlers {
			b.Run(fmt.Sprintf("in process, %d bytes, %s", size, h.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					head, body := d.next()
					w := discard{http.Header{}}
					h.ServeHTTP(&w, &http.Request{
						Method: http.MethodPost, Header: head, RequestURI: "/", Host: "x",
						Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
					})
				}
			})
		}
		for _, h := range handlers {
			b.Run(fmt.Sprintf("over loopback, 32 connections, %d bytes, %s", size, h.name), func(b *testing.B) {
				url := "http://" + serve(b, h.Handler)
				transport := &http.Transport{MaxIdleConnsPerHost: 64}
				defer transport.CloseIdleConnections()
				b.SetParallelism(16) // times two processors
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						head, body := d.next()
						request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
						if err != nil {
							b.Error(err)
							return
						}
						request.Header = head
						response, err := transport.RoundTrip(request)
						if err != nil || response.StatusCode != http.StatusOK {
							b.Errorf("%v, %v", response, err)
							return
						}
						_, _ = io.Copy(io.Discard, response.Body)
						_ = response.Body.Close()
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			})
		}
	}
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header       { return d.header }
func (*discard) WriteHeader(int)             {}
func (*discard) Write(p []byte) (int, error) { return len(p), nil }
func (*discard) Flush()                      {}
