package observe_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// refusals logs why requests are refused, and leaves the rest alone.
type refusals struct {
	observe.Nop
	log *slog.Logger
}

func (o refusals) Refused(ctx context.Context, r observe.Refusal) {
	o.log.WarnContext(ctx, "webhook refused", "platform", r.Platform, "reason", r.Reason, "status", r.Status)
}

func newHandler(secret webhook.Secret, app receive.App, log *slog.Logger) (*receive.Handler, error) {
	return receive.New(receive.Config{
		Secrets:  []webhook.Secret{secret},
		App:      app,
		Observer: refusals{log: log},
	})
}

// A receiver logs a request that nobody has signed.
func Example() {
	secret, err := webhook.NewSecret("s3cret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	handler, err := newHandler(secret, receive.Always(200), log)
	if err != nil {
		panic(err)
	}
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/hooks", strings.NewReader("{}")))
	// Output:
	// level=WARN msg="webhook refused" platform="" reason=signature_missing status=401
}

// withoutTime keeps the output of the example from changing.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
