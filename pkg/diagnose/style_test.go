package diagnose

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// toolWriting is what a tool made of one text, and how it signed that; a null
// text is a refusal.
type toolWriting struct {
	Text      *string
	Signature string
}

type toolTask struct {
	Texts         []string
	Secret, Stamp string
}

// compareWritings checks the table against a tool, byte for byte.
func compareWritings(t *testing.T, texts []string, real map[string][]toolWriting) {
	t.Helper()
	table := tools()
	trees := make([]tree, len(texts))
	for i, text := range texts {
		var ok bool
		if trees[i], ok = parse([]byte(text)); !ok {
			t.Fatalf("%s is not read", text)
		}
	}
	for name, want := range real {
		at := slices.IndexFunc(table, func(t *tool) bool { return t.name == name })
		if at < 0 || len(want) != len(texts) {
			t.Fatalf("%s: in the table at %d, %d texts for %d", name, at, len(want), len(texts))
		}
		wrong := 0
		for i, text := range texts {
			got, expected := "a refusal", "a refusal"
			if out, ok := table[at].write(trees[i]); ok {
				got = string(out)
			}
			if want[i].Text != nil {
				expected = *want[i].Text
			}
			if got != expected {
				if wrong++; wrong <= 3 {
					t.Errorf("%s of %s\n got %s\nwant %s", name, text, got, expected)
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d texts differ", name, wrong, len(texts))
		}
	}
}

func corpus() []string { return append(nasty(), randomTexts(1, 1500)...) }

func TestJavaScriptsWriterIsNodes(t *testing.T) {
	texts := corpus()
	compareWritings(t, texts, signedByNode(t, texts))
}

func TestPythonsWriterIsPythons(t *testing.T) {
	texts := append(corpus(), "["+strings.Repeat("9", 4300)+"]", "["+strings.Repeat("9", 4301)+"]")
	compareWritings(t, texts, signedByPython(t, texts))
}

func TestPHPsWriterIsPHPs(t *testing.T) {
	texts := corpus()
	compareWritings(t, texts, signedByPHP(t, texts))
}

func TestGosWriterIsGos(t *testing.T) {
	texts := corpus()
	compareWritings(t, texts, signedByGo(texts))
}

func TestJQsWriterIsJQs(t *testing.T) {
	texts := slices.DeleteFunc(corpus(), func(s string) bool {
		tree, _ := parse([]byte(s))
		return tree.halves // jq stops reading there
	})
	for _, args := range []string{"-c", "-cS"} {
		row := jqOf(t, "jq "+args)
		lines := strings.SplitAfter(string(runTool(t, []byte(strings.Join(texts, "\n")), "jq", args, ".")), "\n")
		for i, text := range texts {
			tree, _ := parse([]byte(text))
			if got, _ := row.write(tree); string(got) != lines[i] {
				t.Errorf("jq %s of %s\n got %swant %s", args, text, got, lines[i])
			}
		}
	}
}

// jqOf is the row for the version of jq that is installed.
func jqOf(t *testing.T, name string) *tool {
	version := string(runTool(t, nil, "jq", "--version"))
	early := strings.HasPrefix(version, "jq-1.6") || strings.HasPrefix(version, "jq-1.5")
	at := slices.IndexFunc(tools(), func(t *tool) bool { return t.name == name && (t.lone == loneUnread) == early })
	return tools()[at]
}

func TestAMinifierKeepsEveryToken(t *testing.T) {
	texts := corpus()
	real := map[string][]toolWriting{}
	for _, text := range texts {
		var compact, indented bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil || json.Indent(&indented, bytes.TrimSpace([]byte(text)), "", "  ") != nil {
			t.Fatalf("%s is not JSON", text)
		}
		small, large := compact.String(), indented.String()
		real["a minifier"] = append(real["a minifier"], toolWriting{Text: &small})
		real["a formatter with two spaces"] = append(real["a formatter with two spaces"], toolWriting{Text: &large})
	}
	compareWritings(t, texts, real)
}

func TestLaterJQKeepsTheDigitsOfANumber(t *testing.T) {
	for token, want := range map[string]string{
		"1": "1", "1.000": "1.000", "1.0": "1.0", "100e-2": "1.00", "-0": "-0", "5000.00": "5000.00", "1E5": "1E+5", "1e21": "1E+21",
		"12345678909876543212345": "12345678909876543212345", "1.5e-7": "1.5E-7", "0.000001": "0.000001", "0.0000001": "1E-7", "0e10": "0E+10", "12e3": "1.2E+4",
	} {
		if got, ok := jqLiteral(token); !ok || got != want {
			t.Errorf("%s: got %s, want %s", token, got, want)
		}
	}
}

func TestAWriterStopsWhereIndentingExplodes(t *testing.T) {
	text := strings.Repeat("[", 500) + strings.Repeat("0,", 50_000) + "0" + strings.Repeat("]", 500)
	tree, ok := parse([]byte(text))
	if !ok {
		t.Fatal("not read")
	}
	if out, ok := (style{comma: ",", indent: "    "}).write(tree); ok || len(out) > 2<<20 {
		t.Errorf("wrote %d bytes", len(out))
	}
}

func TestWhatIsPastTheBoundsIsNotRead(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":       `{"a":`,
		"nested too far": strings.Repeat("[", 513) + strings.Repeat("]", 513),
		"nested far":     strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"too many":       "[" + strings.Repeat("0,", maxNodes) + "0]",
		"too long":       `"` + strings.Repeat("a", maxRewrite) + `"`,
		"not UTF-8":      "\"\xff\"",
	} {
		if _, ok := parse([]byte(text)); ok {
			t.Errorf("%s: read", name)
		}
	}
	if _, ok := parse([]byte(strings.Repeat("[", 512) + strings.Repeat("]", 512))); !ok {
		t.Error("512 levels are not read")
	}
}
