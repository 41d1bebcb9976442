package lint

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says how to lint. The zero value lints by the catalog.
type Config struct {
	Platform webhook.Platform    // overrules what the payload shows
	Form     webhook.Form        // overrules what the payload shows
	Strict   bool                // warnings count as errors
	Rules    map[string]Severity // by id; what stands here goes before Strict
	Excerpts bool                // findings carry their line's text
	Overlay  fs.FS               // schemas of one's own, <platform>/<form>/<event>.json: they go before the catalog's
}

// Linter compiles each event's schema when it first meets the event. It is
// safe for concurrent use.
type Linter struct {
	config     Config
	severities map[string]Severity

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

// New returns a linter.
func New(c Config) *Linter {
	l := &Linter{config: c, severities: map[string]Severity{}, events: map[eventKey]*event{}}
	for _, r := range Rules() {
		l.severities[r.ID] = r.Severity
		if c.Strict && r.Severity == Warning {
			l.severities[r.ID] = Error
		}
	}
	maps.Copy(l.severities, c.Rules)
	return l
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
	_, err := webhook.Lookup(d.Platform, d.Form, d.Type)
	own := l.hasOwn(key.name, file)
	if !own && err != nil {
		return &event{definition: d, unknown: unknownMessage(d, err)}
	}
	e := &event{definition: d, bare: !own && d.Sample() == nil}
	if e.schema, e.fault = schema.Compile(l.read, file); e.fault != nil {
		e.schema = nil
		return e
	}
	if err == nil { // of an event of one's own nothing is known but its schema
		e.plan(d.Properties())
	}
	return e
}

// hasOwn reports whether there is a schema of one's own for an event. The
// name comes from a payload, and may not lead to another folder.
func (l *Linter) hasOwn(name, file string) bool {
	if l.config.Overlay == nil || len(name) > maxName || !fs.ValidPath(file) || strings.ContainsAny(name, "/\\\x00") {
		return false
	}
	_, err := fs.Stat(l.config.Overlay, file)
	return !errors.Is(err, fs.ErrNotExist) // what is there and cannot be read is said when it is read
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

// read finds a schema file among one's own, then in the catalog.
func (l *Linter) read(name string) ([]byte, error) {
	if l.config.Overlay != nil && fs.ValidPath(name) {
		raw, err := fs.ReadFile(l.config.Overlay, name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return raw, err
		}
	}
	return fs.ReadFile(webhook.Schemas(), name)
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
	Findings []Finding
}

// Errors counts the findings that are errors.
func (r Result) Errors() int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}
