// Command sender sends the events of a file, one a line, to WorkSkedge, within its
// limits of 50 requests a minute and 1,000 an hour. What was not accepted, and can be
// sent again, goes to stdout.
//
//	API_KEY=… WEBHOOK_SECRET=… sender https://app.workskedge.com/webhooks/inbound events.ndjson > left.ndjson
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: sender URL FILE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url, path string) error {
	secret, err := webhook.NewSecret(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		return err
	}
	payloads, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	key := os.Getenv("API_KEY")
	limiter := deliver.NewLimiter(deliver.WorkSkedgeLimits()...)
	client := deliver.Client{
		Before: func(ctx context.Context, _ deliver.Delivery, _ int) error { return limiter.Wait(ctx, key) },
		Grace:  20 * time.Second, // for the response to what was sent before ctx ended
	}
	send := func(payload []byte) error {
		event, err := webhook.ParseEvent(payload)
		if err != nil {
			return err
		}
		_, err = client.Send(ctx, deliver.Delivery{
			URL: url, Event: event, Header: deliver.Inbound(key, "custom"), Secret: secret,
		}, deliver.Policy{Retries: 5}, nil)
		return err
	}
	line, failed := 0, 0
	for payload := range bytes.Lines(payloads) {
		line++
		err := send(bytes.TrimSpace(payload))
		if err == nil {
			continue
		}
		failed++
		var refused *deliver.Error
		switch {
		case errors.As(err, &refused) && refused.Unknown():
			slog.Error("look whether it arrived before you send it again", "line", line, "error", err)
			continue
		case ctx.Err() == nil:
			slog.Error("not accepted", "line", line, "error", err)
		}
		if _, err := os.Stdout.Write(payload); err != nil {
			return err
		}
		if refused != nil && refused.RetryAfter > deliver.MaxRetryAfter { // longer than a retry waits
			_ = deliver.Wait(ctx, refused.RetryAfter)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d events were not accepted", failed, line)
	}
	return nil
}
