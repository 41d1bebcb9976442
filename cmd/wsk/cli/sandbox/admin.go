package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// adminFlags are the flags of every command that calls a running sandbox.
type adminFlags struct {
	settings *command.Settings
	output   command.Output
	port     uint16
}

func (f *adminFlags) add(cmd *cobra.Command, formats ...string) {
	f.settings = command.NewSettings(cmd)
	f.settings.String("url", "the sandbox at `URL` (default: $WSK_URL if it is on this machine, else port 4000)")
	cmd.Flags().Uint16Var(&f.port, "port", 0, "the sandbox at port `N` of this machine")
	command.Exclusive(cmd, "url", "port")
	f.output.Add(cmd, formats...)
}

// admin calls a running sandbox and prints the responses.
type admin struct {
	client

	env    *command.Env
	cfg    *config.Config
	p      ui.Palette
	format string
}

// runE returns the RunE of a subcommand. It calls run with what the flags select.
func (f *adminFlags) runE(env *command.Env, run func(ctx context.Context, a *admin, args []string) error) func(*cobra.Command, []string) error {
	return f.settings.RunE(env, &f.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		base, err := baseURL(cfg, f.port)
		if err != nil {
			return err
		}
		return run(ctx, &admin{client{base, env.Transport}, env, cfg, f.output.Palette, f.output.Format}, args)
	})
}

// printJSON prints a response unchanged; the sandbox escapes what a terminal
// would interpret.
func (a *admin) printJSON(response []byte) error {
	_, err := a.env.Out.Write(append(response, '\n'))
	return err
}

// printListJSON prints a response whose member is a list, in format json or ndjson.
func (a *admin) printListJSON(response []byte, member string) error {
	if a.format == "json" {
		return a.printJSON(response)
	}
	var lists map[string][]json.RawMessage
	if err := json.Unmarshal(response, &lists); err != nil {
		return err
	}
	for _, item := range lists[member] {
		if err := a.printJSON(item); err != nil {
			return err
		}
	}
	return nil
}

// printDone prints the response to a change, or a sentence about it.
func (a *admin) printDone(response []byte, sentence string) error {
	if a.format != "text" {
		return a.printJSON(response)
	}
	_, err := fmt.Fprintln(a.env.Out, a.p.Mark(true)+" "+ui.Clean(sentence))
	return err
}

func notFound(noun, id, list string) error {
	return command.No(fmt.Errorf("there is no %s %q; wsk sandbox %s lists them", noun, id, list))
}

func newStatus(env *command.Env) *cobra.Command {
	var flags adminFlags
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Count records and deliveries, and show the next attempt",
		Example: "  wsk sandbox status\n  wsk sandbox status --json | jq .deliveries",
		Args:    command.ExactArgs(0, ""),
	}
	flags.add(cmd, "text", "json")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, _ []string) error {
		var status sandbox.Status
		response, err := a.get(ctx, "status", nil, &status)
		switch {
		case err != nil:
			return err
		case a.format == "json":
			return a.printJSON(response)
		}
		return a.printStatus(status)
	})
	return cmd
}

func (a *admin) printStatus(status sandbox.Status) error {
	t := ui.Table{Width: a.env.Columns, Wrap: true}
	t.Field(a.p, "sandbox", a.base)
	for _, c := range status.Companies {
		t.Field(a.p, "company", c.ID+"  "+strings.Join(c.Keys, ", "))
	}
	t.Field(a.p, "records", command.FormatCounts(status.Records, "none", sandbox.Kinds()...))
	t.Field(a.p, "subscriptions", strconv.Itoa(status.Subscriptions))
	t.Field(a.p, "deliveries", formatDeliveries(status.Deliveries))
	if ahead, err := time.ParseDuration(status.Advanced); err == nil && ahead != 0 {
		t.Field(a.p, "clock", status.Clock.Local().Format(time.DateTime)+", "+ui.Duration(ahead)+" ahead")
	}
	if next := status.NextDue; next != nil {
		t.Field(a.p, "next attempt", next.Local().Format(time.DateTime)+", in "+ui.Duration(max(next.Sub(status.Clock), 0)))
	}
	return t.Write(a.env.Out)
}

