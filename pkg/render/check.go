package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Methods lists those that Work Market documents.
func Methods() []string { return []string{"GET", "POST", "PUT", "PATCH", "DELETE"} }

// static makes the checks that need no value.
func (f *filler) static() {
	t, r := f.template, f.report
	switch {
	case !slices.Contains(Methods(), t.Method):
		r.add(t.source.value("/method"), "method", "the method %q is none of %s", t.Method, strings.Join(Methods(), ", "))
	case (t.Method == http.MethodGet || t.Method == http.MethodDelete) && t.Body != "":
		r.add(t.source.value("/body"), "method-body", "a %s with a body: servers and proxies drop it or refuse the request", t.Method)
	}
	types := 0
	for _, p := range t.Header {
		at := t.source.value("/headers/" + escapePointer(p.Name))
		if strings.EqualFold(p.Name, "Content-Type") {
			if types++; types == 2 {
				r.add(at, "content-type", "Content-Type is there twice")
			}
		}
		if pair, err := webhook.ParsePair(p.Name + ": x"); err != nil || pair.Name != p.Name {
			r.add(at, "header", "%q is no name of a header: letters, digits and dashes", p.Name)
		}
		if strings.ContainsAny(p.Value, "\r\n\x00") {
			r.add(at, "header", "%s holds a line break, and a header is one line", p.Name)
		}
	}
	if types == 0 {
		r.add(t.source.value("/headers"), "content-type", "Content-Type is missing, and Work Market requires it")
	}
}

func (f *filler) checkURL(rendered string) {
	t, r := f.template, f.report
	at := t.source.value("/url")
	if reason := isURL(rendered); reason != "" {
		r.add(at, "url", "the URL renders to %q: %s", webhook.RedactURL(shortened(rendered)), reason)
		return
	}
	u, err := url.Parse(rendered)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		r.add(at, "url-plain", "the URL is http, so whoever stands between reads it: write https")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func shortened(text string) string {
	if len(text) > 120 {
		return text[:117] + "…"
	}
	return text
}

// bodyKind is how a body is read.
type bodyKind uint8

const (
	otherBody bodyKind = iota
	jsonBody
	xmlBody
	formBody
)

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

// checkBody holds the rendered body to its Content-Type.
func (f *filler) checkBody(contentType string, body filled) {
	t, r := f.template, f.report
	told := slices.ContainsFunc(r.findings, func(g Finding) bool { return g.Pointer == "/body" && g.Severity == Error })
	if contentType == "" || told { // what is wrong with a variable is the reason
		return
	}
	if !strings.Contains(strings.SplitN(contentType, ";", 2)[0], "/") {
		r.add(t.source.value("/headers/Content-Type"), "content-type", "Content-Type %q is no type: write application/json, text/xml or the like", shortened(contentType))
		return
	}
	kind := kindOf(contentType)
	trimmed := bytes.TrimSpace(body.out)
	if len(trimmed) == 0 {
		if len(t.Body) == 0 && kind != otherBody && kind != formBody && t.Method != http.MethodGet && t.Method != http.MethodDelete {
			r.add(t.source.value("/headers/Content-Type"), "content-type", "there is no body, and Content-Type says %s", contentType)
		}
		if len(t.Body) == 0 {
			return
		}
	}
	if looks := lookOf(trimmed); looks != "" && looks != kind.String() && kind != otherBody {
		r.add(t.source.value("/body"), "content-type", "the body looks like %s, and Content-Type says %s", looks, contentType)
		return
	}
	if kind == formBody && strings.HasSuffix(t.Body, "\n") {
		r.add(t.source.within("/body", t.Body, len(t.Body)-1), "form-newline", "the newline at the end belongs to the last field: write body: |-")
	}
	offset, reason := parse(kind, body.out)
	if reason == "" {
		return
	}
	at, name := body.place(t.source, offset)
	if name != "" {
		reason += ", in the value of ${" + name + "}"
	}
	r.add(at, "body-syntax", "the body is not %s: %s", kind, reason)
}

func (k bodyKind) String() string { return [...]string{"text", "JSON", "XML", "a form"}[k] }

// lookOf tells by its first character what a body seems to be.
func lookOf(body []byte) string {
	switch {
	case len(body) == 0:
		return ""
	case body[0] == '{' || body[0] == '[':
		return jsonBody.String()
	case body[0] == '<':
		return xmlBody.String()
	}
	return ""
}

// parse reads a body, and says where and why it cannot be.
func parse(kind bodyKind, body []byte) (offset int, reason string) {
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

// parseXML wants one element, well-formed, and nothing but space around it.
func parseXML(body []byte) (offset int, reason string) {
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
					return before, "there is a second element at the top"
				}
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return before, "there is text outside of the element"
			}
		}
	}
}

// checkAttachment compares the type of a file with what the request says of
// its body.
func (f *filler) checkAttachment(contentType string) {
	given, _ := f.values[attachedType].(string)
	if f.template.Body != "${file_data_binary}" || given == "" {
		return
	}
	said, _, err := mime.ParseMediaType(contentType)
	is, _, fault := mime.ParseMediaType(given)
	if err == nil && fault == nil && said != is && said != "application/octet-stream" {
		f.report.add(f.template.source.value("/headers/Content-Type"), "attachment-type", "the attachment is %s, and Content-Type says %s", is, said)
	}
}
