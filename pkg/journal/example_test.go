package journal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// store is the function of the package comment.
func store(ctx context.Context, path string, record webhook.Record) (err error) {
	j, err := journal.Open(ctx, path, journal.Options{}) // open it once
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.Put(ctx, record); err != nil {
		return err // the record is not on disk
	}
	for failed, err := range j.Records(ctx, journal.Filter{Events: []string{"work_order.*"}, Status: []string{"failed"}}) {
		if err != nil {
			return err
		}
		fmt.Println(failed.ID, failed.Event)
	}
	return nil
}

// A Journal stores records, and returns those that a filter selects.
func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	err = store(context.Background(), filepath.Join(dir, "journal.db"), webhook.Record{
		ID: "rec_1", Time: time.Now(), Direction: webhook.Received, Event: "work_order.created",
		Request:  webhook.Request{Method: "POST", URL: "/", Body: []byte("{}")},
		Response: &webhook.Response{Status: 503},
	})
	fmt.Println(err)
	// Output:
	// rec_1 work_order.created
	// <nil>
}

// A receiver stores each event before it answers 200. A Forwarder hands the events
// to the app in the background. A restart goes on with what is left, and knows
// what was received before.
func ExampleJournal_Queue() {
	answer, forwarded, err := receiveAndForward()
	fmt.Println(answer, err)
	fmt.Println("the app got", forwarded)
	// Output:
	// {"received":true} <nil>
	// the app got work_order.created
}

func receiveAndForward() (answer, forwarded string, err error) {
	ctx := context.Background()
	got := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get(webhook.HeaderEvent)
	}))
	defer app.Close()
	dir, err := os.MkdirTemp("", "journal") // in production: a directory that stays
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	j, err := journal.Open(ctx, filepath.Join(dir, "journal.db"), journal.Options{})
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	queue, err := j.Queue(ctx, app.URL)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, queue.Close()) }()
	forwarder, err := receive.NewForwarder(receive.ForwarderConfig{Queue: queue, URL: app.URL, Retries: 5})
	if err != nil {
		return "", "", err
	}
	defer forwarder.Shutdown(ctx) // in production with a deadline, as http.Server.Shutdown

	secret, err := webhook.NewSecret("s3cret")
	if err != nil {
		return "", "", err
	}
	handler, err := receive.New(receive.Config{
		Secrets: []webhook.Secret{secret},
		Store:   forwarder,
	})
	if err != nil {
		return "", "", err
	}

	body := `{"event_id":"evt_1","event_type":"work_order.created","data":{}}`
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		return "", "", err
	}
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	request.Header = signed.With(webhook.HeaderID, "whk_1").With(webhook.HeaderEvent, "work_order.created").HTTP()
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	return response.Body.String(), <-got, nil
}
