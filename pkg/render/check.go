package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/jsonpath"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

var rules = []report.Rule{
	// The template's file.
	{ID: "template-syntax", Severity: report.Error, Help: "the file is YAML or JSON"},
	{ID: "template-schema", Severity: report.Error, Help: "the template has the members that it needs, and no others"},
	{ID: "template-event", Severity: report.Error, Help: "the event is one of Work Market's"},
	// Its variables.
	{ID: "variable-syntax", Severity: report.Error, Help: "a variable is written ${name}"},
	{ID: "variable-unknown", Severity: report.Error, Help: "the variable is one of Work Market's"},
	{ID: "variable-event", Severity: report.Error, Help: "the event has the variable"},
	{ID: "variable-place", Severity: report.Error, Help: "a variable is where its value fits"},
	{ID: "variable-header", Severity: report.Warning, Help: "a variable is in the URL or the body, where Work Market documents variables"},
	{ID: "variable-deprecated", Severity: report.Warning, Help: "the variable is not deprecated"},
	{ID: "variable-escape", Severity: report.Warning, Help: "no character before a variable looks like an escape"},
	{ID: "value", Severity: report.Error, Help: "the value fits where its variable is"},
	{ID: "value-unescaped", Severity: report.Warning, Help: "the value would fit even if it were not escaped"},
	// The request.
	{ID: "method", Severity: report.Error, Help: "the method is GET, POST, PUT, PATCH or DELETE"},
	{ID: "method-body", Severity: report.Warning, Help: "a GET or DELETE has no body"},
	{ID: "url", Severity: report.Error, Help: "the URL is absolute, with http or https"},
	{ID: "url-host", Severity: report.Warning, Help: "no variable decides the host"},
	{ID: "url-plain", Severity: report.Warning, Help: "the URL is https"},
	{ID: "header", Severity: report.Error, Help: "a header has a valid name and one line"},
	{ID: "content-type", Severity: report.Error, Help: "there is one Content-Type, and it is that of the body"},
	{ID: "body-syntax", Severity: report.Error, Help: "the rendered body parses as its Content-Type"},
	{ID: "form-newline", Severity: report.Warning, Help: "a form does not end with a newline"},
	{ID: "attachment-type", Severity: report.Warning, Help: "Content-Type is the attachment's type"},
	{ID: "limit", Severity: report.Error, Help: "the template and its request are within the limits"},
}

// Rules lists the rules: those for the template's file, then those for its
// variables, then those for the request.
func Rules() []report.Rule { return slices.Clone(rules) }

// findings collects findings.
type findings struct{ list []report.Finding }

func (f *findings) add(at position, rule, format string, args ...any) {
	severity := report.Error
	if i := slices.IndexFunc(rules, func(r report.Rule) bool { return r.ID == rule }); i >= 0 {
		severity = rules[i].Severity
	}
	f.list = append(f.list, report.Finding{
		Line: at.line, Column: at.column, Pointer: at.pointer, Severity: severity, Rule: rule, Message: fmt.Sprintf(format, args...),
	})
}

// Fit says whether a template is right for one event.
type Fit struct {
	Event    string           `json:"event"`
	Title    string           `json:"title"`
	OK       bool             `json:"ok"`
	Problems []report.Finding `json:"problems"` // the errors; never nil
}

// Matrix renders a template for every event of Work Market with that event's
// sample values, in the catalog's order.
func (t Template) Matrix(now time.Time) []Fit {
	var fits []Fit
	for _, d := range Events() {
		t.Event = d.Type
		fit := Fit{Event: d.Type, Title: Title(d), Problems: []report.Finding{}}
		var found findings
		samples, err := Samples(d.Type)
		if err != nil {
			found.add(position{line: 1, column: 1}, "template-event", "%v", err)
		}
		_, more := t.Render(samples, now)
		for _, f := range append(found.list, more...) {
			if f.Severity == report.Error {
				fit.Problems = append(fit.Problems, f)
			}
		}
		fit.OK = len(fit.Problems) == 0
		fits = append(fits, fit)
	}
	return fits
}

