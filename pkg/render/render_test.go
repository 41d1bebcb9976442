package render

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

// templates returns the files of testdata/templates.
func templates(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, glob := range []string{"*.yaml", "*.json"} {
		names, err := filepath.Glob(filepath.Join("../../testdata/templates", glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = raw
		}
	}
	if len(files) < 7 {
		t.Fatalf("only %d templates", len(files))
	}
	return files
}

func parsed(t testing.TB, raw []byte) Template {
	t.Helper()
	template, findings := Parse(raw)
	for _, f := range findings {
		t.Errorf("%d:%d: %s (%s)", f.Line, f.Column, f.Message, f.Rule)
	}
	return template
}

// wire returns a request as text.
func wire(r webhook.Request) []byte {
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.URL + "\n")
	for _, h := range r.Header {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	b.WriteString("\n")
	b.Write(r.Body)
	return b.Bytes()
}

// TestRenderGolden compares each template's request with the .http file beside
// it; -update writes these files.
func TestRenderGolden(t *testing.T) {
	t.Parallel()
	for name, raw := range templates(t) {
		template := parsed(t, raw)
		samples, err := Samples(template.Event)
		if err != nil {
			t.Fatal(err)
		}
		request, findings := template.Render(samples, at())
		for _, f := range findings {
			if f.Severity == report.Error {
				t.Errorf("%s:%d:%d: %s (%s)", name, f.Line, f.Column, f.Message, f.Rule)
			}
		}
		golden := filepath.Join("../../testdata/templates", strings.TrimSuffix(strings.TrimSuffix(name, ".yaml"), ".json")+".http")
		if *update {
			if err := os.WriteFile(golden, wire(request), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := wire(request); !bytes.Equal(got, want) {
			t.Errorf("%s renders to\n%s\nwant\n%s", name, got, want)
		}
	}
}

// hostileValues break out of one place or another if they are not escaped.
var hostileValues = []string{
	`"`, `\`, `\"`, `x","admin":true,"b":"`, `'`, `it's`, `&`, `&amp;`, `<b>`, `]]>`, `]]]]><![CDATA[>`, `-->`, `<!--`, `<?x?>`, `&#0;`, `' onload='1`,
	"a\nb", "a\r\nb", "a\rb", "\t", "\x00", "\x01", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u202eabc", "\ufeff", "\ufffd", "é", "日本語", "😀", "👩‍👩‍👧",
	`${assignment_id}`, `$${note}`, `${`, `}`, `%00`, `%`, `%zz`, `+`, ` `, `a b`, `;`, `a=b&c=d`, `?`, `#`, `/`, `../..`, `//evil.example`, `@evil.example`,
	`--`, `\u0000`, `\n`, "null", "true", "1e999", "0", "-0", "5000.00", "9007199254740993", "NaN", "", "\xff", "a\xc3", "\xed\xa0\x80", strings.Repeat("x\"", 5000),
}

// TestRenderHostileValues puts each hostile value into each variable of each
// template. Either the value is refused, or the body stays well-formed, keeps
// its names and gives the value back.
func TestRenderHostileValues(t *testing.T) {
	t.Parallel()
	tried, refused := 0, 0
	for name, raw := range templates(t) {
		template := parsed(t, raw)
		samples, err := Samples(template.Event)
		if err != nil {
			t.Fatal(err)
		}
		plain, _ := template.Render(samples, at())
		for _, variable := range variablesOf(template) {
			for _, value := range hostileValues {
				if variable == "file_data_binary" {
					request, _ := template.Render(samples.With(variable, []byte(value)), at())
					if string(request.Body) != value {
						t.Errorf("%s: the bytes %q come out as %q", name, value, request.Body)
					}
					continue
				}
				request, findings := template.Render(samples.With(variable, value), at())
				tried++
				if report.Count(findings).Errors > 0 {
					refused++
					continue
				}
				if fault := sameShape(plain, request); fault != "" {
					t.Errorf("%s with %s = %q: %s\n%s", name, variable, value, fault, wire(request))
				}
				if !givesBack(request, template, variable, value) {
					t.Errorf("%s with %s = %q: the request does not contain the value:\n%s", name, variable, value, wire(request))
				}
			}
		}
	}
	if tried < 1500 || refused*3 > tried {
		t.Errorf("%d tried, %d refused", tried, refused)
	}
}

func variablesOf(t Template) (names []string) {
	texts := []string{t.URL, t.Body}
	for _, h := range t.Header {
		texts = append(texts, h.Value)
	}
	seen := map[string]bool{"now": true} // not from values
	for _, text := range texts {
		segments, _ := split(text)
		for _, s := range segments {
			if s.variable != "" && !seen[s.variable] {
				seen[s.variable] = true
				names = append(names, s.variable)
			}
		}
	}
	return names
}

// sameShape compares two requests of one template as a receiver parses them:
// the same host, the same names.
func sameShape(a, b webhook.Request) string {
	for _, r := range []webhook.Request{a, b} {
		if _, err := http.NewRequest(r.Method, r.URL, bytes.NewReader(r.Body)); err != nil {
			return err.Error()
		}
	}
	u, _ := url.Parse(a.URL)
	v, err := url.Parse(b.URL)
	if err != nil || u.Host != v.Host || strings.Count(u.EscapedPath(), "/") != strings.Count(v.EscapedPath(), "/") || v.Fragment != "" || len(u.Query()) != len(v.Query()) {
		return "the URL has another shape"
	}
	if len(a.Body) == 0 {
		return ""
	}
	before, _ := shapeOf(a)
	after, err := shapeOf(b)
	switch {
	case err != nil:
		return err.Error()
	case !reflect.DeepEqual(before, after):
		return "the body has another shape"
	}
	return ""
}

// shapeOf lists the names in a body.
func shapeOf(r webhook.Request) ([]string, error) {
	switch kindOf(r.Header.Get("Content-Type")) {
	case jsonBody:
		if err := webhook.CheckJSON(r.Body); err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(r.Body))
		d.UseNumber() // 1e999 is one
		var v any
		err := d.Decode(&v)
		return jsonNames(v), err
	case xmlBody:
		return xmlNames(r.Body)
	case formBody:
		values, err := url.ParseQuery(string(r.Body))
		var names []string
		for pair := range strings.SplitSeq(string(r.Body), "&") {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, name)
		}
		if len(values) != len(names) {
			return nil, errors.New("fields were lost")
		}
		return names, err
	}
	return nil, nil
}

// jsonNames lists the names of objects within objects, in sorted order.
func jsonNames(v any) (names []string) {
	m, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		names = append(names, name)
		names = append(names, jsonNames(m[name])...)
	}
	return names
}

