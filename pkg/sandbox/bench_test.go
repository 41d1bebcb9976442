package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// BenchmarkWorkOrderCreated receives work orders from 32 senders: verifies, lints
// and stores them on disk.
func BenchmarkWorkOrderCreated(b *testing.B) {
	box, err := New(b.Context(), Config{Data: filepath.Join(b.TempDir(), "box.db"), Limits: []deliver.Limit{}}.withKey())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	secret, err := webhook.NewSecret(testSecret)
	if err != nil {
		b.Fatal(err)
	}
	send := func(body string) *httptest.ResponseRecorder {
		lines, err := webhook.Sign([]byte(body), time.Now(), secret)
		if err != nil {
			b.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body))
		r.Header = lines.HTTP()
		r.Header.Set("X-API-Key", testKey)
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		return w
	}
	if w := send(event("project.created", `{"project_code":"P","project_name":"P","customer_name":"C","location_name":"L"}`)); w.Code != 200 {
		b.Fatal(w.Body)
	}
	definition, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "work_order.created")
	if err != nil {
		b.Fatal(err)
	}
	sample := strings.NewReplacer("HPC-2026-014", "P", "EMP-3187", "EMP-1", "Refrigeration Piping", "PHASE").Replace(string(definition.Sample()))
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if w := send(strings.Replace(sample, "PHASE", fmt.Sprint(n.Add(1)), 1)); w.Code != 200 {
				b.Error(w.Body)
				return
			}
		}
	})
}
