package ui_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "order 5, Größe 東京 🔧", "order 5, Größe 東京 🔧"},
		{"an escape sequence", "\x1b[31mred", `\x1b[31mred`},
		{"OSC 52 writes the clipboard", "\x1b]52;c;cHduZWQ=\a", `\x1b]52;c;cHduZWQ=\x07`},
		{"C1 control sequence introducer", "\u009b31m", `\u009b31m`},
		{"a right-to-left override", "a\u202eb", `a\u202eb`},
		{"an isolate", "\u2066x\u2069", `\u2066x\u2069`},
		{"zero width and byte order mark", "\u200b\ufeff", `\u200b\ufeff`},
		{"line and paragraph separators", "\u2028\u2029", `\u2028\u2029`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"bytes that are not UTF-8", "a\xffb", `a\xffb`},
		{"line ends and tabs", "a\r\n\tb", `a\x0d\x0a\x09b`},
		{"DEL", "\x7f", `\x7f`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := ui.Clean(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := ui.CleanLines("a\n\tb\r"); got != "a\n\tb\\x0d" {
		t.Errorf("lines: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;x\a \u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := ui.Clean(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%q became %q", s, got)
		}
		if ui.Clean(got) != got {
			t.Errorf("%q is cleaned twice", s)
		}
	})
}

func TestTable_aligns_with_colour_and_escapes(t *testing.T) {
	t.Parallel()
	p := ui.Palette{Color: true}
	var table ui.Table
	table.Row(ui.Cell{Text: "a", Paint: p.Good}, ui.Cell{Text: "x"})
	table.Row(ui.Cell{Text: "é\x1b"}, ui.Cell{Text: "y"})
	table.Field(ui.Palette{}, "long name", "z")
	var b bytes.Buffer
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[32ma\x1b[0m          x\né\\x1b      y\nlong name  z\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestTable_fits_the_last_column(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrap bool
		want string
	}{
		"cut":     {false, "a  one two three f…\nb  x\n"},
		"wrapped": {true, "a  one two three\n   four\nb  x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := ui.Table{Width: 19, Wrap: c.wrap}
			table.Field(ui.Palette{}, "a", "one two three four")
			table.Field(ui.Palette{}, "b", "x")
			var b bytes.Buffer
			if err := table.Write(&b); err != nil || b.String() != c.want {
				t.Errorf("got %q, want %q, %v", b.String(), c.want, err)
			}
		})
	}
}

func TestPalette_without_colour(t *testing.T) {
	t.Parallel()
	var p ui.Palette
	for _, paint := range []func(string) string{p.Good, p.Bad, p.Warn, p.Name, p.Quiet} {
		if got := paint("x"); got != "x" {
			t.Errorf("got %q", got)
		}
	}
	if p.Status(200, "200") != "200" || p.Mark(true) != "✓" || p.Mark(false) != "✗" {
		t.Error("a mark or a status has colour")
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := ui.Wrap("one two three four", "    ", 12)
	if got != "one two\n    three\n    four" {
		t.Errorf("got %q", got)
	}
	if got := ui.Wrap("one two", "  ", 0); got != "one two" {
		t.Errorf("no width: %q", got)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	if got := ui.Short("äöüß", 3); got != "äö…" {
		t.Errorf("got %q", got)
	}
	if got := ui.Short("äöü", 3); got != "äöü" {
		t.Errorf("got %q", got)
	}
}

// nasty are texts that a shell would split or expand.
func nasty() []string {
	return []string{
		"", "plain", "it's", `"double"`, "$HOME `id` $(id)", "a b\tc", "line\nbreak\n", "*?[x]", "~", "-n", "\\n %s %%", "é東🔧",
		"@file", "\x1b[31m", "\x00nul\x01", "\xff\xfe", "100% 'quoted' \u202e", "#!x", "a\r\nb",
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	for _, text := range nasty() {
		out, err := exec.CommandContext(t.Context(), sh, "-c", ui.Printf(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("printf of %q gave %q, %v", text, out, err)
		}
		if strings.ContainsAny(text, "\x00") || strings.HasSuffix(text, "\n") {
			continue // a shell word cannot contain these
		}
		out, err = exec.CommandContext(t.Context(), sh, "-c", "printf '%s' "+ui.Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("word %q gave %q, %v", text, out, err)
		}
	}
}

func TestCurl_shows_no_credential(t *testing.T) {
	t.Parallel()
	got := ui.Curl(webhook.Request{
		Method: "POST", URL: "http://user:hush@127.0.0.1/?token=hush",
		Header: webhook.Header{{Name: "X-API-Key", Value: "hush"}, {Name: "Authorization", Value: "hush"}, {Name: "X-Plain", Value: "it's"}},
		Body:   []byte("@x"),
	})
	want := `printf '%s' @x |
  curl -sS -X POST 'http://[redacted]@127.0.0.1/?token=[redacted]' \
  -H "X-API-Key: $WSK_API_KEY" \
  -H "Authorization: $AUTHORIZATION" \
  -H 'X-Plain: it'\''s' \
  --data-binary @-`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	got := ui.Wire(webhook.Request{
		Method: "POST", URL: "http://127.0.0.1/",
		Header: webhook.Header{{Name: "X-API-Key", Value: "hush"}, {Name: "X-A", Value: "\x1b"}}, Body: []byte("{\n\"a\": \"\x1b\"}"),
	}, ui.Palette{})
	if want := "POST http://127.0.0.1/\nX-API-Key: [redacted]\nX-A: \\x1b\n\n{\n\"a\": \"\\x1b\"}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1s", 65 * time.Second: "1m5s", time.Hour: "1h", 4*time.Hour + 40*time.Minute + time.Second: "4h41m",
	} {
		if got := ui.Span(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Minute: "1m", 1234 * time.Millisecond: "1.2s", 123456 * time.Microsecond: "123ms", 1234 * time.Microsecond: "1.23ms", 1500 * time.Nanosecond: "2µs",
	} {
		if got := ui.Latency(d); got != want {
			t.Errorf("the latency %s is %q, want %q", d, got, want)
		}
	}
}

// A table that is written in blocks keeps the widths of its columns, until a wider
// cell comes.
func TestTable_in_blocks(t *testing.T) {
	t.Parallel()
	var table ui.Table
	var b strings.Builder
	for _, block := range [][]string{{"long", "a"}, {"b"}, {"longer", "c"}, {}, {"d"}} {
		for _, text := range block {
			table.Row(ui.Cell{Text: text}, ui.Cell{Text: "."})
		}
		if err := table.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	const want = "long  .\na     .\nb     .\nlonger  .\nc       .\nd       .\n"
	if b.String() != want {
		t.Errorf("it is\n%s\nwant\n%s", b.String(), want)
	}
}
