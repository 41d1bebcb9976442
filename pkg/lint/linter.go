package lint

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"sync"

	"github.com/wskdev/wsk/pkg/schema"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says how to lint. The zero value lints by the catalog.
type Config struct {
	Platform webhook.Platform // overrules what the payload shows
	Form     webhook.Form     // overrules what the payload shows
	Strict   bool             // warnings count as errors
	Rules    map[string]Severity
	Excerpts bool  // findings carry their line's text
	Overlay  fs.FS // schemas of one's own, <platform>/<form>/<event>.json: they go before the catalog's
}

// Linter compiles each event's schema when it first meets the event. It is
// safe for concurrent use.
type Linter struct {
	config     Config
	severities map[string]Severity

	mu     sync.RWMutex
	events map[eventKey]*event
}

type eventKey struct {
	platform webhook.Platform
	form     webhook.Form
	name     string
}

// event is what is known of one event.
type event struct {
	definition webhook.Definition
	schema     *schema.Schema
	unknown    *webhook.UnknownError // the catalog has no such event
	fault      error                 // its schema, of one's own, does not compile
	bare       bool                  // the documents show no payload
	pairs      []pair
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
	if known = l.events[key]; known == nil {
		known = made
		if len(l.events) < maxEvents { // names are the sender's: made-up ones are not kept without end
			l.events[eventKey{key.platform, key.form, string([]byte(key.name))}] = made
		}
	}
	return known
}

const maxEvents = 4096

func (l *Linter) load(key eventKey) *event {
	file := path.Join(string(key.platform), string(key.form), key.name+".json")
	d := webhook.Definition{Platform: key.platform, Form: key.form, Type: key.name}
	own := l.config.Overlay != nil && fs.ValidPath(file) && exists(l.config.Overlay, file)
	if !own {
		found, err := webhook.Lookup(key.platform, key.form, key.name)
		if unknown := (*webhook.UnknownError)(nil); errors.As(err, &unknown) {
			return &event{unknown: unknown}
		}
		d = found
	}
	compiled, err := schema.Compile(l.read, file)
	if err != nil {
		return &event{definition: d, fault: err}
	}
	e := &event{definition: d, schema: compiled}
	if !own {
		e.bare = d.Sample() == nil
		e.plan(d.Properties())
	}
	return e
}

func exists(files fs.FS, name string) bool {
	_, err := fs.Stat(files, name)
	return err == nil
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
	raw    []byte
	lines  lineCounter
	result Result

	canonical map[int]string // by the offset of an alias, what it stands for
}

// NewChecker returns a checker of the linter.
func (l *Linter) NewChecker() *Checker {
	return &Checker{linter: l, engine: schema.NewChecker(), any: schema.Any()}
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

// lineCounter gives lines and columns for offsets that grow.
type lineCounter struct {
	offset, line, start int // start: of the line
}

func (c *lineCounter) place(raw []byte, offset int) (line, column int) {
	offset = min(offset, len(raw))
	if offset < c.offset {
		*c = lineCounter{}
	}
	span := raw[c.offset:offset]
	if n := bytes.Count(span, []byte{'\n'}); n > 0 {
		c.line += n
		c.start = c.offset + bytes.LastIndexByte(span, '\n') + 1
	}
	c.offset = offset
	return c.line + 1, 1 + runes(raw[c.start:offset])
}

func runes(b []byte) int {
	n := 0
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}
