// Command chi receives WorkSkedge's webhooks in a service that routes by chi: a
// middleware verifies them, and gives each delivery to the handler once.
//
//	WEBHOOK_SECRET=… chi 127.0.0.1:8080
package main

import (
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: chi ADDRESS")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	secret, err := webhook.NewSecret(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		return err
	}
	verified, err := receive.Middleware(receive.Config{Secrets: []webhook.Secret{secret}})
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	router.Use(middleware.Recoverer)
	router.Get("/healthz", func(http.ResponseWriter, *http.Request) {})
	router.With(verified).Post("/hooks", handle)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	slog.Info("ready", "address", listener.Addr())
	return receive.Serve(ctx, listener, router)
}

// handle answers an event that is handled, or not wanted, with 200.
func handle(w http.ResponseWriter, r *http.Request) {
	event, _ := receive.EventFrom(r.Context()) // there is one behind the middleware
	if event.Type != "work_order.created" {
		return
	}
	var created workskedge.WorkOrderCreated
	err := json.Unmarshal(event.Raw, &created)
	if err == nil {
		err = schedule(r.Context(), &created)
	}
	if err != nil {
		slog.ErrorContext(r.Context(), "scheduling", "event", event.ID, "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

func schedule(ctx context.Context, e *workskedge.WorkOrderCreated) error {
	slog.InfoContext(ctx, "scheduling", "event", e.EventID, "work_order", e.Data.ID)
	return nil
}
