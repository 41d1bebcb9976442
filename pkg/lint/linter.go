// Package lint checks payloads against the event catalog: bytes go in, findings
// with line, column and JSON Pointer come out.
//
//	func printFindings(w io.Writer, payload []byte) error {
//		linter, err := lint.New(lint.Config{}) // make it once: it compiles schemas
//		if err != nil {
//			return err
//		}
//		checker := linter.NewChecker() // one per goroutine
//		result := checker.Check(payload)
//		for _, f := range result.Findings {
//			fmt.Fprintln(w, f) // error: priority must be a string, is an object (type) at /data/priority
//		}
//		if n := result.Errors(); n > 0 {
//			return fmt.Errorf("%s has %d errors", result.Event, n)
//		}
//		return nil
//	}
//
// The envelope of a payload says which event it is. The schema of the event
// then checks the bytes in one pass, and after it come the rules that a schema
// cannot express, such as dates in the wrong order and totals that do not add
// up. [Rules] lists all of them. An error contradicts the platforms' documents,
// a warning deserves a look, and a note suggests a better form.
//
// A [Stream] lints NDJSON of any size in constant memory, and [Dir] the files of a
// folder. The program testdata/examples/cilint reports them to CI.
//
// This package is stable.
package lint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says how to lint. The zero value lints by the built-in catalog.
type Config struct {
	Platform webhook.Platform // of all payloads; default: what each envelope shows
	Form     webhook.Form     // of all payloads; default: what each envelope shows
	Strict   bool             // warnings become errors
	Excerpts bool             // findings have an Excerpt

	// Rules sets the severity of rules by ID, before Strict. Off turns a rule off.
	Rules map[string]report.Severity

	// Catalog has the events and their schemas; default: webhook.DefaultCatalog().
	Catalog *webhook.Catalog
}

func (c Config) check() error {
	if c.Platform != "" {
		if err := checkName("platform", c.Platform, c.Catalog.Platforms()); err != nil {
			return err
		}
	}
	if c.Form != "" {
		if err := checkName("form", c.Form, c.Catalog.Forms()); err != nil {
			return err
		}
	}
	for id, severity := range c.Rules {
		if err := checkName("rule", id, ruleIDs()); err != nil {
			return err
		}
		if _, err := severity.MarshalText(); err != nil {
			return fmt.Errorf("linting: rule %s: %w", id, err)
		}
	}
	return nil
}

func checkName[T ~string](kind string, name T, known []T) error {
	var names []string
	for _, k := range known {
		names = append(names, string(k))
	}
	if slices.Contains(known, name) {
		return nil
	}
	return fmt.Errorf("linting: %w", webhook.Unknown(kind, string(name), names))
}

// Linter compiles the schema of each event when it first meets the event. It is
// safe for concurrent use.
type Linter struct {
	config     Config
	severities map[string]report.Severity // of every rule

	mu      sync.RWMutex
	events  map[eventKey]*event
	unknown int // how many of events are not in the catalog
}

// eventKey is how a payload names its event.
type eventKey struct {
	scope
	name string
}

// event is an event as the linter knows it.
type event struct {
	definition   webhook.Definition
	schema       *schema.Schema // nil if unknown or fault is set
	unknown      string         // why it is not an event, if it is not
	fault        error          // why its custom schema does not compile
	undocumented bool           // the platform documents no payload

	dates        []dateGroup
	hasTimestamp bool // its envelope has one, though it is not required
	hasHours     bool // it has entries with hours
	isPartial    bool // it is an update, which may name a part of a list
	hasTotals    bool // it has amounts or counts that add up
}

// New returns a linter. The error for a platform, form, rule or severity that
// does not exist wraps an [*webhook.UnknownError].
func New(c Config) (*Linter, error) {
	if c.Catalog == nil {
		c.Catalog = webhook.DefaultCatalog()
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	l := &Linter{config: c, severities: map[string]report.Severity{}, events: map[eventKey]*event{}}
	for _, r := range rules {
		l.severities[r.ID] = r.Severity
		if c.Strict && r.Severity == report.Warning {
			l.severities[r.ID] = report.Error
		}
	}
	maps.Copy(l.severities, c.Rules)
	return l, nil
}

// Senders choose event names, so only a limited number of unknown names is
// kept, and they are kept and shown shortened.
const (
	maxUnknown = 256
	maxName    = 128 // bytes
)

// event returns an event, which is loaded the first time.
func (l *Linter) event(key eventKey) *event {
	l.mu.RLock()
	known := l.events[key]
	l.mu.RUnlock()
	if known != nil {
		return known
	}
	loaded := l.load(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch known = l.events[key]; {
	case known != nil:
		return known
	case loaded.unknown == "":
		l.events[key] = loaded
	case l.unknown < maxUnknown && len(key.name) <= maxName:
		l.events[key] = loaded
		l.unknown++
	}
	return loaded
}

func (l *Linter) load(key eventKey) *event {
	named := webhook.Definition{Platform: key.platform, Form: key.form, Type: shorten(key.name)}
	d, err := l.config.Catalog.Lookup(named.Platform, named.Form, named.Type)
	if err != nil {
		return &event{definition: named, unknown: l.unknownMessage(named, err)}
	}
	e := &event{definition: d, undocumented: !d.IsCustom() && d.Sample() == nil}
	file := path.Join(string(d.Platform), string(d.Form), d.Type+".json")
	if e.schema, e.fault = schema.Compile(l.config.Catalog.ReadFile, file); e.fault != nil {
		e.schema = nil
		return e
	}
	// The fields that must agree are those of the documented event. An event
	// that only a custom schema describes has no such fields.
	if documented, err := webhook.DefaultCatalog().Lookup(d.Platform, d.Form, d.Type); err == nil {
		e.plan(documented.Properties())
	}
	return e
}

// unknownMessage points to the form that has the event, also from work_order.*
// to workorder.* and back, or else to the nearest name.
func (l *Linter) unknownMessage(d webhook.Definition, unknown error) string {
	twin := strings.ReplaceAll(d.Type, "work_order.", "workorder.")
	if twin == d.Type {
		twin = strings.ReplaceAll(d.Type, "workorder.", "work_order.")
	}
	for _, name := range []string{d.Type, twin} {
		if other, err := l.config.Catalog.Lookup("", "", name); err == nil {
			return fmt.Sprintf("there is no %s event %s; %s exists in the form %s", d.Form, d.Type, other.Type, other.Form)
		}
	}
	return unknown.Error()
}

func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	cut := maxName
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}
