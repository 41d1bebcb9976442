package lint

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/schema"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Payload lints one payload. raw is read, not kept.
func (c *Checker) Payload(raw []byte) Result {
	c.raw, c.lines = raw, lineCounter{}
	c.result = Result{Findings: c.result.Findings[:0]}
	c.env = envelopeOf(raw)
	k := c.linter.config.kindOf(raw, c.env)
	c.result.Platform, c.result.Form = k.platform, k.form
	at, member := c.env.typeOf(k.form)
	against, e := c.any, (*event)(nil)
	if isText(raw, at) {
		e = c.event(k, textAt(raw, at))
		c.result.Event = e.definition.Type
		if e.schema != nil {
			against = e.schema
		}
	}
	broken := false
	for _, f := range c.engine.Check(against, raw) {
		broken = broken || f.Kind == schema.Syntax || f.Kind == schema.Depth
		c.engineFinding(f)
	}
	if !broken {
		c.envelopeRules(at, member, e)
		if e != nil && e.schema != nil {
			c.rules(e)
		}
	}
	if found := c.result.Findings; len(found) > 1 {
		sort.SliceStable(found, func(i, j int) bool { return found[i].Offset < found[j].Offset })
	}
	return c.result
}

// event finds an event, in the checker's own memory first.
func (c *Checker) event(k kind, name []byte) *event {
	if e := c.known[eventKey{k, string(name)}]; e != nil {
		return e
	}
	e := c.linter.event(eventKey{k, string(name)})
	if e.unknown == "" {
		c.known[eventKey{k, string(name)}] = e
	}
	return e
}

// envelopeRules says what is wrong with how the event is named.
func (c *Checker) envelopeRules(at span, member string, e *event) {
	switch {
	case c.raw[c.env.root.at] != '{':
		c.add(c.env.root.at, len(c.raw), "", "envelope", "an event is a JSON object, and this is "+describe(c.raw, c.env.root.at))
		return
	case !at.exists():
		c.add(c.env.root.at, c.env.root.at+1, "", "envelope", "there is no event_type and no event: this is not an event's envelope")
		return
	case e == nil:
		c.add(at.at, at.end, "/"+member, "type", member+" must be a string, is "+describe(c.raw, at.at))
	case e.unknown != "":
		c.add(at.at, at.end, "/"+member, "unknown-event", e.unknown)
	case e.fault != nil:
		c.add(at.at, at.end, "/"+member, "shape", e.fault.Error())
	}
	if both := c.env.short; c.env.long.exists() && both.exists() {
		c.add(both.at, both.end, "/event", "envelope", "event_type and event are both there: an envelope has one of them")
	}
}

// unknownMessage points from work_order.* to workorder.* and back, and to the
// form that has the event, else to the nearest name.
func unknownMessage(d webhook.Definition, unknown error) string {
	twin := strings.ReplaceAll(d.Type, "work_order.", "workorder.")
	if twin == d.Type {
		twin = strings.ReplaceAll(d.Type, "workorder.", "work_order.")
	}
	for _, name := range []string{d.Type, twin} {
		if other, err := webhook.Lookup("", "", name); err == nil {
			return fmt.Sprintf("there is no %s event %s; there is %s in the form %s", d.Form, d.Type, other.Type, other.Form)
		}
	}
	return unknown.Error()
}

// engineFinding takes a finding of the engine over.
func (c *Checker) engineFinding(f schema.Finding) {
	rule, message := ruleOf(f.Kind), f.Message()
	if f.Kind == schema.Format && isMasked(c.raw[f.Offset:min(f.End, len(c.raw))]) {
		rule, message = "masked-email", "the e-mail address was masked: "+f.Got
	}
	c.add(f.Offset, f.End, f.Pointer, rule, message)
}

// isMasked reports whether a text is an e-mail address as web pages hide it.
func isMasked(text []byte) bool {
	s := strings.ToLower(strings.Trim(string(text), `"`))
	return strings.Contains(s, "[email") && strings.Contains(s, "protected]") || strings.Contains(s, "@") && strings.Contains(s, "***")
}

// add notes a finding unless its rule is off. Where there is no room left, an
// error takes the place of the last finding that is none.
func (c *Checker) add(offset, end int, pointer, rule, message string) {
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
	line, column := c.lines.place(c.raw, offset)
	f := report.Finding{
		Line: line, Column: column, Pointer: pointer, Severity: severity, Rule: rule, Message: message,
		Event: c.result.Event, Form: c.result.Form, Platform: c.result.Platform, Offset: offset,
	}
	if c.linter.config.Excerpts {
		f.Excerpt, f.Caret = excerpt(c.raw, offset)
	}
	c.result.Findings = append(c.result.Findings, f)
}
