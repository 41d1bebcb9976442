package report_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wskdev/wsk/pkg/report"
)

// sarifSchema is the schema that OASIS publishes, compiled by a library that
// the product does not use.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	raw, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	const id = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	if err := c.AddResource(id, doc); err != nil {
		return nil, err
	}
	return c.Compile(id)
})

func validate(t testing.TB, text string) error {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return schema.Validate(doc)
}

type sarif struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name, Version, InformationURI string
				Rules                         []struct{ ID string }
			}
		}
		ColumnKind string
		Results    *[]sarifResult
	}
}

type sarifResult struct {
	RuleID    string
	RuleIndex *int
	Level     string
	Message   struct{ Text string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine, StartColumn int }
		}
		LogicalLocations []struct{ FullyQualifiedName string }
	}
	PartialFingerprints map[string]string
}

func readSARIF(t testing.TB, text string) (doc sarif) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Runs) != 1 || doc.Runs[0].Results == nil {
		t.Fatalf("%v: %s", err, text)
	}
	return doc
}

func checkSARIF(t testing.TB, text string, r run, tool report.Tool) {
	t.Helper()
	if err := validate(t, text); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	doc := readSARIF(t, text).Runs[0]
	if len(*doc.Results) != len(r.findings) || doc.Tool.Driver.Name != utf8Of(tool.Name) {
		t.Fatalf("%+v of %+v", doc, r.findings)
	}
	for i, f := range r.findings {
		got := (*doc.Results)[i]
		if got.RuleID != utf8Of(f.Rule) || got.Level != f.Severity.String() || len(got.Locations) != 1 {
			t.Errorf("%+v of %+v", got, f)
		}
		if i := got.RuleIndex; i != nil && doc.Tool.Driver.Rules[*i].ID != got.RuleID ||
			i == nil && slices.ContainsFunc(tool.Rules, func(rule report.Rule) bool { return rule.ID == f.Rule }) {
			t.Errorf("rule %q has another index: %+v", f.Rule, got)
		}
		plain := strings.NewReplacer("{{", "{", "}}", "}", "] (", "](").Replace(got.Message.Text)
		if want := strings.ReplaceAll(utf8Of(f.Message), "] (", "]("); plain != want {
			t.Errorf("message %q of %q", plain, want)
		}
		if strings.Contains(got.Message.Text, "](") {
			t.Errorf("a link: %q", got.Message.Text)
		}
		place := got.Locations[0]
		if place.PhysicalLocation.Region.StartLine != max(f.Line, 0) {
			t.Errorf("%+v of %+v", place, f)
		}
		if f.Pointer != "" && place.LogicalLocations[0].FullyQualifiedName != utf8Of(f.Pointer) {
			t.Errorf("%+v of %+v", place, f)
		}
		if u, err := url.Parse(place.PhysicalLocation.ArtifactLocation.URI); err != nil || strings.Trim(u.String(), "!-~") == "" {
			t.Errorf("%q is not a URI: %v", u, err)
		}
	}
}

func TestSARIFSchemaRefuses(t *testing.T) {
	t.Parallel()
	good := nasty().write(t, "sarif", tool())
	for name, change := range map[string][2]string{
		"an unknown level":       {`"level":"error"`, `"level":"fatal"`},
		"line 0":                 {`"startLine":14`, `"startLine":0`},
		"a URI with a space":     {`"uri":"order.json"`, `"uri":"order json%"`},
		"an unknown member":      {`"ruleId"`, `"rule"`},
		"another version":        {`"version":"2.1.0"`, `"version":"2.2.0"`},
		"no absolute URL":        {`"informationUri":"https://wsk.dev/lint"`, `"informationUri":"wsk"`},
		"a rule without its ID":  {`"id":"alias",`, ``},
		"a column kind of bytes": {`unicodeCodePoints`, `bytes`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, change[0], change[1], 1)
			if bad == good || validate(t, bad) == nil {
				t.Errorf("%s is accepted, or the change had no effect", name)
			}
		})
	}
}

func TestWriterSARIFNamesFilesAsURIs(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"order.json":                 "order.json",
		"./a//b/../order.json":       "a/order.json",
		"../a b/ü.json":              "../a%20b/%C3%BC.json",
		"c:d.json":                   "c%3Ad.json",
		"100%#?.json":                "100%25%23%3F.json",
		"/tmp/a:b c.json":            "file:///tmp/a:b%20c.json",
		"stdin":                      "stdin",
		"-":                          "stdin",
		"":                           "stdin",
		"\xff\x1b":                   "%FF%1B",
		"https://[::1]:3000/h?a=b c": "https://[::1]:3000/h?a=b%20c",
		"https://":                   "https%3A",
	} {
		r := run{findings: []report.Finding{{File: file, Severity: report.Note}}}
		text := r.write(t, "sarif", tool())
		if err := validate(t, text); err != nil {
			t.Errorf("%q: %v", file, err)
		}
		if got := (*readSARIF(t, text).Runs[0].Results)[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != want {
			t.Errorf("%q is %s, want %s", file, got, want)
		}
	}
}

func TestWriterSARIFFingerprint(t *testing.T) {
	t.Parallel()
	hash := func(f report.Finding) string {
		doc := readSARIF(t, run{findings: []report.Finding{f}}.write(t, "sarif", report.Tool{}))
		return (*doc.Runs[0].Results)[0].PartialFingerprints["findingHash/v1"]
	}
	f := report.Finding{File: "a.json", Line: 1, Column: 2, Pointer: "/a", Severity: report.Error, Rule: "type", Message: "no"}
	moved := report.Finding{File: "./a.json", Line: 9, Column: 8, Pointer: "/a", Severity: report.Warning, Rule: "type", Message: "no"}
	if hash(f) != hash(moved) || len(hash(f)) != 32 {
		t.Errorf("%s, then %s", hash(f), hash(moved))
	}
	for name, other := range map[string]report.Finding{
		"file":    {File: "b.json", Pointer: "/a", Severity: report.Error, Rule: "type", Message: "no"},
		"pointer": {File: "a.json", Pointer: "/b", Severity: report.Error, Rule: "type", Message: "no"},
		"rule":    {File: "a.json", Pointer: "/a", Severity: report.Error, Rule: "range", Message: "no"},
		"message": {File: "a.json", Pointer: "/a", Severity: report.Error, Rule: "type", Message: "yes"},
		"borders": {File: "a.json", Pointer: "a", Severity: report.Error, Rule: "type/", Message: "no"},
	} {
		if hash(f) == hash(other) {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
}

func TestWriterSARIFListsARuleOnce(t *testing.T) {
	t.Parallel()
	twice := tool()
	twice.Rules = append(twice.Rules, twice.Rules[0], report.Rule{ID: "type", Severity: report.Note, Help: "another"})
	r := run{findings: []report.Finding{{File: "a", Severity: report.Note, Rule: "alias"}}}
	text := r.write(t, "sarif", twice)
	checkSARIF(t, text, r, twice)
	if n := len(readSARIF(t, text).Runs[0].Tool.Driver.Rules); n != 3 {
		t.Errorf("%d rules: %s", n, text)
	}
}
