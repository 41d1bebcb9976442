package lint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says how to lint. The zero value lints by the catalog.
type Config struct {
	Platform webhook.Platform           // overrules what the payload shows
	Form     webhook.Form               // overrules what the payload shows
	Strict   bool                       // warnings count as errors
	Rules    map[string]report.Severity // by ID; overrule the default and Strict
	Excerpts bool                       // findings carry their line's text
	Catalog  *webhook.Catalog           // the events to lint by; default: the built-in ones
}

// Linter compiles each event's schema when it first meets the event. It is
// safe for concurrent use.
type Linter struct {
	config     Config
	severities map[string]report.Severity

	mu      sync.RWMutex
	events  map[eventKey]*event
	unknown int // how many of them are no events
}

type eventKey struct {
	kind
	name string
}

// event is what is known of one event.
type event struct {
	definition webhook.Definition
	schema     *schema.Schema
	unknown    string // why it is no event, if it is none
	fault      error  // its schema, of one's own, does not compile
	bare       bool   // the documents show no payload
	dates      []dates
	hours      bool
	lines      bool
}

// New returns a linter. The error names the platform, form, rule or severity
// in c that does not exist; the zero Config has none.
func New(c Config) (*Linter, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Catalog == nil {
		c.Catalog = webhook.DefaultCatalog()
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

func (c Config) check() error {
	if c.Platform != "" && !slices.Contains(webhook.Platforms(), c.Platform) {
		return fmt.Errorf("linting: unknown platform %q", c.Platform)
	}
	if c.Form != "" && !slices.Contains(webhook.Forms(), c.Form) {
		return fmt.Errorf("linting: unknown form %q", c.Form)
	}
	for id, severity := range c.Rules {
		if !slices.ContainsFunc(rules, func(r report.Rule) bool { return r.ID == id }) {
			return fmt.Errorf("linting: %w", webhook.Unknown("rule", id, ruleIDs()))
		}
		if _, err := severity.MarshalText(); err != nil {
			return fmt.Errorf("linting: rule %s: %w", id, err)
		}
	}
	return nil
}

// Names are the sender's: made-up ones are neither kept without end nor shown
// at any length.
const (
	maxUnknown = 256
	maxName    = 128
)

// event returns what is known of an event, from memory after the first time.
func (l *Linter) event(key eventKey) *event {
	l.mu.RLock()
	known := l.events[key]
	l.mu.RUnlock()
	if known != nil {
		return known
	}
	made := l.load(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch known = l.events[key]; {
	case known != nil:
		return known
	case made.unknown == "":
		l.events[key] = made
	case l.unknown < maxUnknown && len(key.name) <= maxName:
		l.events[key] = made
		l.unknown++
	}
	return made
}

func (l *Linter) load(key eventKey) *event {
	d := webhook.Definition{Platform: key.platform, Form: key.form, Type: shorten(key.name)}
	file := path.Join(string(key.platform), string(key.form), key.name+".json")
	found, err := l.config.Catalog.Lookup(d.Platform, d.Form, d.Type)
	if err != nil {
		return &event{definition: d, unknown: unknownMessage(d, err)}
	}
	e := &event{definition: found, bare: !found.IsCustom() && found.Sample() == nil}
	if e.schema, e.fault = schema.Compile(l.config.Catalog.ReadFile, file); e.fault != nil {
		e.schema = nil
		return e
	}
	if documented, err := webhook.Lookup(d.Platform, d.Form, d.Type); err == nil { // of a custom event nothing is known but its schema
		e.plan(documented.Properties())
	}
	return e
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

// Checker lints payloads one after another. Each goroutine has its own.
type Checker struct {
	linter *Linter
	engine *schema.Checker
	any    *schema.Schema
	known  map[eventKey]*event
	raw    []byte
	env    envelope
	lines  lineCounter
	result Result
}

// NewChecker returns a checker of the linter.
func (l *Linter) NewChecker() *Checker {
	return &Checker{linter: l, engine: schema.NewChecker(), any: schema.Any(), known: map[eventKey]*event{}}
}

// Result is what is said about one payload. Findings is good until the
// checker's next payload.
type Result struct {
	Platform webhook.Platform
	Form     webhook.Form
	Event    string
	Findings []report.Finding
}

// Errors counts the findings that are errors.
func (r Result) Errors() int { return report.Count(r.Findings).Errors }
