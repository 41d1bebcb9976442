// Package events implements wsk events: it lists the catalog, and shows an event's
// fields, sample and JSON Schema.
package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	platform string
	form     string
	catalog  *webhook.Catalog
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	return command.NewGroup(&cobra.Command{
		Use:   "events",
		Short: "List the event catalog, show an event's fields, sample and schema",
		Long: `List the events that the platforms document, show an event's fields, or print
its sample or its JSON Schema.`,
	},
		subcommand(env, &cobra.Command{
			Use:   "list [TEXT]",
			Short: "List the events, or those whose name or description contains TEXT",
			Example: `  wsk events list
  wsk events list timesheet --form outbound
  wsk events list --platform worksome --json`,
			Args: command.MaxArgs(1),
		}, listEvents),
		subcommand(env, &cobra.Command{
			Use:     "show EVENT",
			Short:   "Show an event's fields: path, type, values, meaning",
			Example: "  wsk events show work_order.created\n  wsk events show work_order.created --form outbound",
			Args:    command.ExactArgs(1, "EVENT"),
		}, showEvent),
		subcommand(env, &cobra.Command{
			Use:     "example EVENT",
			Short:   "Print an event's sample payload",
			Example: "  wsk events example work_order.created > order.json",
			Args:    command.ExactArgs(1, "EVENT"),
		}, exampleEvent),
		subcommand(env, &cobra.Command{
			Use:     "schema EVENT",
			Short:   "Print an event's JSON Schema, complete in one file",
			Example: "  wsk events schema work_order.created > work_order.created.schema.json",
			Args:    command.ExactArgs(1, "EVENT"),
		}, schemaEvent),
	)
}

// subcommand gives a command its flags and its function.
func subcommand(env *command.Env, cmd *cobra.Command, run func(*command.Env, *options, []string) error) *cobra.Command {
	o := &options{settings: command.NewSettings(cmd)}
	o.settings.Schemas()
	cmd.Flags().StringVar(&o.platform, "platform", "", "only events of platform `NAME`: workskedge, workmarket or worksome")
	cmd.Flags().StringVar(&o.form, "form", "", "only events of form `NAME`: "+ui.Or(command.FormNames()))
	command.CompleteFlag(cmd, "platform", command.PlatformNames()...)
	command.CompleteFlag(cmd, "form", command.FormNames()...)
	o.output.Add(cmd, "text", "json")
	cmd.ValidArgsFunction = o.settings.CompleteEvents(env, "", "")
	cmd.RunE = o.settings.RunE(env, &o.output, func(_ context.Context, cfg *config.Config, args []string) error {
		var err error
		if o.catalog, err = o.settings.Catalog(env, cfg); err != nil {
			return err
		}
		return run(env, o, args)
	})
	return cmd
}

// find returns the event of that name, and those of the same name in other forms. The
// first is the one that wsk send sends, if it is among them.
func (o *options) find(name string) (webhook.Definition, []webhook.Definition, error) {
	p, f, err := command.ScopeOf(o.platform, o.form)
	if err != nil {
		return webhook.Definition{}, nil, err
	}
	var forms []webhook.Form
	for _, form := range o.catalog.Forms() {
		if (f == "" || form == f) && len(o.catalog.Events(p, form)) > 0 {
			forms = append(forms, form)
		}
	}
	first, err := payload.Find(o.catalog, name, nil, forms...)
	if err != nil {
		return first, nil, err
	}
	var others []webhook.Definition
	for _, form := range forms {
		if d, err := o.catalog.Lookup(p, form, name); err == nil && d != first {
			others = append(others, d)
		}
	}
	return first, others, nil
}

// sayOthers prints on stderr how to get the event in other forms.
func sayOthers(env *command.Env, verb string, d webhook.Definition, others []webhook.Definition) {
	for i, other := range others {
		if i == 0 {
			fmt.Fprintf(env.Err, "wsk: %s in the form %s\n", d.Type, d.Form)
		}
		fmt.Fprintf(env.Err, "also: wsk events %s %s --form %s\n", verb, other.Type, other.Form)
	}
}

// listedEvent is the JSON of one event of the list.
type listedEvent struct {
	Platform    webhook.Platform `json:"platform"`
	Form        webhook.Form     `json:"form"`
	Event       string           `json:"event"`
	Description string           `json:"description"`
	Sample      bool             `json:"sample"` // the documents show a payload
}