func newRecords(env *command.Env) *cobra.Command {
	var flags adminFlags
	var kind, company string
	var limit int
	cmd := &cobra.Command{
		Use:   "records [ID]",
		Short: "List records, newest first, or show one",
		Example: `  wsk sandbox records --kind work_order
  wsk sandbox records wo_4k2j7q9x1m5n8b3v
  wsk sandbox records --json | jq '.records[].fields'`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "list only records of `KIND`, such as project, work_order or employee")
	f.StringVar(&company, "company", "", "list only records of the company `ID`")
	command.Limit(cmd, &limit)
	command.CompleteFlag(cmd, "kind", sandbox.Kinds()...)
	flags.add(cmd, "text", "json", "ndjson")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, args []string) error {
		if err := command.CheckLimit(limit); err != nil {
			return err
		}
		query := url.Values{"id": args, "kind": {kind}, "company": {company}, "limit": {strconv.Itoa(limit)}}
		var list sandbox.RecordList
		response, err := a.get(ctx, "records", query, &list)
		switch {
		case err != nil:
			return err
		case len(args) > 0 && len(list.Records) == 0:
			return notFound("record", args[0], "records")
		case a.format != "text":
			return a.printListJSON(response, "records")
		case len(args) > 0:
			return a.printRecord(list.Records[0])
		}
		a.sayLimit(len(list.Records), limit)
		return a.printRecords(list.Records)
	})
	return cmd
}

// sayLimit says that a list may go on.
func (a *admin) sayLimit(n, limit int) {
	if limit > 0 && n == limit {
		fmt.Fprintf(a.env.Err, "the newest %d; --limit 0 lists all\n", n)
	}
}

func (a *admin) printRecords(records []sandbox.Record) error {
	t := ui.Table{Width: a.env.Columns}
	for _, r := range records {
		t.Row(ui.Cell{Text: r.Updated.Local().Format(time.TimeOnly), Paint: a.p.Quiet}, ui.Cell{Text: r.Kind}, ui.Cell{Text: r.ID, Paint: a.p.Quiet}, ui.Cell{Text: label(r)})
	}
	if len(records) == 0 {
		fmt.Fprintln(a.env.Err, "no records")
	}
	return t.Write(a.env.Out)
}

// labelFields are the numbers, codes and dates by which people identify a record.
var labelFields = []string{"work_order_number", "project_code", "emp_number", "timesheet_date", "report_date", "start_date"}

// label describes a record: up to two of the labelFields, its name and its status.
func label(r sandbox.Record) string {
	var parts []string
	for _, name := range labelFields {
		if text, ok := r.Fields[name].(string); ok && len(parts) < 2 {
			parts = append(parts, text)
		}
	}
	parts = append(parts, r.Name)
	if status, ok := r.Fields["status"].(string); ok {
		parts = append(parts, "("+status+")")
	}
	return strings.Join(parts, "  ")
}

func (a *admin) printRecord(r sandbox.Record) error {
	var t ui.Table
	t.Field(a.p, "id", r.ID)
	t.Field(a.p, "kind", r.Kind)
	t.Field(a.p, "company", r.Company)
	t.Field(a.p, "created", r.Created.Local().Format(time.DateTime))
	t.Field(a.p, "updated", r.Updated.Local().Format(time.DateTime))
	fields, err := json.MarshalIndent(r.Fields, "", "  ")
	if err != nil {
		return err
	}
	if err := t.Write(a.env.Out); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.env.Out, ui.CleanLines(string(fields)))
	return err
}

func newDeliveries(env *command.Env) *cobra.Command {
	var flags adminFlags
	var state, event string
	var limit int
	var failed bool
	cmd := &cobra.Command{
		Use:   "deliveries [ID]",
		Short: "List deliveries, newest first, or show one with its attempts",
		Example: `  wsk sandbox deliveries --failed
  wsk sandbox deliveries whk_4k2j7q9x1m5n8b3v
  wsk sandbox deliveries --event work_order.created --json`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "list only deliveries in `STATE`: "+ui.Or(command.Names(sandbox.States())))
	failedFlag(cmd, &failed)
	f.StringVar(&event, "event", "", "list only deliveries of the event `TYPE`")
	command.Limit(cmd, &limit)
	command.CompleteFlag(cmd, "state", command.Names(sandbox.States())...)
	flags.add(cmd, "text", "json", "ndjson")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, args []string) error {
		if types := command.EventTypes(webhook.DefaultCatalog()); event != "" && !slices.Contains(types, event) {
			return fmt.Errorf("--event: %w", webhook.Unknown("event", event, types))
		}
		if err := command.CheckLimit(limit); err != nil {
			return err
		}
		if err := chooseState(&state, failed); err != nil {
			return err
		}
		query := url.Values{"id": args, "state": {state}, "event": {event}, "limit": {strconv.Itoa(limit)}}
		var list sandbox.DeliveryList
		response, err := a.get(ctx, "deliveries", query, &list)
		switch {
		case err != nil:
			return err
		case len(args) > 0 && len(list.Deliveries) == 0:
			return notFound("delivery", args[0], "deliveries")
		case a.format != "text":
			return a.printListJSON(response, "deliveries")
		case len(args) > 0:
			return a.printDelivery(list.Deliveries[0])
		}
		a.sayLimit(len(list.Deliveries), limit)
		return a.printDeliveries(list.Deliveries)
	})
	return cmd
}

