// Command receiver receives WorkSkedge's webhooks. Several of them can run on one
// journal: a delivery is handled once between them, also over restarts.
//
//	WEBHOOK_SECRET=… receiver 127.0.0.1:8080 /var/lib/receiver/journal.db
package main

import (
	"context"
	"log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: receiver ADDRESS JOURNAL")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address, path string) error {
	secret, err := webhook.NewSecret(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		return err
	}
	store, err := journal.Open(ctx, path, journal.Options{Logger: slog.Default()})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was answered with 200 is on disk
	var router receive.Router
	receive.On(&router, schedule)
	handler, err := receive.New(receive.Config{Secrets: []webhook.Secret{secret}, Store: store, App: router.Receive})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	slog.Info("ready", "address", listener.Addr())
	return receive.Serve(ctx, listener, handler)
}

// schedule handles an event. After an error the platform sends it again.
func schedule(ctx context.Context, e *workskedge.WorkOrderCreated) error {
	slog.InfoContext(ctx, "scheduling", "event", e.EventID, "work_order", e.Data.ID)
	return nil
}