func xmlNames(body []byte) (names []string, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		if e, ok := token.(xml.StartElement); ok {
			names = append(names, e.Name.Local)
			for _, a := range e.Attr {
				names = append(names, "@"+a.Name.Local)
			}
		}
	}
}

// givesBack reports whether a request contains a value where the template has
// the variable, as a receiver parses it.
func givesBack(r webhook.Request, t Template, variable, value string) bool {
	expected := value
	if at, ok := dateOf(value); ok && variables()[variable].isDate {
		expected = t.Dates.format(at)
	}
	contains := func(text string) bool { return strings.Contains(text, expected) }
	placeholder := "${" + variable + "}"
	if strings.Contains(t.URL, placeholder) {
		u, err := url.Parse(r.URL)
		if err != nil || !contains(unescaped(u)) {
			return false
		}
	}
	for i, h := range t.Header {
		if strings.Contains(h.Value, placeholder) && !contains(r.Header[i].Value) {
			return false
		}
	}
	return !strings.Contains(t.Body, placeholder) || slices.ContainsFunc(textsOf(r), contains)
}

func unescaped(u *url.URL) string {
	var text strings.Builder
	text.WriteString(u.Path)
	for _, values := range u.Query() {
		text.WriteString("\n" + strings.Join(values, "\n"))
	}
	return text.String()
}