// failedFlag declares --failed.
func failedFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "failed", false, "deliveries that were not answered with 2xx and are not attempted again; short for --state dead")
}

// chooseState sets the state that --failed is short for.
func chooseState(state *string, failed bool) error {
	if !failed {
		return nil
	}
	if *state != "" {
		return errors.New("--failed and --state contradict each other: --state dead is the same as --failed")
	}
	*state = string(sandbox.Dead)
	return nil
}

// stateCell is a delivery's state in its color.
func (a *admin) stateCell(state sandbox.State) ui.Cell {
	paint := a.p.Warn
	switch state {
	case sandbox.Delivered:
		paint = a.p.Good
	case sandbox.Dead:
		paint = a.p.Bad
	}
	return ui.Cell{Text: string(state), Paint: paint}
}

func (a *admin) printDeliveries(deliveries []sandbox.Delivery) error {
	t := ui.Table{Width: a.env.Columns}
	for _, d := range deliveries {
		outcome := attemptOutcome(d.Status, d.Error)
		if d.Due != nil && d.Attempts > 0 {
			outcome += ", again " + d.Due.Local().Format(time.TimeOnly)
		}
		t.Row(ui.Cell{Text: d.Created.Local().Format(time.TimeOnly), Paint: a.p.Quiet}, a.stateCell(d.State),
			ui.Cell{Text: d.Event}, ui.Cell{Text: d.ID, Paint: a.p.Quiet}, ui.Cell{Text: strconv.Itoa(d.Attempts)}, ui.Cell{Text: outcome})
	}
	if len(deliveries) == 0 {
		fmt.Fprintln(a.env.Err, "no deliveries")
	}
	return t.Write(a.env.Out)
}

// attemptOutcome is the status of an attempt, or why there is none.
func attemptOutcome(status int, fault string) string {
	if status == 0 {
		return fault
	}
	return ui.StatusText(status)
}

// printDelivery prints a delivery with its attempts and its body.
func (a *admin) printDelivery(d sandbox.Delivery) error {
	t := ui.Table{Width: a.env.Columns, Wrap: true}
	t.Field(a.p, "id", d.ID)
	t.Field(a.p, "event", d.Event+", "+string(d.Form))
	t.Field(a.p, "to", d.URL)
	t.Row(ui.Cell{Text: "state", Paint: a.p.Quiet}, a.stateCell(d.State))
	for _, attempt := range d.Tries {
		took := ui.Duration(time.Duration(attempt.Took * float64(time.Millisecond)))
		t.Field(a.p, "attempt "+strconv.Itoa(attempt.N+1), attempt.Time.Local().Format(time.DateTime)+"  "+attemptOutcome(attempt.Status, attempt.Error)+", "+took)
	}
	if d.Due != nil {
		t.Field(a.p, "due", d.Due.Local().Format(time.DateTime))
	}
	if err := t.Write(a.env.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.env.Out, ui.CleanLines(d.Body))
	return err
}

func newResend(env *command.Env) *cobra.Command {
	var flags adminFlags
	var state string
	var failed bool
	cmd := &cobra.Command{
		Use:   "resend ID… | --failed",
		Short: "Send deliveries again, under the same webhook ids",
		Long: `Send deliveries again, under the same webhook ids, and wait for the answers.
Exit code: 0 if each was answered with 2xx, else 1.`,
		Example: `  wsk sandbox resend whk_4k2j7q9x1m5n8b3v
  wsk sandbox resend --failed`,
		Args: cobra.ArbitraryArgs,
	}
	cmd.Flags().StringVar(&state, "state", "", "send all deliveries in `STATE`: "+ui.Or(command.Names(sandbox.States())))
	failedFlag(cmd, &failed)
	command.CompleteFlag(cmd, "state", command.Names(sandbox.States())...)
	flags.add(cmd, "text", "json")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, ids []string) error {
		if err := chooseState(&state, failed); err != nil {
			return err
		}
		if (len(ids) == 0) == (state == "") {
			return errors.New("give either delivery ids, or --failed or --state: wsk sandbox resend --failed")
		}
		var result sandbox.ResendResult
		response, err := a.post(ctx, "deliveries/resend", sandbox.ResendRequest{IDs: ids, State: sandbox.State(state)}, &result)
		if err != nil {
			return err
		}
		return a.printResent(response, result)
	})
	return cmd
}

