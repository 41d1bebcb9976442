package render

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/internal/nearest"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Render returns the request that Work Market would send, and findings about
// the template, the values and the request. now is the value of ${now}; if it
// is zero, values may have one. A variable without a value is written as
// nothing.
//
// The request is rendered as far as possible. Do not send it if a finding is an
// error.
func (t Template) Render(values Values, now time.Time) (webhook.Request, []report.Finding) {
	r := &renderer{template: &t, values: values, now: now}
	if d, err := EventNamed(t.Event); err == nil {
		r.variables = eventVariables(d)
	}
	r.checkTemplate()
	request := webhook.Request{Method: t.Method}
	request.URL = string(r.fill("/url", t.URL, &urlEscaper{}).out)
	r.checkURL(request.URL)
	for _, p := range t.Header {
		value := r.fill("/headers/"+jsonpath.EscapePointer(p.Name), p.Value, headerEscaper{})
		request.Header = append(request.Header, webhook.Pair{Name: p.Name, Value: string(value.out)})
	}
	contentType := request.Header.Get("Content-Type")
	body := r.body(contentType)
	request.Body = body.out
	r.checkBody(contentType, body)
	r.checkAttachment(contentType)
	slices.SortStableFunc(r.found.list, func(a, b report.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return request, r.found.list
}

// Retarget returns a rendered URL with the scheme, user and host of another,
// whose path comes before its own: to try a template on a local receiver. It
// returns an error if one of the URLs does not parse.
func Retarget(rendered, base string) (string, error) {
	from, err := url.Parse(rendered)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	path := from.EscapedPath()
	if from.RawQuery != "" {
		path += "?" + from.RawQuery
	}
	origin := url.URL{Scheme: to.Scheme, User: to.User, Host: to.Host}
	return origin.String() + strings.TrimSuffix(to.EscapedPath(), "/") + path, nil
}

// renderer renders one template once.
type renderer struct {
	template  *Template
	values    Values
	now       time.Time
	variables []string // of the template's event
	found     findings
}

// filled is a text of the template with its variables replaced.
type filled struct {
	pointer string
	text    string // as the template has it
	out     []byte
	spans   []span
}

// span is the part of out that came from one segment of the text. It begins
// where the span before it ends.
type span struct {
	end     int // in out
	segment segment
}

// fill replaces the variables of a text.
func (r *renderer) fill(pointer, text string, e escaper) filled {
	source := r.template.source
	result := filled{pointer: pointer, text: text}
	segments, faults := split(text)
	for _, f := range faults {
		r.found.add(source.within(pointer, text, f.offset), f.rule, "%s", f.message)
	}
	for _, s := range segments {
		if s.variable == "" {
			e.literal(text[s.start:s.end])
			result.out = append(result.out, text[s.start:s.end]...)
		} else {
			at := source.within(pointer, text, s.start)
			result.out = append(result.out, r.variable(at, s.variable, e)...)
		}
		if len(result.out) > MaxBody {
			r.found.add(source.value(pointer), "limit", "the rendered text is larger than %d MiB", MaxBody>>20)
			result.out = nil
			return result
		}
		result.spans = append(result.spans, span{end: len(result.out), segment: s})
	}
	return result
}

// variable returns the escaped value of a variable, and adds what is wrong with
// the variable or the value.
func (r *renderer) variable(at position, name string, e escaper) string {
	if !r.has(at, name) {
		return ""
	}
	if strings.HasPrefix(at.pointer, "/headers/") {
		r.found.add(at, "variable-header", "${%s} is in a header: Work Market documents variables in the URL and the body alone", name)
	}
	value := r.value(name)
	switch value.(type) {
	case []byte, fileContent:
		r.found.add(at, "variable-place", "${%s} is binary: it can only be the whole body; use ${file_data_base64} within text", name)
		return ""
	}
	w := e.escape(value, r.template.Dates.format(value))
	switch {
	case w.problem != "":
		r.found.add(at, w.rule, "${%s}: %s", name, w.problem)
	case w.risk != "":
		r.found.add(at, "value-unescaped", "${%s}: unescaped, its value %s; wsk escapes it, but Work Market does not document whether it does", name, w.risk)
	}
	if w.isHost {
		r.found.add(at, "url-host", "${%s} decides which host receives the request", name)
	}
	return w.text
}

// has reports whether the template's event has a variable, and adds a finding
// if it does not.
func (r *renderer) has(at position, name string) bool {
	if slices.Contains(r.variables, name) {
		if successor := variables()[name].successor; successor != "" {
			r.found.add(at, "variable-deprecated", "${%s} is deprecated: use ${%s}", name, successor)
		}
		return true
	}
	if isCustomField(name) {
		return true
	}
	_, known := variables()[name]
	switch {
	case known && r.template.Event == "":
		return true // the event is unknown, and has its own finding
	case known:
		r.found.add(at, "variable-event", "the event %s has no ${%s}: %s", r.title(), name, eventList(eventsWith()[name]))
	case strings.HasPrefix(name, "custom_field") || strings.HasPrefix(name, "customfield"):
		r.found.add(at, "variable-unknown", "${%s} is not a custom field: use the field's number, as in ${custom_field_58134}", name)
	default:
		message := "unknown variable ${" + name + "}"
		if nearest := nearest.Name(name, variableNames()); nearest != "" {
			message += ": did you mean ${" + nearest + "}?"
		}
		r.found.add(at, "variable-unknown", "%s", message)
	}
	return false
}

func (r *renderer) title() string {
	d, err := EventNamed(r.template.Event)
	if err != nil {
		return r.template.Event
	}
	return Title(d)
}

// manyTitles is the number of events from which the rest are counted.
const manyTitles = 8

// eventList lists the events that have a variable.
func eventList(titles []string) string {
	n := len(titles)
	switch {
	case n == 1:
		return titles[0] + " has it"
	case n > manyTitles:
		return strings.Join(titles[:manyTitles], ", ") + " and " + strconv.Itoa(n-manyTitles) + " others have it"
	}
	return strings.Join(titles[:n-1], ", ") + " and " + titles[n-1] + " have it"
}

// value returns the value of a variable; a date as a time.Time if it is one.
func (r *renderer) value(name string) any {
	v := r.values.get(name)
	if name == "now" && (v == nil || !r.now.IsZero()) {
		return r.now
	}
	if variables()[name].isDate {
		if at, ok := dateOf(v); ok {
			return at
		}
	}
	return v
}

// binaryBody is the body of a template that sends a file as it is.
const binaryBody = "${file_data_binary}"

// body renders the body.
func (r *renderer) body(contentType string) filled {
	t := r.template
	if t.Body == binaryBody && r.has(t.source.within("/body", t.Body, 0), "file_data_binary") {
		data := bytesOf(r.values["file_data_binary"])
		whole := segment{start: 0, end: len(t.Body), variable: "file_data_binary"}
		return filled{pointer: "/body", text: t.Body, out: data, spans: []span{{end: len(data), segment: whole}}}
	}
	return r.fill("/body", t.Body, bodyEscaper(kindOf(contentType)))
}

// position returns where in the template's file a byte of the rendered text
// came from, and the variable that it is a value of, if any.
func (f filled) position(s *source, offset int) (at position, variable string) {
	begin := 0
	for _, sp := range f.spans {
		if offset < sp.end || sp.end == len(f.out) && offset <= sp.end {
			if sp.segment.variable != "" {
				return s.within(f.pointer, f.text, sp.segment.start), sp.segment.variable
			}
			return s.within(f.pointer, f.text, min(sp.segment.start+offset-begin, sp.segment.end)), ""
		}
		begin = sp.end
	}
	return s.value(f.pointer), ""
}

// segment is a part of a template's text: literal text, or a variable.
type segment struct {
	start, end int    // in the text
	variable   string // its name; empty for literal text
}

// fault is a mistake in how a variable is written.
type fault struct {
	offset  int
	rule    string
	message string
}

// split divides a text at its variables. A faulty variable remains literal text.
func split(text string) (segments []segment, faults []fault) {
	literal := 0
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], "${") {
			next := strings.Index(text[i+1:], "${")
			if next < 0 {
				break
			}
			i += 1 + next
			continue
		}
		end, problem := variableEnd(text, i)
		if problem != "" {
			faults = append(faults, fault{offset: i, rule: "variable-syntax", message: problem})
			i += len("${")
			continue
		}
		if i > 0 && (text[i-1] == '\\' || text[i-1] == '$') {
			message := "Work Market documents no escape: the " + text[i-1:i] + " stays, and " + text[i:end] + " is replaced"
			faults = append(faults, fault{offset: i, rule: "variable-escape", message: message})
		}
		if literal < i {
			segments = append(segments, segment{start: literal, end: i})
		}
		segments = append(segments, segment{start: i, end: end, variable: text[i+len("${") : end-len("}")]})
		i, literal = end, end
	}
	if literal < len(text) {
		segments = append(segments, segment{start: literal, end: len(text)})
	}
	return segments, faults
}

// longestName limits the search for the closing brace, in bytes.
const longestName = 200

// variableEnd returns the end of the variable that begins at i, or what is
// wrong with it.
func variableEnd(text string, i int) (end int, problem string) {
	begin := i + len("${")
	window := text[begin:min(len(text), begin+longestName)]
	stop := strings.IndexAny(window, "}{\n\"")
	switch {
	case stop < 0 || window[stop] == '\n' || window[stop] == '"':
		return 0, "${ is not closed: write ${name}"
	case window[stop] == '{':
		return 0, "a variable cannot contain another: write ${name}"
	}
	name := window[:stop]
	switch trimmed := strings.TrimSpace(name); {
	case trimmed == "":
		return 0, "${} has no name: write ${name}"
	case trimmed != name:
		return 0, "${" + name + "} has space around the name: write ${" + trimmed + "}"
	case !isVariableName(name):
		return 0, "${" + name + "} is not a variable: a name has only letters, digits and _"
	}
	return begin + stop + len("}"), ""
}
