package notify_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/notify"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/webhook"
)

// all calls every function once with a record, and Received for both outcomes.
func all(ctx context.Context, o observe.Observer, r, refused *webhook.Record) {
	notify.Received(ctx, o, r)
	notify.Received(ctx, o, refused)
	notify.Handled(ctx, o, r, observe.Call{})
	notify.Sent(ctx, o, r)
	notify.Retried(ctx, o, r, time.Second)
}

func records() (accepted, refused *webhook.Record) {
	return &webhook.Record{
			Platform: webhook.WorkSkedge, Form: webhook.Outbound, Event: "work_order.created",
			Verdict: &webhook.Verdict{Outcome: webhook.Accepted}, Response: &webhook.Response{Status: 200},
		},
		&webhook.Record{Verdict: &webhook.Verdict{Outcome: webhook.Refused, Reason: "method"}}
}

func TestEvent_is_one_of_the_catalog(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		platform webhook.Platform
		form     webhook.Form
		event    string
		want     string
	}{
		{webhook.WorkSkedge, webhook.Outbound, "work_order.created", "work_order.created"},
		{webhook.Worksome, webhook.WorksomeForm, "hireUpdated", "hireUpdated"},
		{webhook.WorkSkedge, webhook.Outbound, "hireUpdated", observe.Other},
		{webhook.WorkSkedge, webhook.Outbound, "work_order.created2", observe.Other},
		{"", "", "work_order.created", observe.Other},
		{webhook.WorkMarket, webhook.Template, "", ""},
	} {
		r, _ := records()
		r.Platform, r.Form, r.Event = test.platform, test.form, test.event
		var o webhooktest.Observer
		all(t.Context(), &o, r, r)
		for _, value := range o.Values() {
			var got string
			switch v := value.(type) {
			case observe.Receipt:
				got = v.Event
			case observe.Call:
				got = v.Event
			case observe.Attempt:
				got = v.Event
			case observe.Retry:
				got = v.Event
			}
			if got != test.want {
				t.Errorf("the event of %s %s %s is %q in %T, want %q", test.platform, test.form, test.event, got, value, test.want)
			}
		}
	}
}

// A record that somebody else has already, such as a store that writes it later, does
// not change under it.
func TestPanic_becomes_a_warning(t *testing.T) {
	t.Parallel()
	r, refused := records()
	r.Verdict.Warnings = slices.Grow([]string{"slow"}, 10)
	before, kept := r.Verdict, *r.Verdict
	all(t.Context(), &webhooktest.Observer{Then: func(value any) { panic(fmt.Sprintf("no room for %T", value)) }}, r, refused)
	want := []string{
		"slow", "the observer panicked: no room for observe.Receipt", "the observer panicked: no room for observe.Call",
		"the observer panicked: no room for observe.Attempt", "the observer panicked: no room for observe.Retry",
	}
	if got := r.Verdict.Warnings; !slices.Equal(got, want) {
		t.Errorf("the warnings are %q, want %q", got, want)
	}
	if got := refused.Verdict.Warnings; !slices.Equal(got, []string{"the observer panicked: no room for observe.Refusal"}) {
		t.Errorf("the warnings of a refusal are %q", got)
	}
	if len(before.Warnings) != 1 || before.Warnings[:2][1] != "" || before.Outcome != kept.Outcome {
		t.Errorf("the verdict that the record had is now %+v", before)
	}
}

// A typed nil is an Observer that panics, as calling it would.
func TestPanic_of_a_typed_nil(t *testing.T) {
	t.Parallel()
	r, refused := records()
	var o *webhooktest.Observer
	all(t.Context(), o, r, refused)
	if len(r.Verdict.Warnings) != 4 || len(refused.Verdict.Warnings) != 1 {
		t.Errorf("the warnings are %q and %q", r.Verdict.Warnings, refused.Verdict.Warnings)
	}
}

func TestAllocations(t *testing.T) {
	r, refused := records()
	for name, o := range map[string]observe.Observer{"nil": nil, "Nop": observe.Nop{}} {
		if n := testing.AllocsPerRun(100, func() { all(context.Background(), o, r, refused) }); n != 0 {
			t.Errorf("%s: %g allocations for five calls, want none", name, n)
		}
	}
}

func BenchmarkReceived(b *testing.B) {
	r, _ := records()
	for name, o := range map[string]observe.Observer{"nil": nil, "Nop": observe.Nop{}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				notify.Received(b.Context(), o, r)
			}
		})
	}
}
