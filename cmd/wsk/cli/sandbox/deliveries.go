package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
)

// deliveryStates are the values of --state.
func deliveryStates() (names []string) {
	for _, state := range sandbox.States() {
		names = append(names, string(state))
	}
	return names
}

func newDeliveries(env *command.Env) *cobra.Command {
	var flags askFlags
	var state, event string
	var limit int
	cmd := &cobra.Command{
		Use:   "deliveries [ID]",
		Short: "List what was delivered or is to be, the newest first, or show one",
		Example: `  wsk sandbox deliveries --state dead
  wsk sandbox deliveries whk_4k2j7q9x1m5n8b3v
  wsk sandbox deliveries --event work_order.created --json`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "list those in `STATE`: "+ui.Or(deliveryStates()))
	f.StringVar(&event, "event", "", "list those of the event `TYPE`")
	f.IntVar(&limit, "limit", 100, "list `N` at the most")
	command.CompleteFlag(cmd, "state", deliveryStates()...)
	flags.add(cmd, env, func(ctx context.Context, s *asker, args []string) error {
		query := url.Values{"state": {state}, "event": {event}, "limit": {strconv.Itoa(limit)}}
		var found []sandbox.Delivery
		return s.list(ctx, "delivery", "deliveries", query, args, &found, func() error { return s.delivery(found[0]) }, func() error { return s.deliveries(found) })
	}, "ndjson")
	return cmd
}

// paintState gives a delivery's state its colour.
func (s *asker) paintState(state sandbox.State) func(string) string {
	switch state {
	case sandbox.Delivered:
		return s.p.Good
	case sandbox.Dead:
		return s.p.Bad
	}
	return s.p.Warn
}

func (s *asker) deliveries(list []sandbox.Delivery) error {
	t := ui.Table{Width: s.env.Columns}
	for _, d := range list {
		said := answered(d.Status, d.Error)
		if d.Due != nil && d.Attempts > 0 {
			said += ", again " + d.Due.Local().Format(time.TimeOnly)
		}
		t.Row(ui.Cell{Text: d.Created.Local().Format(time.TimeOnly), Paint: s.p.Quiet}, ui.Cell{Text: string(d.State), Paint: s.paintState(d.State)},
			ui.Cell{Text: d.Event}, ui.Cell{Text: d.ID, Paint: s.p.Quiet}, ui.Cell{Text: strconv.Itoa(d.Attempts)}, ui.Cell{Text: said})
	}
	if len(list) == 0 {
		fmt.Fprintln(s.env.Err, "no delivery")
	}
	return t.Write(s.env.Out)
}

// answered is what came of an attempt: a status, or why there is none.
func answered(status int, fault string) string {
	if status == 0 {
		return fault
	}
	return ui.StatusText(status)
}

// delivery shows one with its attempts and its body.
func (s *asker) delivery(d sandbox.Delivery) error {
	t, row := s.sheet()
	row("id", d.ID)
	row("event", d.Event+", "+string(d.Form))
	row("to", d.URL)
	t.Row(ui.Cell{Text: "state", Paint: s.p.Quiet}, ui.Cell{Text: string(d.State), Paint: s.paintState(d.State)})
	for _, a := range d.Tries {
		took := ui.Duration(time.Duration(a.Took * float64(time.Millisecond)))
		row("attempt "+strconv.Itoa(a.N+1), a.Time.Local().Format(time.DateTime)+"  "+answered(a.Status, a.Error)+", "+took)
	}
	if d.Due != nil {
		row("due", d.Due.Local().Format(time.DateTime))
	}
	if err := t.Write(s.env.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.env.Out, ui.CleanLines(d.Body))
	return err
}

func newResend(env *command.Env) *cobra.Command {
	var flags askFlags
	var state string
	cmd := &cobra.Command{
		Use:   "resend ID… | --state dead",
		Short: "Deliver again, under the same id, whatever became of it",
		Example: `  wsk sandbox resend whk_4k2j7q9x1m5n8b3v
  wsk sandbox resend --state dead`,
		Args: cobra.ArbitraryArgs,
	}
	cmd.Flags().StringVar(&state, "state", "", "all that are in `STATE`: "+ui.Or(deliveryStates()))
	command.CompleteFlag(cmd, "state", deliveryStates()...)
	flags.add(cmd, env, func(ctx context.Context, s *asker, args []string) error {
		if (len(args) == 0) == (state == "") {
			return errors.New("say which: wsk sandbox resend ID, or --state dead")
		}
		var answer sandbox.ResendResult
		raw, err := s.post(ctx, "deliveries/resend", sandbox.ResendRequest{IDs: args, State: sandbox.State(state)}, &answer)
		return s.told(raw, err, func() string { return "sent again: " + strconv.Itoa(answer.Resent) })
	})
	return cmd
}
