package receivetest_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/receive/receivetest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestHooks(t *testing.T) {
	work := &jobs{}
	handler := newHandler(receivetest.DefaultSecret, work) // the receiver under test

	sender := receivetest.New(t, handler, receivetest.Path("/hooks"))
	first := sender.Send(sender.Sample(webhook.Outbound, "work_order.created")).Want(200)
	sender.Resend(first).Want(200)
	if n := work.count(); n != 1 {
		t.Errorf("an event that was delivered twice made %d jobs, want 1", n)
	}
	sender.Send(first.Event, receivetest.SignedWith("another secret")).Want(401)

	receivetest.Check(t, handler, receivetest.Path("/hooks"), receivetest.Effect(work.count))
}

// newHandler is the receiver of the package comment.
func newHandler(secret string, work *jobs) http.Handler {
	key, err := webhook.NewSecret(secret)
	if err != nil {
		panic(err)
	}
	hooks, err := receive.New(receive.Config{
		Secrets: []webhook.Secret{key},
		App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			work.n.Add(1)
			return receive.OK()
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks", hooks)
	return mux
}

// jobs is the work that the events of the package comment cause.
type jobs struct{ n atomic.Int64 }

func (j *jobs) count() int { return int(j.n.Load()) }
