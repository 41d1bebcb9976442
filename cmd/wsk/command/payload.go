package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Payload say what an event's payload is made of.
type Payload struct {
	file      string
	set       []string
	setString []string
	unset     []string
	force     bool
}

func (p *Payload) Add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.file, "file", "f", "", "the payload: `FILE`, or - for stdin; a whole envelope, or the data object alone. Default: the catalog's sample")
	f.StringArrayVar(&p.set, "set", nil, "set `PATH=VALUE` in the payload, data.priority=urgent; VALUE is JSON where the schema takes it so, else text. Repeatable; lists take indexes: data.contacts.0.email")
	f.StringArrayVar(&p.setString, "set-string", nil, "like --set, with VALUE as text: `PATH=VALUE`")
	f.StringArrayVar(&p.unset, "unset", nil, "remove `PATH` from the payload")
	f.BoolVar(&p.force, "force", false, "let --set and --unset name paths that the event's schema does not know")
}

// Compose returns the payload of an event: the file's bytes when they are a
// whole envelope, untouched but for the edits that were asked for.
func (p *Payload) Compose(ctx context.Context, env *Env, d webhook.Definition, origin string) (webhook.Event, error) {
	given, err := p.Read(ctx, env, d)
	if err != nil {
		return webhook.Event{}, err
	}
	return p.Event(env, d, given, origin)
}

// Content is what a payload is made of, read once, and what it is called.
type Content struct {
	name   string
	raw    []byte
	sample bool // the catalog's, a whole envelope
}

// Read reads the file, or takes the catalog's sample.
func (p *Payload) Read(ctx context.Context, env *Env, d webhook.Definition) (Content, error) {
	if p.file != "" {
		raw, err := env.Read(ctx, p.file)
		if p.file == "-" {
			return Content{"stdin", raw, false}, err
		}
		return Content{p.file, raw, false}, err
	}
	sample := d.Sample()
	if sample == nil {
		return Content{}, fmt.Errorf("%s is known by name alone, without a sample: give its payload with -f FILE", d.Type)
	}
	return Content{"the sample of " + d.Type, sample, true}, nil
}

// Event makes the payload of one delivery.
func (p *Payload) Event(env *Env, d webhook.Definition, given Content, origin string) (webhook.Event, error) {
	raw, err := p.enclosed(env, d, given, origin)
	if err != nil {
		return webhook.Event{}, fmt.Errorf("reading %s: %w", given.name, err)
	}
	if raw, err = p.edit(d, raw); err != nil {
		return webhook.Event{}, err
	}
	event, err := webhook.ParseEvent(raw)
	if err != nil {
		return webhook.Event{}, fmt.Errorf("reading %s: %w", given.name, err)
	}
	return event, nil
}

// enclosed returns the envelope without the edits.
func (p *Payload) enclosed(env *Env, d webhook.Definition, given Content, origin string) ([]byte, error) {
	if d.Form == webhook.Inbound {
		raw := given.raw
		if given.sample {
			raw = []byte(gjson.GetBytes(raw, "data").Raw)
		}
		return WrapInbound(d, raw, origin, env.Now())
	}
	h := head{eventID: "evt_" + env.NewID(), stamp: rfc3339(env.Now())}
	if given.sample {
		return h.renew(d, given.raw)
	}
	return h.enclose(d, given.raw)
}

// edit carries out --set, --set-string and --unset, in that order, and leaves
// every other byte alone.
func (p *Payload) edit(d webhook.Definition, raw []byte) ([]byte, error) {
	for i, assignment := range slices.Concat(p.set, p.setString) {
		name, text, found := strings.Cut(assignment, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--set %q: write PATH=VALUE", assignment)
		}
		place, err := p.place(d, name)
		if err != nil {
			return nil, fmt.Errorf("--set %s: %w", assignment, err)
		}
		value := text
		if i >= len(p.set) || !takesJSON(place, text) {
			value = string(gjson.AppendJSONString(nil, text))
		}
		if raw, err = setPath(raw, name, value); err != nil {
			return nil, fmt.Errorf("--set %s: %w", assignment, err)
		}
	}
	for _, name := range p.unset {
		if _, err := p.place(d, name); err != nil {
			return nil, fmt.Errorf("--unset %s: %w", name, err)
		}
		path := editPath(raw, name)
		if !gjson.GetBytes(raw, path).Exists() {
			return nil, fmt.Errorf("--unset %s: the payload has no such member", name)
		}
		var err error
		if raw, err = sjson.DeleteBytes(raw, path); err != nil {
			return nil, fmt.Errorf("--unset %s: %w", name, err)
		}
	}
	return raw, nil
}

// place finds a path in the event's schema.
func (p *Payload) place(d webhook.Definition, name string) (webhook.Property, error) {
	if len(webhook.SplitPath(name)) == 0 {
		return webhook.Property{}, errors.New("the path is empty")
	}
	found, err := d.Property(name)
	if err == nil || p.force {
		return found, nil
	}
	return found, fmt.Errorf("%w (--force sets it all the same)", err)
}

// takesJSON reports whether text is JSON of a type that the schema takes at
// that place; a place without types takes any.
func takesJSON(p webhook.Property, text string) bool {
	if webhook.CheckJSON([]byte(text)) != nil {
		return false
	}
	if len(p.Types) == 0 {
		return true
	}
	v := gjson.Parse(text)
	var types []string
	switch {
	case v.IsObject():
		types = []string{"object"}
	case v.IsArray():
		types = []string{"array"}
	case v.IsBool():
		types = []string{"boolean"}
	case v.Type == gjson.Null:
		types = []string{"null"}
	case v.Type == gjson.String:
		types = []string{"string"}
	default:
		types = []string{"number", "integer"}
	}
	taken := slices.ContainsFunc(types, func(t string) bool { return slices.Contains(p.Types, t) })
	return taken || !slices.Contains(p.Types, "string") // a wrong type is lint's to report
}

func setPath(raw []byte, name, value string) ([]byte, error) {
	steps := webhook.SplitPath(name)
	at := gjson.ParseBytes(raw)
	for i, step := range steps {
		if at.IsArray() {
			n, err := strconv.Atoi(step)
			if size := len(at.Array()); err != nil || n < 0 || n > size {
				return nil, fmt.Errorf("%s is a list of %d: the index goes from 0 to %d, which adds one", strings.Join(steps[:i], "."), size, size)
			}
		} else if at.Exists() && !at.IsObject() {
			return nil, fmt.Errorf("%s is not an object and holds nothing", strings.Join(steps[:i], "."))
		}
		at = at.Get(gjson.Escape(step))
	}
	return sjson.SetRawBytes(raw, editPath(raw, name), []byte(value))
}

// editPath writes a path as sjson reads it. A number is an index only where a
// list stands; anywhere else it is a name, which sjson marks with a colon.
func editPath(raw []byte, name string) string {
	at := gjson.ParseBytes(raw)
	var words []string
	for _, step := range webhook.SplitPath(name) {
		word := gjson.Escape(step)
		if webhook.IsIndex(step) && at.IsObject() {
			word = ":" + word
		}
		words = append(words, word)
		at = at.Get(gjson.Escape(step))
	}
	return strings.Join(words, ".")
}
