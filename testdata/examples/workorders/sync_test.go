package workorders_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"

	"example.com/webhooks/workorders"

	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/sandbox/sandboxtest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// board is a dispatch board in memory that is down for some calls.
type board struct {
	mu     sync.Mutex
	down   int
	status map[string]workskedge.WorkOrderStatus
}

func (b *board) SetStatus(_ context.Context, number string, status workskedge.WorkOrderStatus) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down > 0 {
		b.down--
		return errors.New("the board is down")
	}
	b.status[number] = status
	return nil
}

// connected returns a board that WorkSkedge delivers to.
func connected(t *testing.T) (*sandboxtest.Box, *board) {
	t.Helper()
	b := &board{status: map[string]workskedge.WorkOrderStatus{}}
	box := sandboxtest.New(t)
	receiver, err := workorders.NewReceiver(b, box.Secret)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	if _, err := box.Subscribe(t.Context(), sandbox.Subscription{URL: server.URL, Events: []string{"work_order.*"}}); err != nil {
		t.Fatal(err)
	}
	return box, b
}

// expect checks the status of the only work order.
func (b *board) expect(t *testing.T, want workskedge.WorkOrderStatus) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for number, status := range b.status {
		if number == "" || status != want {
			t.Errorf("%q is %s on the board, want %s", number, status, want)
		}
	}
	if len(b.status) != 1 {
		t.Errorf("the board has %d work orders, want 1", len(b.status))
	}
}

func TestCreate(t *testing.T) {
	box, b := connected(t)
	box.Send(sandboxtest.Event("project.created", map[string]any{
		"project_name": "Harbor", "project_code": "P-1", "customer_name": "Acme", "location_name": "Pier 6",
	}))
	platform := workorders.Platform{URL: box.URL, Key: box.Key, Secret: box.Secret, Client: box.Client}
	if err := platform.Create(t.Context(), workskedge.InboundWorkOrderCreatedData{
		ProjectCode: "P-1", PhaseName: "Wiring", Status: events.Of(workskedge.WorkOrderStatusScheduled),
	}); err != nil {
		t.Fatal(err)
	}
	box.Wait(sandboxtest.Of("work_order.created", sandbox.Delivered))
	b.expect(t, workskedge.WorkOrderStatusScheduled)
	if err := platform.Create(t.Context(), workskedge.InboundWorkOrderCreatedData{ProjectCode: "P-2", PhaseName: "Wiring"}); err == nil {
		t.Error("a work order was created in a project that does not exist")
	}
}

func TestReceiver_while_the_board_is_down(t *testing.T) {
	changed := sandboxtest.Sample(webhook.Outbound, "work_order.status_changed")
	for name, tt := range map[string]struct {
		down int
		want sandbox.State
	}{
		"for two attempts": {2, sandbox.Delivered},
		"for all six":      {6, sandbox.Dead},
	} {
		t.Run(name, func(t *testing.T) {
			box, b := connected(t)
			b.down = tt.down
			box.Publish(changed)
			d := box.AdvanceUntil(sandboxtest.Of("work_order.status_changed", tt.want)) // in an instant, by its clock
			if d.Attempts != min(tt.down+1, 6) {
				t.Errorf("%d attempts", d.Attempts)
			}
			if tt.want == sandbox.Delivered {
				b.expect(t, workskedge.WorkOrderStatusCompleted)
			}
		})
	}
}
