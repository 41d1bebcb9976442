package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// keywordCase is a schema of testdata/keyword with valid and invalid payloads. In
// the files a case is its name and, indented below it, the schema, then lines
// that start with a plus and have valid payloads separated by " | ", then lines
// that start with a minus and have one payload with its violations: kind and
// pointer of each, in order.
type keywordCase struct {
	name, schema string
	right        []string
	wrong        []wrongPayload
}

type wrongPayload struct{ payload, violations string }

func keywordCases(tb testing.TB) []keywordCase {
	tb.Helper()
	files, err := filepath.Glob("testdata/keyword/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no cases: %v", err)
	}
	var cases []keywordCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		group := strings.TrimSuffix(filepath.Base(file), ".txt")
		for line := range strings.Lines(string(text)) {
			cases = addLine(tb, cases, group, strings.TrimSuffix(line, "\n"))
		}
	}
	return cases
}

func addLine(tb testing.TB, cases []keywordCase, group, line string) []keywordCase {
	tb.Helper()
	body, indented := strings.CutPrefix(line, "  ")
	switch {
	case line == "" || line[0] == '#':
		return cases
	case !indented:
		return append(cases, keywordCase{name: group + "/" + line})
	}
	c := &cases[len(cases)-1]
	switch {
	case strings.HasPrefix(body, "+ "):
		c.right = append(c.right, strings.Split(body[2:], " | ")...)
	case strings.HasPrefix(body, "- "):
		payload, violations, ok := strings.Cut(body[2:], " => ")
		if !ok {
			tb.Fatalf("%s: no violations are named: %s", c.name, line)
		}
		c.wrong = append(c.wrong, wrongPayload{payload, violations})
	default:
		c.schema = body
	}
	return cases
}

func TestCheckKeywords(t *testing.T) {
	unescape := strings.NewReplacer(`\n`, "\n", `\x00`, "\x00", `\\`, `\`)
	for _, c := range keywordCases(t) {
		t.Run(c.name, func(t *testing.T) {
			s := mustCompile(t, c.schema)
			checker := new(schema.Checker)
			for _, payload := range c.right {
				if got := summarize(checker.Check(s, []byte(payload)), schema.Kind.IsViolation); got != "" {
					t.Errorf("%s is valid, but: %s", payload, got)
				}
			}
			for _, w := range c.wrong {
				want := unescape.Replace(w.violations)
				if got := summarize(checker.Check(s, []byte(w.payload)), schema.Kind.IsViolation); got != want {
					t.Errorf("%s:\n got %s\nwant %s", w.payload, got, want)
				}
			}
		})
	}
}

// White space between the parts of a payload changes offsets and nothing else.
func TestCheckKeywordsWithWhiteSpace(t *testing.T) {
	for _, c := range keywordCases(t) {
		s := mustCompile(t, c.schema)
		for _, w := range c.wrong {
			spaced := spaceOut(w.payload)
			tight := summarize(new(schema.Checker).Check(s, []byte(w.payload)), schema.Kind.IsViolation)
			if got := summarize(new(schema.Checker).Check(s, []byte(spaced)), schema.Kind.IsViolation); got != tight {
				t.Errorf("%s: %s: got %s, want %s", c.name, spaced, got, tight)
			}
		}
	}
}

// spaceOut adds white space around the structure of a JSON text.
func spaceOut(text string) string {
	var b strings.Builder
	inString := false
	for i := 0; i < len(text); i++ {
		switch {
		case inString && text[i] == '\\':
			b.WriteByte(text[i])
			i++
		case text[i] == '"':
			inString = !inString
		case !inString && strings.IndexByte("{}[],:", text[i]) >= 0:
			b.WriteString(" \t\r\n        " + text[i:i+1] + "\n ")
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