// methods are those that Work Market offers (section "Webhook Structure").
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (t *Template) isWithoutBody() bool {
	return t.Method == http.MethodGet || t.Method == http.MethodDelete
}

// checkTemplate checks what no value can change.
func (r *renderer) checkTemplate() {
	t := r.template
	switch {
	case !slices.Contains(methods, t.Method):
		r.found.add(t.source.value("/method"), "method", "the method %q is not one of %s", t.Method, strings.Join(methods, ", "))
	case t.isWithoutBody() && t.Body != "":
		r.found.add(t.source.value("/body"), "method-body", "a %s with a body: servers and proxies drop it or refuse the request", t.Method)
	}
	types := 0
	for _, p := range t.Header {
		at := t.source.value("/headers/" + jsonpath.EscapePointer(p.Name))
		if strings.EqualFold(p.Name, "Content-Type") {
			if types++; types == 2 {
				r.found.add(at, "content-type", "Content-Type is set twice")
			}
		}
		if pair, err := webhook.ParsePair(p.Name + ": x"); err != nil || pair.Name != p.Name {
			r.found.add(at, "header", "%q is not a valid header name: use letters, digits and dashes", p.Name)
		}
		if strings.ContainsAny(p.Value, "\r\n\x00") {
			r.found.add(at, "header", "%s contains a line break, but a header is one line", p.Name)
		}
	}
	if types == 0 {
		r.found.add(t.source.value("/headers"), "content-type", "Content-Type is missing: Work Market requires it")
	}
}

func (r *renderer) checkURL(rendered string) {
	at := r.template.source.value("/url")
	if problem := urlProblem(rendered); problem != "" {
		r.found.add(at, "url", "the URL renders to %q: %s", webhook.RedactURL(shortened(rendered)), problem)
		return
	}
	u, err := url.Parse(rendered)
	if err == nil && u.Scheme == "http" && !exchange.IsLoopback(u.Hostname()) {
		r.found.add(at, "url-plain", "the URL is http, so anyone on the network path can read the request: use https")
	}
}

// urlProblem returns why a request cannot be sent to a URL, or "" if it can.
func urlProblem(text string) string {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= utf8.RuneSelf || text[i] == 0x7f {
			return "it contains a space or another character that must be escaped; a space is %20"
		}
	}
	u, err := url.Parse(text)
	switch {
	case !strings.Contains(text, "://"):
		return "it must begin with https://"
	case err != nil && webhook.RedactURL(text) != text: // the error may quote a part of what is masked
		return "it cannot be parsed; write special characters in a user name, password or query as %2F and the like"
	case err != nil:
		return exchange.ExplainURL(err)
	case u.Scheme != "http" && u.Scheme != "https":
		return "it must begin with https://"
	case u.Hostname() == "":
		return "it has no host"
	}
	return ""
}

func shortened(text string) string {
	if len(text) > 120 {
		return text[:117] + "…"
	}
	return text
}

// bodyKind is how a body is parsed.
type bodyKind uint8

const (
	otherBody bodyKind = iota
	jsonBody
	xmlBody
	formBody
)

func (k bodyKind) String() string {
	switch k {
	case jsonBody:
		return "JSON"
	case xmlBody:
		return "XML"
	case formBody:
		return "a form"
	}
	return "text"
}

func kindOf(contentType string) bodyKind {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		media = strings.TrimSpace(media)
	}
	switch {
	case media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json"):
		return jsonBody
	case media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml"):
		return xmlBody
	case media == "application/x-www-form-urlencoded":
		return formBody
	}
	return otherBody
}

