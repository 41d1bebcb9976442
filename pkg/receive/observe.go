package receive

import (
	"context"
	"net/http"

	"github.com/wskdev/wsk/pkg/internal/notify"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// callApp calls the App, and keeps for observe what came of it, also of a panic. The
// context of the App ends with the lease, if there is one.
func (h *Handler) callApp(ctx context.Context, p *receipt, e *webhook.Event) webhook.Response {
	c := &h.config
	if !p.until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.until.Sub(c.Now()))
		defer cancel()
	}
	if c.Observer == nil {
		return c.App(ctx, e, &p.record)
	}
	began := c.Now()
	p.call = &observe.Call{Outcome: webhook.Failed, Status: http.StatusInternalServerError}
	defer func() {
		now := c.Now()
		p.call.Duration, p.call.Age = now.Sub(began), now.Sub(p.began)
	}()
	answer := c.App(ctx, e, &p.record)
	p.call.Status = answer.Status
	if answer.Status/100 == 2 {
		p.call.Outcome = webhook.Accepted
	}
	return answer
}

// observe tells the Observer what became of a request, once its answer is written.
func (h *Handler) observe(ctx context.Context, p *receipt) {
	if p.call != nil {
		notify.Handled(ctx, h.config.Observer, &p.record, *p.call)
	}
	notify.Received(ctx, h.config.Observer, &p.record)
}