// printResent prints what became of each delivery. One that was not answered with
// 2xx is not a success of the command either.
func (a *admin) printResent(response []byte, result sandbox.ResendResult) error {
	if a.format != "text" {
		if err := a.printJSON(response); err != nil {
			return err
		}
	}
	t := ui.Table{Width: a.env.Columns}
	for _, d := range result.Deliveries {
		mark, outcome := a.p.Mark(false), attemptOutcome(d.Status, d.Error)
		switch {
		case d.State == sandbox.Delivered:
			mark = a.p.Mark(true)
		case d.Attempts == 0 || d.State == sandbox.Sending:
			outcome = "not answered yet"
		case d.Due != nil:
			outcome += ", again " + d.Due.Local().Format(time.TimeOnly)
		}
		t.Row(ui.Cell{Text: mark + " " + d.Event}, ui.Cell{Text: d.ID, Paint: a.p.Quiet}, ui.Cell{Text: outcome})
	}
	if a.format == "text" {
		if err := t.Write(a.env.Out); err != nil {
			return err
		}
		switch more := result.Resent - len(result.Deliveries); {
		case result.Resent == 0:
			fmt.Fprintln(a.env.Err, "no deliveries")
		case more > 0:
			fmt.Fprintf(a.env.Err, "and %s more; wsk sandbox deliveries lists them\n", ui.Thousands(more))
		}
	}
	if failed := result.Resent - result.Delivered; failed > 0 {
		return command.No(fmt.Errorf("not answered with 2xx: %d of %d", failed, result.Resent))
	}
	return nil
}

func newAdvance(env *command.Env) *cobra.Command {
	var flags adminFlags
	cmd := &cobra.Command{
		Use:   "advance DURATION",
		Short: "Move the clock of retries and rate limits forward",
		Long: `Move the clock of retries and rate limits forward, and make the attempts that
fall due in that time, one after another: a delivery that fails is attempted
again when the schedule says so. Timestamps and signatures stay those of real
time, so that receivers accept them.`,
		Example: "  wsk sandbox advance 6h\n  wsk sandbox advance 1m --json",
		Args:    command.ExactArgs(1, "DURATION"),
	}
	flags.add(cmd, "text", "json")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, args []string) error {
		by, err := command.ReadDuration(args[0])
		if err != nil {
			return fmt.Errorf("%q is %w", args[0], err)
		}
		var result sandbox.AdvanceResult
		response, err := a.post(ctx, "advance", sandbox.AdvanceRequest{Duration: by.String()}, &result)
		if err != nil {
			return err
		}
		return a.printDone(response, fmt.Sprintf("the clock is at %s; %s, %d delivered, %d dead", result.Clock.Local().Format(time.DateTime), ui.Plural(result.Attempts, "attempt"), result.Delivered, result.Dead))
	})
	return cmd
}

func newReset(env *command.Env) *cobra.Command {
	var flags adminFlags
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Return to the initial state; API keys stay",
		Example: "  wsk sandbox reset",
		Args:    command.ExactArgs(0, ""),
	}
	flags.add(cmd, "text", "json")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, _ []string) error {
		var result struct{}
		response, err := a.post(ctx, "reset", struct{}{}, &result)
		if err != nil {
			return err
		}
		return a.printDone(response, "removed records, deliveries and added subscriptions; API keys are unchanged")
	})
	return cmd
}

func newPayroll(env *command.Env) *cobra.Command {
	var flags adminFlags
	var company string
	cmd := &cobra.Command{
		Use:   "payroll",
		Short: "Mark all locked timesheets as processed, as a payroll run does",
		Long: `Mark all locked timesheets as processed. Each one raises timesheet.processed,
and two or more also raise timesheets.processed.batch.`,
		Example: "  wsk sandbox payroll",
		Args:    command.ExactArgs(0, ""),
	}
	cmd.Flags().StringVar(&company, "company", "", "process the timesheets of the company `ID` (default: the first)")
	flags.add(cmd, "text", "json")
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, _ []string) error {
		var result sandbox.ProcessResult
		response, err := a.post(ctx, "timesheets/process", sandbox.ProcessRequest{Company: company}, &result)
		if err != nil {
			return err
		}
		return a.printDone(response, ui.Plural(result.Processed, "timesheet")+" processed")
	})
	return cmd
}