// textsOf lists every text that a parser finds in a body.
func textsOf(r webhook.Request) (texts []string) {
	switch kindOf(r.Header.Get("Content-Type")) {
	case jsonBody:
		d := json.NewDecoder(bytes.NewReader(r.Body))
		d.UseNumber()
		for {
			token, err := d.Token()
			if err != nil {
				return texts
			}
			switch v := token.(type) {
			case string:
				texts = append(texts, v)
			case json.Number:
				texts = append(texts, v.String())
			case bool, nil:
				raw, _ := json.Marshal(v)
				texts = append(texts, string(raw))
			}
		}
	case xmlBody:
		d := xml.NewDecoder(bytes.NewReader(r.Body))
		var run strings.Builder
		for {
			token, err := d.Token()
			if err != nil {
				return append(texts, run.String())
			}
			switch v := token.(type) {
			case xml.CharData:
				run.Write(v)
			case xml.StartElement:
				for _, a := range v.Attr {
					texts = append(texts, a.Value)
				}
				texts = append(texts, run.String())
				run.Reset()
			case xml.EndElement:
				texts = append(texts, run.String())
				run.Reset()
			}
		}
	case formBody:
		values, _ := url.ParseQuery(string(r.Body))
		for _, v := range values {
			texts = append(texts, v...)
		}
		return texts
	}
	return []string{string(r.Body)}
}

func TestRenderDoesNotExpandValues(t *testing.T) {
	t.Parallel()
	template := parsed(t, []byte(template("headers: {Content-Type: text/plain}\nbody: ${note}/${status}\n")))
	request, _ := template.Render(Values{"note": "${status}", "status": "${note}"}, at())
	if got := string(request.Body); got != "${status}/${note}" {
		t.Errorf("rendered %q", got)
	}
}

func TestRetarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rendered, base, want string }{
		{"https://erp.example.com/jobs/a%2Fb?c=d%20e", "http://localhost:3000", "http://localhost:3000/jobs/a%2Fb?c=d%20e"},
		{"https://erp.example.com/jobs", "http://localhost:3000/base/", "http://localhost:3000/base/jobs"},
		{"https://erp.example.com", "http://u:p@localhost/hooks", "http://u:p@localhost/hooks"},
	} {
		if got, err := Retarget(c.rendered, c.base); err != nil || got != c.want {
			t.Errorf("%s to %s: %q, %v, want %q", c.rendered, c.base, got, err, c.want)
		}
	}
	if _, err := Retarget("https://example.com/", "http://[::1"); err == nil {
		t.Error("a base that is not a URL is accepted")
	}
}

func TestRenderLimit(t *testing.T) {
	t.Parallel()
	template := parsed(t, []byte(template("headers: {Content-Type: text/plain}\nbody: "+strings.Repeat("${note}", 40)+"\n")))
	request, findings := template.Render(Values{"note": strings.Repeat("x", 2<<20)}, at())
	if len(request.Body) != 0 || len(findings) != 1 || findings[0].Rule != "limit" {
		t.Errorf("rendered a body of %d bytes, %v", len(request.Body), findings)
	}
}

func TestValuesAttach(t *testing.T) {
	t.Parallel()
	data := []byte("\x89PNG\r\n\x00\xff")
	samples, err := Samples("attachment_added")
	if err != nil {
		t.Fatal(err)
	}
	v := samples.Attach(Attachment{Name: "a b.png", Description: "d", UUID: "u", ContentType: "image/png", Data: data})
	if v["file_description"] != "d" {
		t.Errorf("the description is %v", v["file_description"])
	}
	kept := samples.Attach(Attachment{Name: "a.png"})
	if kept["file_description"] != samples["file_description"] || kept["file_uuid"] != samples["file_uuid"] {
		t.Errorf("an attachment without them changes description or UUID: %v", kept)
	}
	template := parsed(t, templates(t)["file_store.yaml"])
	request, findings := template.Render(v, at())
	if !bytes.Equal(request.Body, data) || !strings.HasSuffix(request.URL, "/u/a%20b.png") || request.Header.Get("X-File-Length") != "8" {
		t.Errorf("rendered %s, %v", wire(request), findings)
	}
	template.Header[0].Value = "image/jpeg"
	_, findings = template.Render(v, at())
	if !slices.ContainsFunc(findings, func(f report.Finding) bool { return f.Rule == "attachment-type" }) {
		t.Errorf("a PNG sent as image/jpeg: %v", findings)
	}
}

