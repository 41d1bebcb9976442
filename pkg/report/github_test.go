package report_test

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/report"
)

// command is a workflow command as the runner of GitHub Actions reads it.
type command struct {
	name       string
	properties map[string]string
	data       string
}

// readCommand splits a line as the runner does: at the second "::", the first
// space, commas, and the first "=".
func readCommand(line string) (c command, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimLeft(line, " \t"), "::")
	head, data, found := strings.Cut(line, "::")
	if !ok || !found {
		return c, false
	}
	name, list, _ := strings.Cut(head, " ")
	c = command{name: name, properties: map[string]string{}, data: unescape(data, "%0D", "\r", "%0A", "\n", "%25", "%")}
	for pair := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		if key, value, _ := strings.Cut(pair, "="); value != "" {
			c.properties[key] = unescape(value, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
		}
	}
	return c, true
}

func unescape(s string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

func checkGitHub(t testing.TB, text string, r run) {
	t.Helper()
	all := lines(t, text)
	if len(all) != len(r.findings) {
		t.Fatalf("%d lines for %d findings:\n%s", len(all), len(r.findings), text)
	}
	for i, f := range r.findings {
		c, ok := readCommand(all[i])
		want := map[report.Severity]string{report.Error: "error", report.Warning: "warning", report.Note: "notice"}[f.Severity]
		if !ok || c.name != want {
			t.Errorf("no %s: %s", want, all[i])
		}
		for key := range c.properties {
			if !slices.Contains([]string{"file", "line", "col", "title"}, key) {
				t.Errorf("property %q: %s", key, all[i])
			}
		}
		if line, _ := strconv.Atoi(c.properties["line"]); line != max(f.Line, 0) {
			t.Errorf("line %d of %d: %s", line, f.Line, all[i])
		}
		// What needs no escape must come back unchanged.
		if shown(f.Message) && !strings.HasPrefix(c.data, f.Message) {
			t.Errorf("message %q of %q", c.data, f.Message)
		}
		// The runner trims white space after the last property.
		if shown(f.File) && f.File != "" && !strings.Contains(f.File, "://") {
			if got, want := c.properties["file"], path.Clean(f.File); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("file %q of %q", got, want)
			}
		}
	}
}

// shown reports whether a text is shown unchanged: printable ASCII and line ends.
func shown(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' || r > '~') && r != '\r' && r != '\n' })
}

func TestWriterGitHubCarriesThePlace(t *testing.T) {
	t.Parallel()
	r := run{findings: []report.Finding{
		{File: "a/b.json", Line: 14, Column: 5, Pointer: "/data/x", Severity: report.Error, Rule: "type", Message: "no"},
		{File: "./b,c:%.json", Line: 1, Severity: report.Warning, Rule: "type", Message: "100%\nno"},
		{Severity: report.Note, Message: "no"},
	}}
	want := "::error file=a/b.json,line=14,col=5,title=type::no at /data/x\n" +
		"::warning file=b%2Cc%3A%25.json,line=1,title=type::100%25%0Ano\n" +
		"::notice::no\n"
	if got := r.write(t, "github", tool()); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}
