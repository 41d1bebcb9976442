package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Payload holds the flags that describe an event's payload.
type Payload struct {
	file      string
	set       []string
	setString []string
	unset     []string
	force     bool
}

// Add declares the flags.
func (p *Payload) Add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.file, "file", "f", "", "the payload: `FILE`, or - for stdin; a whole envelope, or the data object alone. Default: the catalog's sample")
	f.StringArrayVar(&p.set, "set", nil, "set `PATH=VALUE` in the payload, data.priority=urgent; VALUE is JSON where the schema accepts that, else text. Repeatable; lists take indexes: data.contacts.0.email")
	f.StringArrayVar(&p.setString, "set-string", nil, "like --set, with VALUE as text: `PATH=VALUE`")
	f.StringArrayVar(&p.unset, "unset", nil, "remove `PATH` from the payload")
	f.BoolVar(&p.force, "force", false, "let --set and --unset name paths that the event's schema does not know")
}

// Compose returns the payload of an event. A file that is a whole envelope keeps
// every byte that no edit changes.
func (p *Payload) Compose(ctx context.Context, env *Env, d webhook.Definition, origin string) (webhook.Event, error) {
	given, err := p.Read(ctx, env)
	if err == nil && given.IsZero() {
		given, err = p.Sample(env, d)
	}
	if err != nil {
		return webhook.Event{}, err
	}
	return p.Event(env, d, given, origin)
}

// Content is what a payload is made of, and its name for messages.
type Content struct {
	name   string
	raw    []byte
	sample bool // the catalog's
}

// IsZero reports whether there is no content.
func (c Content) IsZero() bool { return c.name == "" }

// Bytes returns the content of a file, and nil for the catalog's sample.
func (c Content) Bytes() []byte { return c.raw }

// Read reads the file. Without one the content is zero.
func (p *Payload) Read(ctx context.Context, env *Env) (Content, error) {
	if p.file != "" {
		raw, err := env.Read(ctx, p.file)
		if p.file == "-" {
			return Content{"stdin", raw, false}, err
		}
		return Content{p.file, raw, false}, err
	}
	return Content{}, nil
}

// Sample returns the catalog's sample of an event, in place of a file.
func (p *Payload) Sample(env *Env, d webhook.Definition) (Content, error) {
	if d.Sample() == nil {
		return Content{}, fmt.Errorf("%s is documented by name only, without a sample: give its payload with -f FILE", d.Type)
	}
	if err := env.CheckStdin("-f -", "the sample of "+d.Type); err != nil {
		return Content{}, err
	}
	fmt.Fprintf(env.Err, "wsk: the payload is the catalog's sample of %s; -f FILE gives another\n", d.Type)
	return Content{name: "the sample of " + d.Type, sample: true}, nil
}

// Event makes the payload of one delivery.
func (p *Payload) Event(env *Env, d webhook.Definition, given Content, origin string) (webhook.Event, error) {
	raw, err := p.envelope(env, d, given, origin)
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

// envelope returns the payload without the edits.
func (p *Payload) envelope(env *Env, d webhook.Definition, given Content, origin string) ([]byte, error) {
	head := payload.Head{Time: env.Now(), Source: origin}
	if d.Form != webhook.Inbound {
		head.ID = "evt_" + env.NewID()
	}
	if given.sample {
		return payload.Sample(d, head)
	}
	raw, err := payload.Wrap(d, given.raw, head)
	if e, unread := webhook.ParseEvent(given.raw); err != nil && unread == nil && e.Form != d.Form && d.Sample() != nil {
		err = fmt.Errorf("%w; wsk events example %s --form %s prints one", err, d.Type, d.Form)
	}
	return raw, err
}

// edit applies --set, --set-string and --unset, in that order, and leaves
// every other byte alone.
func (p *Payload) edit(d webhook.Definition, raw []byte) ([]byte, error) {
	for i, assignment := range slices.Concat(p.set, p.setString) {
		flag := "--set"
		if i >= len(p.set) {
			flag = "--set-string"
		}
		path, text, found := strings.Cut(assignment, "=")
		if !found || path == "" {
			return nil, fmt.Errorf("%s %q: write PATH=VALUE", flag, assignment)
		}
		property, err := p.property(d, path)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", flag, assignment, err)
		}
		value := payload.String(text)
		if i < len(p.set) {
			value = payload.Value(property, text)
		}
		if raw, err = payload.Set(raw, path, value); err != nil {
			return nil, fmt.Errorf("%s %s: %w", flag, assignment, err)
		}
	}
	for _, path := range p.unset {
		_, err := p.property(d, path)
		if err == nil {
			raw, err = payload.Delete(raw, path)
		}
		if err != nil {
			return nil, fmt.Errorf("--unset %s: %w", path, err)
		}
	}
	return raw, nil
}

// property finds a path in the event's schema. With --force a path that the
// schema does not know takes any value.
func (p *Payload) property(d webhook.Definition, path string) (webhook.Property, error) {
	found, err := d.Property(path)
	if err != nil && !p.force {
		return found, fmt.Errorf("%w (--force sets it anyway)", err)
	}
	return found, nil
}
