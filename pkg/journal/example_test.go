package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func ExampleJournal() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	j, err := journal.Open(ctx, filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = j.Close() }()
	err = j.Put(ctx, webhook.Record{
		ID: "rec_1", Time: time.Now(), Direction: webhook.Received, Event: "work_order.created",
		Request:  webhook.Request{Method: "POST", URL: "/", Body: []byte("{}")},
		Response: &webhook.Response{Status: 503},
	})
	fmt.Println("on disk:", err == nil)
	for record, err := range j.Records(ctx, journal.Filter{Events: []string{"work_order.*"}, Status: []string{"failed"}}) {
		fmt.Println(record.ID, record.Response.Status, err)
	}
	// Output:
	// on disk: true
	// rec_1 503 <nil>
}
