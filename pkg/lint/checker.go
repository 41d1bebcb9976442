package lint

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Checker lints payloads one after another. It must not be used by several
// goroutines at once.
type Checker struct {
	linter *Linter
	schema schema.Checker
	known  map[eventKey]*event // of the linter, without its lock

	// Of the current payload.
	raw    []byte
	env    envelope
	lines  lineCounter
	result Result
}

// NewChecker returns a checker of the linter.
func (l *Linter) NewChecker() *Checker {
	return &Checker{linter: l, known: map[eventKey]*event{}}
}

// Result is what was found in one payload. Findings is valid until the next
// payload of the checker.
type Result struct {
	Platform webhook.Platform
	Form     webhook.Form
	Event    string // "" if the payload does not name one
	Findings []report.Finding
}

// Errors returns how many of the findings are errors.
func (r Result) Errors() int { return report.Count(r.Findings).Errors }

// Check lints one payload. It does not keep raw.
func (c *Checker) Check(raw []byte) Result {
	c.open(raw)
	return c.check()
}

// open makes raw the current payload.
func (c *Checker) open(raw []byte) {
	c.raw, c.lines = raw, lineCounter{}
	c.result = Result{Findings: c.result.Findings[:0]}
	c.env = envelopeOf(raw, c.env)
}

// check lints the current payload.
func (c *Checker) check() Result {
	raw := c.raw
	scope := c.linter.config.scopeOf(raw, c.env)
	c.result.Platform, c.result.Form = scope.platform, scope.form
	name := c.env.nameOf(scope.form)
	var e *event
	var against *schema.Schema // nil: any JSON
	if isText(raw, name.value) {
		e = c.event(scope, textAt(raw, name.value))
		c.result.Event, against = e.definition.Type, e.schema
	}
	isJSON := true
	for _, f := range c.schema.Check(against, raw) {
		isJSON = isJSON && f.Kind != schema.Syntax && f.Kind != schema.Depth
		c.addSchemaFinding(f)
	}
	if isJSON {
		c.checkEnvelope(name, e)
	}
	if isJSON && e != nil && e.schema != nil {
		c.checkConsistency(e)
	}
	if found := c.result.Findings; len(found) > 1 {
		sort.SliceStable(found, func(i, j int) bool { return found[i].Offset < found[j].Offset })
	}
	return c.result
}

// event returns the event with that name.
func (c *Checker) event(s scope, name []byte) *event {
	if e := c.known[eventKey{s, string(name)}]; e != nil { // as an index the string is not allocated
		return e
	}
	key := eventKey{s, string(name)}
	e := c.linter.event(key)
	if e.unknown == "" {
		c.known[key] = e
	}
	return e
}

// checkEnvelope checks how the event is named. The payload is JSON.
func (c *Checker) checkEnvelope(name eventName, e *event) {
	root := c.env.root
	switch {
	case c.raw[root.at] != '{':
		c.add(root, "", "envelope", "an event is a JSON object, but this is "+describe(c.raw, root.at))
		return
	case !name.value.exists():
		c.add(span{root.at, root.at + 1}, "", "envelope", "neither event_type nor event is present: this is not the envelope of an event")
		return
	case e == nil:
		c.add(name.value, "/"+name.member, "type", name.member+" must be a string, is "+describe(c.raw, name.value.at))
	case e.unknown != "":
		c.add(name.value, "/"+name.member, "unknown-event", e.unknown)
	case e.fault != nil:
		c.add(name.value, "/"+name.member, "shape", e.fault.Error())
	}
	if c.env.eventType.exists() && c.env.event.exists() {
		c.add(c.env.event, "/event", "envelope", "event_type and event are both present: an envelope has one of them")
	}
}

func (c *Checker) addSchemaFinding(f schema.Finding) {
	rule, message := ruleOf(f.Kind), f.Message()
	if f.Kind == schema.Format || f.Kind == schema.UndocumentedFormat {
		switch text := textAt(c.raw, span{f.Offset, min(f.End, len(c.raw))}); {
		case isMasked(text):
			rule, message = "masked-email", "the e-mail address is masked: "+f.Got
		case f.Want == schema.CurrencyWords && schema.IsLowerCaseCurrency(string(text)):
			rule, message = "currency-case", "a currency code is in capitals in ISO 4217, and this is "+f.Got
		}
	}
	c.add(span{f.Offset, f.End}, f.Pointer, rule, message)
}

// isMasked reports whether a text is an e-mail address as web pages hide it.
func isMasked(text []byte) bool {
	s := strings.ToLower(string(text))
	return strings.Contains(s, "[email") && strings.Contains(s, "protected]") || strings.Contains(s, "@") && strings.Contains(s, "***")
}

// add adds a finding unless its rule is off. If there is no room left, an error
// replaces the last finding that is not one.
func (c *Checker) add(at span, pointer, rule, message string) {
	severity := c.linter.severities[rule]
	if severity == report.Off {
		return
	}
	if len(c.result.Findings) >= schema.MaxFindings {
		i := len(c.result.Findings) - 1
		for i >= 0 && c.result.Findings[i].Severity == report.Error {
			i--
		}
		if severity != report.Error || i < 0 {
			return
		}
		c.result.Findings = slices.Delete(c.result.Findings, i, i+1)
	}
	line, column := c.lines.place(c.raw, at.at)
	f := report.Finding{
		Line: line, Column: column, Pointer: pointer, Severity: severity, Rule: rule, Message: message,
		Event: c.result.Event, Form: c.result.Form, Platform: c.result.Platform, Offset: at.at,
	}
	if c.linter.config.Excerpts {
		f.Excerpt, f.Caret = excerpt(c.raw, at.at)
	}
	c.result.Findings = append(c.result.Findings, f)
}

// lineCounter finds the lines and columns of ascending offsets. An offset
// before the previous one makes it start from the beginning.
type lineCounter struct{ offset, line, column int }

func (c *lineCounter) place(raw []byte, offset int) (line, column int) {
	offset = min(offset, len(raw))
	if offset < c.offset {
		*c = lineCounter{}
	}
	skipped := raw[c.offset:offset]
	if n := bytes.Count(skipped, []byte{'\n'}); n > 0 {
		c.line += n
		c.column = 0
		skipped = skipped[bytes.LastIndexByte(skipped, '\n')+1:]
	}
	c.column += utf8.RuneCount(skipped)
	c.offset = offset
	return c.line + 1, c.column + 1
}

// excerpt returns the line around an offset, at most 160 bytes of it, and the
// position of the offset in the excerpt.
func excerpt(raw []byte, offset int) (text string, caret int) {
	const before, after = 60, 100
	offset = min(offset, len(raw))
	start := bytes.LastIndexByte(raw[:offset], '\n') + 1
	end := len(raw)
	if i := bytes.IndexByte(raw[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	start, end = max(start, offset-before), min(end, offset+after)
	for start < offset && !utf8.RuneStart(raw[start]) {
		start++
	}
	for end < len(raw) && end > offset && !utf8.RuneStart(raw[end]) {
		end--
	}
	line := bytes.TrimRight(raw[start:end], "\r")
	return string(line), min(offset-start, len(line))
}
