package batch_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A file is read once for its digest and its lines, and then sent from the
// ledger that it has, or that it gets.
func Example() {
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "batch")
	defer func() { _ = os.RemoveAll(dir) }()
	j, err := journal.Open(ctx, filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = j.Close() }()

	const url = "https://app.workskedge.com/webhooks/inbound"
	source := strings.NewReader(`{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{}}`)
	file, _ := batch.Read(ctx, source, nil)
	ledger, found, err := j.Batch(ctx, file.Digest, url)
	if err == nil && !found {
		ledger, err = j.Begin(ctx, file.Digest, url, "staff.ndjson", file.Len(), time.Now())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	began := time.Now()
	accepts := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	sender := batch.Sender{
		File: file, Source: source, Ledger: ledger,
		Pacer: &batch.Pacer{
			Journal: j, Key: batch.Key("the API key", ""), Limits: batch.Documented(), Within: deliver.DefaultTimeout,
			Now: time.Now, Elapsed: func() time.Duration { return time.Since(began) }, Wait: sleep,
		},
		Client: deliver.Client{Transport: accepts, Now: time.Now, NewID: func() string { return "rec_1" }},
		Make: func(l batch.Line) (deliver.Delivery, error) {
			event, err := webhook.ParseEvent(l.Text())
			return deliver.Delivery{URL: url, Event: event, Header: deliver.Inbound("the API key", "custom")}, err
		},
	}
	err = sender.Run(ctx)
	fmt.Printf("%+v %v\n", file.Summary(), err)
	// Output: {Lines:1 Accepted:1 Refused:0 Unknown:0 Pending:0} <nil>
}
