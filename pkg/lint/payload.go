package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/schema"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Payload lints one payload. raw is read, not kept.
func (c *Checker) Payload(raw []byte) Result {
	c.raw, c.lines = raw, lineCounter{}
	c.result = Result{Findings: c.result.Findings[:0]}
	clear(c.canonical)
	key, ok := c.envelope(raw)
	if !ok {
		c.result.Platform, c.result.Form = key.platform, key.form
		return c.strictJSON(raw, func() {
			c.add(0, 1, "", "envelope", "there is no event_type and no event: this is not an event's envelope")
		})
	}
	c.result.Platform, c.result.Form, c.result.Event = key.platform, key.form, key.name
	e := c.linter.event(key)
	switch {
	case e.unknown != nil:
		return c.strictJSON(raw, func() {
			at, end := c.placeOfType(raw)
			c.add(at, end, "/"+typeMember(key.form), "unknown-event", e.unknown.Error())
			c.suggestOtherForm(at, end, key)
		})
	case e.fault != nil:
		return c.strictJSON(raw, func() { c.add(0, 1, "", "shape", e.fault.Error()) })
	}
	broken := false
	for _, f := range c.engine.Check(e.schema, raw) {
		broken = broken || f.Kind == schema.Syntax || f.Kind == schema.Depth
		c.engineFinding(f)
	}
	if !broken {
		c.rules(e, raw)
	}
	if len(c.result.Findings) > 1 {
		slices.SortStableFunc(c.result.Findings, func(a, b Finding) int { return a.Offset - b.Offset })
	}
	return c.result
}

// strictJSON checks the JSON alone, and says what else there is to say when
// that is right.
func (c *Checker) strictJSON(raw []byte, otherwise func()) Result {
	broken := false
	for _, f := range c.engine.Check(c.any, raw) {
		broken = broken || f.Kind == schema.Syntax || f.Kind == schema.Depth
		c.engineFinding(f)
	}
	if !broken {
		otherwise()
	}
	return c.result
}

// envelope reads platform, form and type off the payload. It may be fooled by
// what is not JSON; the engine finds that out.
func (c *Checker) envelope(raw []byte) (eventKey, bool) {
	var long, short string
	var outbound bool
	gjson.ParseBytes(raw).ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "event_type":
			long = value.Str
		case "event":
			short = value.Str
		case "event_id", "company_id":
			outbound = true
		}
		return true
	})
	key := eventKey{platform: c.linter.config.Platform, form: c.linter.config.Form, name: long}
	form, platform := webhook.Inbound, webhook.WorkSkedge
	switch {
	case long != "" && outbound:
		form = webhook.Outbound
	case long != "":
	case strings.Contains(short, "."):
		form, key.name = webhook.Compact, short
	case short != "":
		form, platform, key.name = webhook.WorksomeForm, webhook.Worksome, short
	}
	if key.form == "" {
		key.form = form
	}
	if key.platform == "" {
		key.platform = platform
		if key.form == webhook.WorksomeForm {
			key.platform = webhook.Worksome
		}
	}
	return key, key.name != ""
}

func typeMember(f webhook.Form) string {
	if f == webhook.Compact || f == webhook.WorksomeForm {
		return "event"
	}
	return "event_type"
}

// placeOfType finds the value that names the event.
func (c *Checker) placeOfType(raw []byte) (at, end int) {
	gjson.ParseBytes(raw).ForEach(func(name, value gjson.Result) bool {
		if name.Str == "event_type" || name.Str == "event" {
			at, end = value.Index, value.Index+len(value.Raw)
		}
		return at == 0
	})
	return at, max(end, at+1)
}

// suggestOtherForm points from work_order.* to workorder.* and back, and to
// the form that has the event.
func (c *Checker) suggestOtherForm(at, end int, key eventKey) {
	twin := strings.ReplaceAll(key.name, "work_order.", "workorder.")
	if twin == key.name {
		twin = strings.ReplaceAll(key.name, "workorder.", "work_order.")
	}
	for _, name := range []string{key.name, twin} {
		if d, err := webhook.Lookup("", "", name); err == nil {
			last := &c.result.Findings[len(c.result.Findings)-1]
			if last.Rule == "unknown-event" && last.Offset == at && last.End == end {
				last.Message = fmt.Sprintf("there is no %s event %s; there is %s in the form %s", key.form, key.name, d.Type, d.Form)
			}
			return
		}
	}
}

// engineFinding takes a finding of the engine over.
func (c *Checker) engineFinding(f schema.Finding) {
	rule, message := ruleOf(f.Kind), f.Message()
	if f.Kind == schema.Format && isMasked(c.raw[f.Offset:min(f.End, len(c.raw))]) {
		rule, message = "masked-email", "the e-mail address was masked: "+f.Got
	}
	if f.Kind == schema.Alias {
		if c.canonical == nil {
			c.canonical = map[int]string{}
		}
		c.canonical[f.Offset] = f.Want
	}
	c.add(f.Offset, f.End, f.Pointer, rule, message)
}

// isMasked reports whether a text is an e-mail address as web pages hide it.
func isMasked(text []byte) bool {
	s := strings.ToLower(strings.Trim(string(text), `"`))
	return strings.Contains(s, "[email") && strings.Contains(s, "protected]") || strings.Contains(s, "@") && strings.Contains(s, "***")
}

// add notes a finding unless its rule is off.
func (c *Checker) add(offset, end int, pointer, rule, message string) {
	severity := c.linter.severities[rule]
	if severity == Off || len(c.result.Findings) >= schema.MaxFindings {
		return
	}
	line, column := c.lines.place(c.raw, offset)
	f := Finding{
		Line: line, Column: column, Pointer: pointer, Severity: severity, Rule: rule, Message: message,
		Event: c.result.Event, Form: c.result.Form, Platform: c.result.Platform, Offset: offset, End: end,
	}
	if c.linter.config.Excerpts {
		f.Excerpt, f.Caret = excerpt(c.raw, offset)
	}
	c.result.Findings = append(c.result.Findings, f)
}

// excerpt returns the line around a place, at most 160 bytes of it, and where
// the place is in that.
func excerpt(raw []byte, offset int) (text string, caret int) {
	const before, after = 60, 100
	offset = min(offset, len(raw))
	start := bytes.LastIndexByte(raw[:offset], '\n') + 1
	end := len(raw)
	if i := bytes.IndexByte(raw[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	start, end = max(start, offset-before), min(end, offset+after)
	for start < offset && raw[start]&0xc0 == 0x80 { // not within a character
		start++
	}
	for end < len(raw) && end > offset && raw[end]&0xc0 == 0x80 {
		end--
	}
	return string(bytes.TrimRight(raw[start:end], "\r")), offset - start
}