func TestStarter(t *testing.T) {
	t.Parallel()
	for _, d := range Events() {
		for _, kind := range StarterTypes() {
			raw, err := Starter(d.Type, kind)
			if err != nil {
				t.Fatal(err)
			}
			template := parsed(t, []byte(raw))
			samples, err := Samples(d.Type)
			if err != nil {
				t.Fatal(err)
			}
			_, findings := template.Render(samples, at())
			for _, f := range findings {
				if f.Rule != "value-unescaped" {
					t.Errorf("%s %s: %+v", d.Type, kind, f)
				}
			}
			for _, name := range eventVariables(d) {
				if name != "file_data_binary" && variables()[name].successor == "" && !strings.Contains(raw, "${"+name+"}") {
					t.Errorf("%s %s leaves out ${%s}", d.Type, kind, name)
				}
			}
		}
	}
	const hint = "To send the file itself"
	if raw, err := Starter("attachment_added", "json"); err != nil || !strings.Contains(raw, hint) {
		t.Errorf("%v, no hint at file_data_binary in\n%s", err, raw)
	}
	if raw, err := Starter("paid", "json"); err != nil || strings.Contains(raw, hint) {
		t.Errorf("%v, a hint at file_data_binary in\n%s", err, raw)
	}
	if _, err := Starter("paid", "yaml"); err == nil {
		t.Error("an unknown type of body is accepted")
	}
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	var fitting []string
	for _, fit := range parsed(t, templates(t)["chat_note.yaml"]).Matrix(at()) {
		if fit.OK {
			fitting = append(fitting, fit.Event)
		}
	}
	if got := strings.Join(fitting, " "); got != "check_in" {
		t.Errorf("chat_note fits %q", got)
	}
	if fits := parsed(t, templates(t)["ping.yaml"]).Matrix(at()); len(fits) != 35 || !fits[0].OK || !fits[34].OK {
		t.Errorf("ping fits %d events: %+v", len(fits), fits)
	}
}

// FuzzParse renders any template: every finding is at a position in the file.
func FuzzParse(f *testing.F) {
	for _, raw := range templates(f) {
		f.Add(raw)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("body: |2\n  x\n---\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		template, findings := Parse(raw)
		_, more := template.Render(Values{"note": "n"}, at())
		lines := bytes.Count(raw, []byte("\n")) + 1
		for _, found := range append(findings, more...) {
			if found.Line < 1 || found.Line > lines+1 || found.Column < 1 {
				t.Errorf("%+v is outside of a file of %d lines", found, lines)
			}
		}
	})
}

// FuzzRender renders JSON, XML and a form with any values: a parser gets the
// values back, or they are refused.
func FuzzRender(f *testing.F) {
	for _, value := range hostileValues {
		f.Add(value, value)
	}
	bodies := map[string]string{
		"application/json":                  `{"a": "${note}", "b": ["x${status}y", "${note}${status}"]}`,
		"text/xml":                          `<a b="${note}" c='${status}'>${note}<![CDATA[${status}]]></a>`,
		"application/x-www-form-urlencoded": `a=${note}&b=${status}`,
	}
	f.Fuzz(func(t *testing.T, note, status string) {
		for contentType, body := range bodies {
			template := Template{Event: "check_in", Method: "POST", URL: "https://example.com/${note}?s=${status}", Body: body,
				Header: webhook.Header{{Name: "Content-Type", Value: contentType}}}
			request, findings := template.Render(Values{"note": note, "status": status}, at())
			if report.Count(findings).Errors > 0 {
				if contentType != "text/xml" && utf8.ValidString(note) && utf8.ValidString(status) {
					t.Errorf("%s refuses %q, %q: %v", contentType, note, status, findings)
				}
				continue
			}
			texts := strings.Join(textsOf(request), "\n")
			if !strings.Contains(texts, note) || !strings.Contains(texts, status) {
				t.Errorf("%s loses %q or %q in %s", contentType, note, status, request.Body)
			}
		}
	})
}

// BenchmarkRender shows whether the time is linear in the input: compare MB/s.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		template := Template{Event: "check_in", Method: "POST", URL: "https://example.com/", Body: `{"a": "` + strings.Repeat(`${note} and `, n) + `"}`,
			Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}}}
		values := Values{"note": `he said "no", and left`}
		b.Run(strconv.Itoa(n)+"_variables", func(b *testing.B) {
			b.SetBytes(int64(len(template.Body)))
			for b.Loop() {
				template.Render(values, at())
			}
		})
	}
}
