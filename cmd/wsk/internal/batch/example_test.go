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

// A file is read once for its digest and its lines, and then sent with the
// ledger that was begun for it, or a new one.
func Example() {
	dir, err := os.MkdirTemp("", "batch")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	j, err := journal.Open(context.Background(), filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = j.Close() }()
	summary, err := sendStaff(context.Background(), j)
	fmt.Printf("%+v %v\n", summary, err)
	// Output: {Lines:1 Accepted:1 Refused:0 Unknown:0 Pending:0} <nil>
}

func sendStaff(ctx context.Context, j *journal.Journal) (batch.Summary, error) {
	const url = "https://app.workskedge.com/webhooks/inbound"
	source := strings.NewReader(`{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{}}`)
	file, err := batch.Read(ctx, source, nil)
	if err != nil {
		return batch.Summary{}, err
	}
	ledger, _, err := file.Open(ctx, j, batch.Begin{URL: url, Name: "/data/staff.ndjson", Resume: true, Now: time.Now()})
	if err != nil {
		return batch.Summary{}, err
	}
	delivery := deliver.Delivery{URL: url, Header: deliver.Inbound("the API key", "custom"), Unsigned: true}
	sender := batch.Sender{
		File: file, Source: source, Ledger: ledger,
		Pacer:  &batch.Pacer{Journal: j, Key: batch.Key(delivery), Limits: deliver.WorkSkedgeLimits()},
		Client: deliver.Client{Transport: acceptAll},
		Make: func(l batch.Line) (deliver.Delivery, error) {
			d := delivery
			var err error
			d.Event, err = webhook.ParseEvent(l.Text())
			return d, err
		},
	}
	err = sender.Run(ctx)
	return file.Summary(), err
}

// acceptAll takes the place of the platform.
var acceptAll = roundTrip(func(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
})
