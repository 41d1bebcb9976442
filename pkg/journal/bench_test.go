package journal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// BenchmarkPut stores records of a work order's size from 32 callers at once,
// each waiting for its commit.
func BenchmarkPut(b *testing.B) {
	j, err := Open(context.Background(), filepath.Join(b.TempDir(), "j.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	body := make([]byte, 1800)
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			id := fmt.Sprintf("rec_%026d", i)
			r := webhook.Record{
				ID: id, Time: time.Now(), Direction: webhook.Received, Event: "work_order.created", WebhookID: id,
				Request:  webhook.Request{Method: "POST", URL: "/", Body: body, Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Webhook-Signature", Value: "0123456789012345678901234567890123456789012345678901234567890123"}, {Name: "X-Webhook-Timestamp", Value: "1764000000"}}},
				Verdict:  &webhook.Verdict{Outcome: webhook.Accepted, Verified: true},
				Response: &webhook.Response{Status: 200, Body: []byte(`{"received":true}`)},
			}
			if err := j.Keep(context.Background(), receive.Receipt{Record: r, Mark: &receive.Mark{ID: id, Signed: sha256.Sum256([]byte(id)), Time: r.Time}, Once: true}); err != nil {
				b.Error(err)
			}
		}
	})
}
