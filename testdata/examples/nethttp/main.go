// Command nethttp receives WorkSkedge's webhooks in a service that routes by
// net/http: a middleware verifies them, and gives each delivery to the handler once.
//
//	WEBHOOK_SECRET=… nethttp 127.0.0.1:8080
package main

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: nethttp ADDRESS")
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
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("POST /hooks", verified(http.HandlerFunc(handle)))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	slog.Info("ready", "address", listener.Addr())
	return receive.Serve(ctx, listener, mux)
}

// handle answers with 200. After another status the platform sends the event again.
func handle(_ http.ResponseWriter, r *http.Request) {
	event, _ := receive.EventFrom(r.Context()) // there is one behind the middleware
	slog.InfoContext(r.Context(), "handling", "event", event.ID, "type", event.Type)
}
