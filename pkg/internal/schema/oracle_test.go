package schema_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// pair is one schema, compiled by this package and by the oracle.
type pair struct {
	name     string
	ours     *schema.Schema
	oracle   *jsonschema.Schema
	payloads []string // to begin with
}

// pairs compiles every schema of the catalog and of the keyword tables.
func pairs(tb testing.TB) []pair {
	tb.Helper()
	fsys := os.DirFS(catalog)
	var list []pair
	byFile := map[string]int{}
	for _, file := range catalogFiles(tb) {
		ours, err := schema.Compile(func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) }, file)
		if err != nil {
			tb.Fatal(err)
		}
		byFile[file] = len(list)
		list = append(list, pair{name: file, ours: ours, oracle: oracleOf(tb, catalogURLs{fsys}, catalogBase+file)})
	}
	for _, s := range samples(tb) {
		p := &list[byFile[s.file]]
		p.payloads = append(p.payloads, string(s.payload))
	}
	for _, c := range keywordCases(tb) {
		if tooBigForOracle.MatchString(c.schema) {
			continue
		}
		p := pair{name: c.name, ours: mustCompile(tb, c.schema), payloads: c.right}
		for _, w := range c.wrong {
			p.payloads = append(p.payloads, w.payload)
		}
		p.oracle = oracleOf(tb, oneSchema(c.schema), "https://wsk.test/schema.json")
		list = append(list, p)
	}
	return list
}

const catalogBase = "https://wsk.dev/schemas/"

// catalogURLs serves the catalog under the addresses in its $id.
type catalogURLs struct{ fsys fs.FS }

func (l catalogURLs) Load(url string) (any, error) {
	name, ok := strings.CutPrefix(url, catalogBase)
	if !ok {
		return nil, errors.New("not of the catalog: " + url)
	}
	raw, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}

type oneSchema string

func (s oneSchema) Load(string) (any, error) {
	return jsonschema.UnmarshalJSON(strings.NewReader(string(s)))
}

// oracleOf compiles a schema with the oracle. Both use the formats of this
// package, so that only the logic of the keywords is compared.
func oracleOf(tb testing.TB, loader jsonschema.URLLoader, url string) *jsonschema.Schema {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(loader)
	c.AssertFormat()
	for _, name := range schema.Formats() {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if text, ok := v.(string); ok && !schema.FitsFormat(name, text) {
				return errors.New("does not fit")
			}
			return nil
		}})
	}
	compiled, err := c.Compile(url)
	if err != nil {
		tb.Fatal(err)
	}
	return compiled
}

// tooBigForOracle finds exponents that the oracle expands in full.
var tooBigForOracle = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

// compare fails if the two disagree on a payload that is strict JSON, and reports
// whether there was something to compare.
func (p *pair) compare(t *testing.T, checker *schema.Checker, payload []byte) bool {
	t.Helper()
	found := checker.Check(p.ours, payload)
	inOrder(t, payload, found)
	isText := func(k schema.Kind) bool { return k == schema.Syntax || k == schema.DuplicateKey || k == schema.Depth }
	if summarize(found, isText) != "" || tooBigForOracle.Match(payload) {
		return false
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		t.Errorf("%s: %s: the oracle cannot read it: %v", p.name, payload, err)
		return false
	}
	fault := p.oracle.Validate(value)
	if isValid(found) != (fault == nil) {
		t.Errorf("%s: %s\nours: %s\noracle: %v", p.name, payload, summarize(found, schema.Kind.IsViolation), fault)
	}
	return true
}
