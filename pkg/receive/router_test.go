package receive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/events/worksome"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestRouterReceive(t *testing.T) {
	t.Parallel()
	var router receive.Router
	var calls []string
	called := func(text string, args ...any) error {
		calls = append(calls, fmt.Sprintf(text, args...))
		return nil
	}
	receive.On(&router, func(_ context.Context, e *workskedge.WorkOrderCreated) error {
		return called("typed %s of %s", e.Data.ID.Value(), e.CompanyID)
	})
	receive.On(&router, func(_ context.Context, e *workskedge.CompactVendorCreated) error {
		return called("compact %s", e.Data.VendorName.Value())
	})
	receive.On(&router, func(context.Context, *worksome.HireUpdated) error { return called("hire") })
	router.Handle("work_order.*", func(_ context.Context, e *webhook.Event) error { return called("pattern %s", e.Type) })
	router.Handle("work_order.updated", func(context.Context, *webhook.Event) error { return called("too late") })
	router.Handle("project.deleted", func(context.Context, *webhook.Event) error { return errors.New("the database is gone") })
	router.Handle("project.closed", func(context.Context, *webhook.Event) error {
		return fmt.Errorf("closing: %w", receive.Permanent(io.ErrUnexpectedEOF))
	})
	outbound := func(eventType, data string) string {
		return fmt.Sprintf(`{"event_id":"evt_1","event_type":%q,"timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":%s}`, eventType, data)
	}
	for _, tt := range []struct {
		body   string
		status int
		call   string
		why    string // in the record
	}{
		{outbound("work_order.created", `{"id":"wo_1"}`), 200, "typed wo_1 of co_1", ""},
		{outbound("work_order.updated", `{}`), 200, "pattern work_order.updated", ""},
		{`{"event":"vendor.created","data":{"vendor_name":"V"}}`, 200, "compact V", ""},
		{outbound("vendor.created", `{}`), 200, "", ""}, // another form, without a handler
		{`{"event":"hireUpdated","data":{}}`, 200, "hire", ""},
		{outbound("project.deleted", `{}`), 503, "", "the database is gone"},
		{outbound("project.closed", `{}`), 422, "", "closing: unexpected EOF"},
		{outbound("work_order.created", `{"id":7}`), 503, "", "decoding work_order.created: /data/id must be a string, is a number"},
		{`[]`, 200, "", ""},
	} {
		calls = nil
		event, _ := webhook.ParseEvent([]byte(tt.body))
		event.Raw = []byte(tt.body)
		record := &webhook.Record{Verdict: &webhook.Verdict{}}
		answer := router.Receive(t.Context(), &event, record)
		if got := strings.Join(calls, ", "); answer.Status != tt.status || got != tt.call || record.Error != tt.why {
			t.Errorf("%s\nis answered %d by %q with %q, want %d by %q with %q", tt.body, answer.Status, got, record.Error, tt.status, tt.call, tt.why)
		}
	}
	if got, want := router.Unhandled(), map[string]int{"vendor.created": 1, "": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("unhandled are %v, want %v", got, want)
	}
}

// A payload that does not fit the type has the typed error of pkg/events.
func TestOnReturnsTheMember(t *testing.T) {
	t.Parallel()
	var e workskedge.WorkOrderCreated
	var member *events.MemberError
	if err := events.Decode([]byte(`{"data":{"id":7}}`), &e); !errors.As(err, &member) || member.Pointer != "/data/id" {
		t.Errorf("the error is %v", err)
	}
}

func TestRouterPanics(t *testing.T) {
	t.Parallel()
	handle := func(context.Context, *workskedge.ProjectCreated) error { return nil }
	for name, register := range map[string]func(*receive.Router){
		"a type with two handlers": func(r *receive.Router) { receive.On(r, handle); receive.On(r, handle) },
		"a nil handler of a type":  func(r *receive.Router) { receive.On[workskedge.ProjectCreated](r, nil) },
		"a nil handler":            func(r *receive.Router) { r.Handle("*", nil) },
		"a malformed pattern": func(r *receive.Router) {
			r.Handle("[", func(context.Context, *webhook.Event) error { return nil })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			register(new(receive.Router))
		}()
	}
	if receive.Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
}

// A sender cannot fill the memory with names.
func TestRouterUnhandledIsBounded(t *testing.T) {
	t.Parallel()
	var router receive.Router
	for n := range 5000 {
		router.Receive(t.Context(), &webhook.Event{Type: fmt.Sprint("x.", n)}, &webhook.Record{Verdict: &webhook.Verdict{}})
	}
	counts := router.Unhandled()
	if len(counts) > 1001 || counts[""] != 4000 {
		t.Errorf("%d names are counted, and %d events together", len(counts), counts[""])
	}
}