func newSubscribe(env *command.Env) *cobra.Command {
	var flags adminFlags
	var sub sandbox.Subscription
	var form, remove string
	cmd := &cobra.Command{
		Use:   "subscribe [URL]",
		Short: "Deliver events to a URL, or list the subscriptions",
		Long: `Deliver events from now on to URL. Without a URL, list the subscriptions.
Deliveries are signed with the secret of --secret, the environment or the
profile, or with the company's if there is none.`,
		Example: `  wsk sandbox subscribe http://127.0.0.1:3000
  wsk sandbox subscribe http://127.0.0.1:3000 --events project --form compact
  wsk sandbox subscribe http://127.0.0.1:3000 --api-key "$WSK_API_KEY"
  wsk sandbox subscribe
  wsk sandbox subscribe --remove sub_4k2j7q9x1m5n8b3v`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringArrayVar(&sub.Events, "events", nil, "deliver only events that match `GLOB`, such as 'work_order.*', or of a category, such as work_order or 'Work Order Events'; repeatable")
	f.StringVar(&form, "form", "", "the form of the envelope, a `NAME`: outbound or compact (default outbound, or the one that alone has the events)")
	f.StringVar(&sub.APIKey, "api-key", "", "the subscriber's own API `KEY`: changes made with it are not delivered")
	f.StringVar(&sub.Company, "company", "", "deliver the events of the company `ID` (default: the first)")
	f.StringVar(&remove, "remove", "", "remove the subscription `ID`")
	command.CompleteFlag(cmd, "form", string(webhook.Outbound), string(webhook.Compact))
	flags.add(cmd, "text", "json", "ndjson")
	flags.settings.Secret()
	cmd.RunE = flags.runE(env, func(ctx context.Context, a *admin, args []string) error {
		switch {
		case remove != "" && len(args) > 0:
			return fmt.Errorf("--remove and a URL contradict each other: %s", cmd.UseLine())
		case remove != "":
			return a.unsubscribe(ctx, remove)
		case len(args) == 0:
			return a.listSubscriptions(ctx)
		}
		secrets, _, err := flags.settings.Keys(env, a.cfg)
		if err != nil {
			return err
		}
		if len(secrets) > 0 {
			sub.Secret = secrets[0].Reveal() // the first signs
		}
		if sub.URL, err = command.ParseURL("", args[0]); err != nil {
			return err
		}
		sub.Form = webhook.Form(form)
		command.WarnPlainHTTP(env, sub.URL)
		var result sandbox.SubscribeResult
		response, err := a.post(ctx, "subscriptions", sub, &result)
		if err != nil {
			return err
		}
		return a.printDone(response, webhook.RedactURL(sub.URL)+" is subscribed as "+result.ID+", in the form "+string(result.Form))
	})
	return cmd
}

func (a *admin) unsubscribe(ctx context.Context, id string) error {
	var result struct {
		Removed string `json:"removed"`
	}
	response, err := a.do(ctx, http.MethodDelete, "subscriptions", url.Values{"id": {id}}, nil, &result)
	if err != nil {
		return err
	}
	return a.printDone(response, "removed subscription "+result.Removed)
}

func (a *admin) listSubscriptions(ctx context.Context) error {
	var list sandbox.SubscriptionList
	response, err := a.get(ctx, "subscriptions", nil, &list)
	switch {
	case err != nil:
		return err
	case a.format != "text":
		return a.printListJSON(response, "subscriptions")
	case len(list.Subscriptions) == 0:
		fmt.Fprintln(a.env.Err, "no subscriptions: add one with wsk sandbox subscribe URL")
	}
	t := ui.Table{Width: a.env.Columns}
	for _, sub := range list.Subscriptions {
		t.Row(ui.Cell{Text: sub.ID, Paint: a.p.Quiet}, ui.Cell{Text: string(sub.Form)}, ui.Cell{Text: ui.Or(sub.Events)}, ui.Cell{Text: sub.URL})
	}
	return t.Write(a.env.Out)
}
