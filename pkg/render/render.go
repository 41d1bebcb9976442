package render

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Render makes the request that the template stands for, and says what is
// wrong with the template, with a value, or with what comes out. now is what
// ${now} stands for. A variable without a value is written as nothing.
//
// The request is made as far as that goes; one with errors among the findings
// is not one to send.
func (t Template) Render(v Values, now time.Time) (webhook.Request, []Finding) {
	return t.render(v, now, sync.OnceValue(owners))
}

func (t Template) render(v Values, now time.Time, owners func() map[string][]string) (webhook.Request, []Finding) {
	f := &filler{template: &t, values: v, now: now, known: knowledgeOf(t.Event), owners: owners, report: &report{}}
	f.static()
	request := webhook.Request{Method: t.Method}
	address := f.fill("/url", t.URL, &address{})
	request.URL = string(address.out)
	f.checkURL(request.URL)
	for _, p := range t.Header {
		filled := f.fill("/headers/"+escapePointer(p.Name), p.Value, headerValue{})
		request.Header = append(request.Header, webhook.Pair{Name: p.Name, Value: string(filled.out)})
	}
	body := f.body(request.Header.Get("Content-Type"))
	request.Body = body.out
	f.checkBody(request.Header.Get("Content-Type"), body)
	f.checkAttachment(request.Header.Get("Content-Type"))
	sort.SliceStable(f.report.findings, func(i, j int) bool {
		a, b := f.report.findings[i], f.report.findings[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return request, f.report.findings
}

// filler renders one template.
type filler struct {
	template *Template
	values   Values
	now      time.Time
	known    knowledge
	owners   func() map[string][]string // takes a moment, and few need it
	report   *report
}

// filled is a text with its variables replaced.
type filled struct {
	pointer string
	text    string // of the template
	out     []byte
	spans   []span
}

// span ties a piece of out to the segment that it came from.
type span struct {
	end     int // in out
	segment segment
}

// fill replaces the variables of a text.
func (f *filler) fill(pointer, text string, p placer) filled {
	t := f.template
	result := filled{pointer: pointer, text: text}
	segments, faults := scan(text)
	for _, bad := range faults {
		f.report.add(t.source.within(pointer, text, bad.offset), bad.rule, "%s", bad.message)
	}
	for _, s := range segments {
		if s.name == "" {
			p.literal(text[s.start:s.end])
			result.out = append(result.out, text[s.start:s.end]...)
		} else {
			at := t.source.within(pointer, text, s.start)
			result.out = append(result.out, f.variable(at, s.name, p)...)
		}
		if len(result.out) > MaxBody {
			f.report.add(t.source.value(pointer), "limit", "what is rendered is larger than %d MiB", MaxBody>>20)
			result.out = nil
			return result
		}
		result.spans = append(result.spans, span{len(result.out), s})
	}
	return result
}

// variable writes one value, and reports what is wrong with the variable or
// the value.
func (f *filler) variable(at place, name string, p placer) string {
	if !f.has(at, name) {
		return ""
	}
	value := f.value(name)
	if _, binary := value.([]byte); binary {
		f.report.add(at, "variable-place", "${%s} is bytes, not text: it can only be the whole body; file_data_base64 goes into a text", name)
		return ""
	}
	w := p.value(value, f.template.Dates.written(value))
	switch {
	case w.fault != "":
		f.report.add(at, w.rule, "${%s}: %s", name, w.fault)
	case w.risk != "":
		f.report.add(at, "value-unescaped", "${%s}: unescaped, its value %s; it is escaped here, and Work Market does not document whether it does so", name, w.risk)
	}
	if w.host {
		f.report.add(at, "url-host", "${%s} chooses the host that the request goes to", name)
	}
	return w.text
}

// has reports whether the event has the variable, and says so where it has
// not.
func (f *filler) has(at place, name string) bool {
	v, ok := f.known.event[name]
	switch {
	case ok && v.Successor != "":
		f.report.add(at, "variable-deprecated", "${%s} is deprecated: use ${%s}", name, v.Successor)
	case ok || customField(name):
	case strings.HasPrefix(name, "custom_field") || strings.HasPrefix(name, "customfield"):
		f.report.add(at, "variable-unknown", "${%s} is no custom field: write the field's number, as in ${custom_field_58134}", name)
		return false
	case f.known.any(name):
		if f.template.Event == "" {
			return true // the event itself is unknown, and that was said
		}
		f.report.add(at, "variable-event", "the event %s has no ${%s}: %s", f.title(), name, onlyIn(f.owners()[name]))
		return false
	default:
		message := "unknown variable ${" + name + "}"
		if near := webhook.Nearest(name, f.known.names()); near != "" {
			message += ": did you mean ${" + near + "}?"
		}
		f.report.add(at, "variable-unknown", "%s", message)
		return false
	}
	return true
}

func (f *filler) title() string {
	d, err := EventNamed(f.template.Event)
	if err != nil {
		return f.template.Event
	}
	return Title(d)
}

// onlyIn names events; more than a handful are counted.
func onlyIn(titles []string) string {
	if len(titles) > 8 {
		return strings.Join(titles[:8], ", ") + " and " + strconv.Itoa(len(titles)-8) + " others have it"
	}
	if len(titles) == 1 {
		return titles[0] + " has it"
	}
	return strings.Join(titles[:len(titles)-1], ", ") + " and " + titles[len(titles)-1] + " have it"
}

// value is what a variable stands for: dates as times.
func (f *filler) value(name string) any {
	v, given := f.values[name]
	if name == "now" && (!given || f.values["now"] == nil) || name == "now" && !f.now.IsZero() {
		return f.now
	}
	if f.known.isDate(name) {
		if at, ok := date(v); ok {
			return at
		}
	}
	return v
}

// body renders the body by its type. ${file_data_binary} alone is bytes.
func (f *filler) body(contentType string) filled {
	t := f.template
	if t.Body == "${file_data_binary}" && f.has(t.source.within("/body", t.Body, 0), "file_data_binary") {
		data, _ := f.values["file_data_binary"].([]byte)
		if text, ok := f.values["file_data_binary"].(string); ok {
			data = []byte(text)
		}
		return filled{pointer: "/body", text: t.Body, out: data, spans: []span{{len(data), segment{0, len(t.Body), "file_data_binary"}}}}
	}
	var p placer = raw{}
	switch kindOf(contentType) {
	case jsonBody:
		p = &jsonPlacer{}
	case xmlBody:
		p = &xmlPlacer{}
	case formBody:
		p = form{}
	}
	return f.fill("/body", t.Body, p)
}

// place finds where in the template's file a byte of what was rendered came
// from, and the variable that wrote it, if one did.
func (b filled) place(s *source, offset int) (at place, name string) {
	begin := 0
	for _, sp := range b.spans {
		if offset < sp.end || sp.end == len(b.out) && offset <= sp.end {
			if sp.segment.name != "" {
				return s.within(b.pointer, b.text, sp.segment.start), sp.segment.name
			}
			return s.within(b.pointer, b.text, min(sp.segment.start+offset-begin, sp.segment.end)), ""
		}
		begin = sp.end
	}
	return s.value(b.pointer), ""
}

// isURL says why a text is no URL to send to, or "".
func isURL(text string) string {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= utf8.RuneSelf || text[i] == 0x7f {
			return "it holds a space or another character that must be escaped: %20 is a space"
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return strings.TrimPrefix(err.Error(), "parse "+strconv.Quote(text)+": ")
	case u.Scheme != "http" && u.Scheme != "https":
		return "it must begin with https://"
	case u.Hostname() == "":
		return "it names no host"
	}
	return ""
}