func listEvents(env *command.Env, o *options, args []string) error {
	platform, form, err := command.ScopeOf(o.platform, o.form)
	if err != nil {
		return err
	}
	events := []listedEvent{}
	for _, d := range o.catalog.Events(platform, form) {
		e := listedEvent{d.Platform, d.Form, d.Type, d.Description(), d.Sample() != nil}
		text := strings.ToLower(e.Event + " " + e.Description)
		if len(args) == 0 || strings.Contains(text, strings.ToLower(args[0])) {
			events = append(events, e)
		}
	}
	if !o.output.Text() {
		return command.WriteList(env.Out, o.output.Format, "events", events)
	}
	if len(events) == 0 {
		return command.No(errors.New("the catalog has no such event"))
	}
	p := o.output.Palette
	t := ui.Table{Width: env.Columns}
	for _, e := range events {
		t.Row(ui.Cell{Text: e.Event, Paint: p.Name}, ui.Cell{Text: string(e.Platform)}, ui.Cell{Text: string(e.Form)}, ui.Cell{Text: e.Description, Paint: p.Quiet})
	}
	return t.Write(env.Out)
}

// shownEvent is the JSON of one event with its fields.
type shownEvent struct {
	listedEvent
	Fields []webhook.Property `json:"fields"`
}

func showEvent(env *command.Env, o *options, args []string) error {
	d, others, err := o.find(args[0])
	if err != nil {
		return err
	}
	if !o.output.Text() {
		return command.WriteJSON(env.Out, shownEvent{listedEvent{d.Platform, d.Form, d.Type, d.Description(), d.Sample() != nil}, d.Properties()})
	}
	p := o.output.Palette
	fmt.Fprintf(env.Out, "%s  %s\n%s\n\n", p.Name(d.Type), p.Quiet(string(d.Platform)+", "+string(d.Form)), ui.Wrap(d.Description(), "", env.Columns))
	t := ui.Table{Width: env.Columns, Wrap: true}
	properties := d.Properties()
	for i := range properties {
		f := &properties[i]
		required := ui.Cell{Text: ""}
		if f.Required {
			required = ui.Cell{Text: "required", Paint: p.Warn}
		}
		t.Row(ui.Cell{Text: f.Path, Paint: p.Name}, ui.Cell{Text: typeWords(f)}, required, ui.Cell{Text: meaning(f), Paint: p.Quiet})
	}
	if err := t.Write(env.Out); err != nil {
		return err
	}
	if d.Sample() == nil {
		fmt.Fprintln(env.Out, "\nThe platform documents this event without a payload.")
	}
	sayOthers(env, "show", d, others)
	return nil
}

func typeWords(f *webhook.Property) string {
	words := strings.Join(f.Types, "|")
	if f.Format != "" {
		words = f.Format
	}
	if words == "" {
		return "any"
	}
	return words
}

func meaning(f *webhook.Property) string {
	var parts []string
	switch {
	case f.AliasOf != "":
		parts = append(parts, "alias of "+f.AliasOf)
	case f.Closed && len(f.Values) == 1:
		parts = append(parts, "always "+f.Values[0])
	case f.Closed && len(f.Values) > 0:
		parts = append(parts, "one of "+strings.Join(f.Values, ", "))
	case len(f.Values) > 0:
		parts = append(parts, "such as "+strings.Join(f.Values, ", "))
	}
	if f.Description != "" {
		parts = append(parts, f.Description)
	}
	return strings.Join(parts, ". ")
}

func exampleEvent(env *command.Env, o *options, args []string) error {
	d, others, err := o.find(args[0])
	if err != nil {
		return err
	}
	for i, other := range others {
		if d.Sample() == nil && other.Sample() != nil {
			d, others[i] = other, d
		}
	}
	sample := d.Sample()
	if sample == nil {
		return command.No(fmt.Errorf("the platform documents %s without a payload", d.Type))
	}
	others = slices.DeleteFunc(others, func(d webhook.Definition) bool { return d.Sample() == nil })
	var out bytes.Buffer
	if o.output.Text() {
		err = json.Indent(&out, sample, "", "  ")
	} else {
		out.Write(sample)
	}
	if err == nil {
		_, err = fmt.Fprintln(env.Out, out.String())
	}
	sayOthers(env, "example", d, others)
	return err
}

func schemaEvent(env *command.Env, o *options, args []string) error {
	d, others, err := o.find(args[0])
	if err != nil {
		return err
	}
	_, err = env.Out.Write(d.Bundle())
	sayOthers(env, "schema", d, others)
	return err
}
