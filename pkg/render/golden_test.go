package render

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

func at() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

// templates are the files of testdata/templates.
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

// wire writes a request as it goes over the wire.
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

// TestTemplatesRenderAsTheyDid compares with the requests that stand beside the
// templates; UPDATE_GOLDEN=1 writes them.
func TestTemplatesRenderAsTheyDid(t *testing.T) {
	t.Parallel()
	for name, raw := range templates(t) {
		template := parsed(t, raw)
		samples, err := Samples(template.Event)
		if err != nil {
			t.Fatal(err)
		}
		request, findings := template.Render(samples, at())
		for _, f := range findings {
			if f.Severity == Error {
				t.Errorf("%s:%d:%d: %s (%s)", name, f.Line, f.Column, f.Message, f.Rule)
			}
		}
		golden := filepath.Join("../../testdata/templates", strings.TrimSuffix(strings.TrimSuffix(name, ".yaml"), ".json")+".http")
		if os.Getenv("UPDATE_GOLDEN") != "" {
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
