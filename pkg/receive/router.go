package receive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strconv"
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Router calls the handler of each event, by its type or by a pattern. Its Receive is
// an [App]. The zero Router has no handler, and answers every event with 200.
//
//	var router receive.Router
//	receive.On(&router, func(ctx context.Context, e *workskedge.WorkOrderCreated) error {
//		return orders.Create(ctx, e.Data)
//	})
//	router.Handle("timesheet.*", func(ctx context.Context, e *webhook.Event) error {
//		return timesheets.Refresh(ctx, e.Data())
//	})
//	handler, err := receive.New(receive.Config{Secrets: secrets, App: router.Receive})
//
// An error of a handler is answered with 503, so that the platform tries again, unless
// it is [Permanent]. An event that has no handler is answered with 200 and counted, see
// [Router.Unhandled]: a platform adds events.
//
// Register the handlers before the first request.
type Router struct {
	typed    map[webhook.Definition]handler
	patterns []patternHandler

	mu        sync.Mutex
	unhandled map[string]int
}

type handler func(context.Context, *webhook.Event) error

type patternHandler struct {
	pattern string
	handle  handler
}

// On handles the events of a generated type, which packages of pkg/events have. E has
// a method that says which event of the catalog it is. A payload that does not fit the
// type is answered with 503 as well: the next version may read it. On panics if the
// type has a handler already.
func On[E interface{ Definition() webhook.Definition }](r *Router, handle func(context.Context, *E) error) {
	var zero E
	d := zero.Definition()
	if handle == nil {
		panic("receive: no handler for " + d.Type)
	}
	key := webhook.Definition{Platform: d.Platform, Form: d.Form, Type: d.Type}
	if r.typed == nil {
		r.typed = map[webhook.Definition]handler{}
	}
	if r.typed[key] != nil {
		panic(fmt.Sprintf("receive: %s in the form %s has two handlers", d.Type, d.Form))
	}
	r.typed[key] = func(ctx context.Context, e *webhook.Event) error {
		event := new(E)
		if err := json.Unmarshal(e.Raw, event); err != nil {
			return fmt.Errorf("decoding %s: %w", e.Type, err)
		}
		return handle(ctx, event)
	}
}

// Handle handles the events whose type matches a pattern, as [path.Match] reads it:
// work_order.created, work_order.* or *. Of several that match, the one that was
// registered first is called, and a handler of [On] before them all. Handle panics if
// the pattern is malformed.
func (r *Router) Handle(pattern string, handle func(context.Context, *webhook.Event) error) {
	if _, err := path.Match(pattern, ""); err != nil {
		panic("receive: the pattern " + strconv.Quote(pattern) + " is malformed")
	}
	if handle == nil {
		panic("receive: no handler for " + pattern)
	}
	r.patterns = append(r.patterns, patternHandler{pattern, handle})
}

// Receive is an [App] that calls the handler of an event.
func (r *Router) Receive(ctx context.Context, e *webhook.Event, record *webhook.Record) webhook.Response {
	handle := r.find(e)
	if handle == nil {
		r.count(e.Type)
		return OK()
	}
	err := handle(ctx, e)
	var permanent *permanentError
	switch {
	case err == nil:
		return OK()
	case errors.As(err, &permanent):
		record.Error = err.Error()
		return Status(http.StatusUnprocessableEntity)
	}
	record.Error = err.Error()
	return Status(http.StatusServiceUnavailable)
}

func (r *Router) find(e *webhook.Event) handler {
	if handle := r.typed[webhook.Definition{Platform: e.Platform, Form: e.Form, Type: e.Type}]; handle != nil {
		return handle
	}
	for _, p := range r.patterns {
		if ok, _ := path.Match(p.pattern, e.Type); ok { // Handle has checked the pattern
			return p.handle
		}
	}
	return nil
}

// maxUnhandled is how many types of events are counted apart. Those after them are
// counted together, as "".
const maxUnhandled = 1000

func (r *Router) count(eventType string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unhandled == nil {
		r.unhandled = map[string]int{}
	}
	if _, known := r.unhandled[eventType]; !known && len(r.unhandled) >= maxUnhandled {
		eventType = ""
	}
	r.unhandled[eventType]++
}

// Unhandled returns how many events came that have no handler, by their types.
func (r *Router) Unhandled() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.unhandled)
}

// Permanent returns an error for an event that no further try will handle, such as one
// about a record that was deleted. A [Router] answers it with 422, which is final for
// WorkSkedge and Worksome. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }

func (e *permanentError) Unwrap() error { return e.err }