// looksLike judges the kind of a body by its first character.
func looksLike(body []byte) bodyKind {
	switch {
	case bytes.HasPrefix(body, []byte("{")) || bytes.HasPrefix(body, []byte("[")):
		return jsonBody
	case bytes.HasPrefix(body, []byte("<")):
		return xmlBody
	}
	return otherBody
}

// checkBody checks the rendered body against its Content-Type.
func (r *renderer) checkBody(contentType string, body filled) {
	t := r.template
	explained := slices.ContainsFunc(r.found.list, func(f report.Finding) bool { return f.Pointer == "/body" && f.Severity == report.Error })
	if contentType == "" || explained { // a finding already explains why the body is wrong
		return
	}
	header := t.source.value("/headers/Content-Type")
	if media, _, _ := strings.Cut(contentType, ";"); !strings.Contains(media, "/") {
		r.found.add(header, "content-type", "Content-Type %q is not a media type: use application/json, text/xml or similar", shortened(contentType))
		return
	}
	kind := kindOf(contentType)
	if t.Body == "" {
		if (kind == jsonBody || kind == xmlBody) && !t.isWithoutBody() {
			r.found.add(header, "content-type", "there is no body, but Content-Type is %s", contentType)
		}
		return
	}
	if looks := looksLike(bytes.TrimSpace(body.out)); looks != otherBody && looks != kind && kind != otherBody {
		r.found.add(t.source.value("/body"), "content-type", "the body looks like %s, but Content-Type is %s", looks, contentType)
		return
	}
	if kind == formBody && strings.HasSuffix(t.Body, "\n") {
		r.found.add(t.source.within("/body", t.Body, len(t.Body)-1), "form-newline", "the newline at the end becomes part of the last field: use body: |-")
	}
	offset, problem := parseBody(kind, body.out)
	if problem == "" {
		return
	}
	at, variable := body.position(t.source, offset)
	if variable != "" {
		problem += ", in the value of ${" + variable + "}"
	}
	r.found.add(at, "body-syntax", "the body is not %s: %s", kind, problem)
}

// parseBody returns where and why a body does not parse. The problem is "" if
// it does.
func parseBody(kind bodyKind, body []byte) (offset int, problem string) {
	switch kind {
	case jsonBody:
		var fault *webhook.SyntaxError
		if err := webhook.CheckJSON(body); errors.As(err, &fault) {
			return fault.Offset, fault.Reason
		}
	case xmlBody:
		return parseXML(body)
	case formBody:
		if _, err := url.ParseQuery(strings.TrimSpace(string(body))); err != nil {
			return 0, err.Error()
		}
		if i := bytes.IndexAny(bytes.TrimRight(body, "\r\n"), "\r\n"); i >= 0 {
			return i, "a form is one line: join its fields with &"
		}
	}
	return 0, ""
}

// parseXML requires one well-formed element with nothing but space around it.
func parseXML(body []byte) (offset int, problem string) {
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, roots := 0, 0
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		var fault *xml.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			if roots == 0 {
				return len(body), "there is no element"
			}
			return 0, ""
		case errors.As(err, &fault):
			return int(d.InputOffset()), fault.Msg
		case err != nil:
			return int(d.InputOffset()), err.Error()
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				if roots++; roots > 1 {
					return before, "there is a second root element"
				}
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return before, "there is text outside the root element"
			}
		}
	}
}

// checkAttachment compares the type of an attachment that is the whole body
// with Content-Type.
func (r *renderer) checkAttachment(contentType string) {
	file, ok := r.values["file_data_binary"].(fileContent)
	if r.template.Body != binaryBody || !ok {
		return
	}
	declared, _, err := mime.ParseMediaType(contentType)
	actual, _, fault := mime.ParseMediaType(file.contentType) // fails if the type is unknown
	if err == nil && fault == nil && declared != actual && declared != "application/octet-stream" {
		at := r.template.source.value("/headers/Content-Type")
		r.found.add(at, "attachment-type", "the attachment is %s, but Content-Type is %s", actual, declared)
	}
}
