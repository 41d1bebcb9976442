// Package workorders keeps a dispatch board and WorkSkedge in step: it creates work
// orders there, and writes to the board how they go on. Its test needs no account.
package workorders

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Board is the dispatch board.
type Board interface {
	SetStatus(ctx context.Context, number string, status workskedge.WorkOrderStatus) error
}

// NewReceiver returns the handler of WorkSkedge's webhooks.
func NewReceiver(board Board, secret webhook.Secret) (http.Handler, error) {
	var router receive.Router
	receive.On(&router, func(ctx context.Context, e *workskedge.WorkOrderCreated) error {
		return board.SetStatus(ctx, e.Data.WorkOrderNumber.Value(), e.Data.Status.Value())
	})
	receive.On(&router, func(ctx context.Context, e *workskedge.WorkOrderStatusChanged) error {
		return board.SetStatus(ctx, e.Data.WorkOrderNumber.Value(), e.Data.NewStatus.Value())
	})
	return receive.New(receive.Config{Secrets: []webhook.Secret{secret}, App: router.Receive})
}

// Platform is WorkSkedge's inbound endpoint.
type Platform struct {
	URL    string
	Key    string
	Secret webhook.Secret
	Client deliver.Client
}

// Create creates a work order.
func (p Platform) Create(ctx context.Context, order workskedge.InboundWorkOrderCreatedData) error {
	raw, err := json.Marshal(workskedge.InboundWorkOrderCreated{
		EventType: "work_order.created", Timestamp: events.TimestampOf(time.Now()), Source: "dispatch_board", Data: order,
	})
	if err != nil {
		return err
	}
	event, err := webhook.ParseEvent(raw)
	if err != nil {
		return err
	}
	_, err = p.Client.Send(ctx, deliver.Delivery{
		URL: p.URL, Event: event, Header: deliver.Inbound(p.Key, "custom"), Secret: p.Secret,
	}, deliver.Policy{Retries: 3}, nil)
	return err
}
