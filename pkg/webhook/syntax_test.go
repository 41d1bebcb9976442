package webhook_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// goodJSON is taken, badJSON refused at a place and for a reason.
var (
	goodJSON = []string{
		"{}", "[]", "null", "true", "0", "-0", "5000.00", "1e400", "9007199254740993", `""`, `"\u00e9\ud83d\udd27\/"`, "\r\n {} \t\n",
		`{"a":{"b":[1,{"c":null}]}}`, "\"\u2028\u2029\x7f\"", `{"":""}`, "\"\ufeff\"", `"\ud800"`, `{"a":1,"a":2}`,
	}
	badJSON = []struct {
		name, raw    string
		line, column int
		reason       string
	}{
		{"nothing", "", 1, 1, "this is empty"},
		{"blank lines", " \r\n\t\n", 1, 1, "this is empty"},
		{"a byte order mark", "\ufeff{}", 1, 1, "byte order mark"},
		{"a byte order mark alone", "\ufeff", 1, 1, "byte order mark"},
		{"UTF-16, little end first", "\xff\xfe{\x00}\x00", 1, 1, "UTF-16"},
		{"UTF-16, big end first", "\xfe\xff\x00{\x00}", 1, 1, "UTF-16"},
		{"UTF-16 without a mark", "{\x00\"\x00a\x00\"\x00", 1, 2, "a NUL byte"},
		{"a binary file", "\x00\x01\x02", 1, 1, "a NUL byte"},
		{"a NUL in a string", "{\"a\":\"b\x00\"}", 1, 8, "a NUL byte"},
		{"a control character in a string", "{\"a\":\"b\n\"}", 1, 8, "in a string, where it must be escaped"},
		{"cut off in a string", `{"a":"b`, 1, 8, "cut off"},
		{"cut off in an object", "{\n  \"a\": 1,\n", 3, 1, "cut off"},
		{"cut off in a number", "-", 1, 2, "cut off"},
		{"cut off in a literal", "nul", 1, 4, "cut off"},
		{"a space in a literal", "[nul ", 1, 5, "' ' in a word"},
		{"a comma before a brace", "{\n  \"a\": 1,\n}", 3, 1, "a trailing comma"},
		{"a comma before a bracket", "[1, ]", 1, 5, "a trailing comma"},
		{"a bracket in place of a value", `{"a":]`, 1, 6, "where a value is expected"},
		{"a brace in place of a value", `{"a":}`, 1, 6, "where a value is expected"},
		{"a brace that closes a list", `[1}`, 1, 3, "where a comma or ] is expected"},
		{"a comma first", `[,1]`, 1, 2, "where a value is expected"},
		{"two values", "{} {}", 1, 4, "after the end of the JSON"},
		{"two lines of NDJSON", "{}\n{}\n", 2, 1, "after the end of the JSON"},
		{"a byte after the end", "{}x", 1, 3, "after the end of the JSON"},
		{"NaN", `{"a":NaN}`, 1, 6, "'N'"},
		{"Infinity", `[-Infinity]`, 1, 3, "'I' in a number"},
		{"undefined", `[undefined]`, 1, 2, "'u'"},
		{"a leading zero", `[01]`, 1, 3, "where a comma or ] is expected"},
		{"a leading plus", `[+1]`, 1, 2, "'+'"},
		{"a bare dot", `[.5]`, 1, 2, "'.'"},
		{"a hex number", `[0x1]`, 1, 3, "'x' where a comma or ]"},
		{"single quotes", `{'a':1}`, 1, 2, `'\''`},
		{"a bare name", `{a:1}`, 1, 2, "'a'"},
		{"a comment", "// x\n{}", 1, 1, "'/'"},
		{"a bad hex escape", `"\u00g0"`, 1, 6, "four hex digits"},
		{"no colon", `{"a" 1}`, 1, 6, "where a colon is expected"},
		{"no comma", `{"a":1 "b":2}`, 1, 8, "where a comma or } is expected"},
		{"a bad escape", `"\x41"`, 1, 3, "after a backslash"},
		{"a byte that is not UTF-8", "{\n  \"a\": \"Caf\xe9\"}", 2, 12, "not UTF-8"},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", 1, 2, "not UTF-8"},
		{"an overlong slash", "\"\xc0\xaf\"", 1, 2, "not UTF-8"},
		{"past U+10FFFF", "\"\xf4\x90\x80\x80\"", 1, 2, "not UTF-8"},
		{"HTML", "<html>", 1, 1, "'<'"},
		{"form data", "a=1&b=2", 1, 1, "'a'"},
		{"a no-break space", "\u00a0{}", 1, 1, "where a value is expected"},
		{"columns count characters", "{\"Café 🔧\": x}", 1, 12, "'x'"},
		{"columns count a tab as one", "{\t\t\"a\": x}", 1, 9, "'x'"},
		{"lines end in CRLF", "{\r\n\"a\": x}", 2, 6, "'x'"},
		{"100,000 open brackets", strings.Repeat("[", 100_000), 1, 10_001, "nested too deep"},
		{"100,000 open braces", strings.Repeat(`{"a":`, 100_000), 1, 50_001, "nested too deep"},
		{"depth 10,001, closed", strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), 1, 10_001, "nested too deep"},
	}
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	deepest := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for _, raw := range append(goodJSON, deepest) {
		if err := webhook.CheckJSON([]byte(raw)); err != nil {
			t.Errorf("%.60q: %v", raw, err)
		}
	}
}

// Whatever is wrong gives an error with its place, and no crash.
func TestCheckJSON_names_the_place(t *testing.T) {
	t.Parallel()
	for _, test := range badJSON {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := webhook.CheckJSON([]byte(test.raw))
			var syntax *webhook.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error %v, want a SyntaxError", err)
			}
			if syntax.Line != test.line || syntax.Column != test.column || !strings.Contains(syntax.Reason, test.reason) {
				t.Errorf("%v; want line %d, column %d: %s", syntax, test.line, test.column, test.reason)
			}
			if before := test.raw[:syntax.Offset]; strings.Count(before, "\n")+1 != syntax.Line {
				t.Errorf("offset %d is not in line %d", syntax.Offset, syntax.Line)
			}
			if _, eventErr := webhook.ParseEvent([]byte(test.raw)); eventErr == nil || eventErr.Error() != err.Error() {
				t.Errorf("ParseEvent: %v, want %v", eventErr, err)
			}
		})
	}
}

// agreesWithEncodingJSON compares with the standard library: CheckJSON takes
// no more than it, and less only where its rules are stricter.
func agreesWithEncodingJSON(t testing.TB, raw []byte) {
	t.Helper()
	err := webhook.CheckJSON(raw)
	if want := json.Valid(raw) && utf8.Valid(raw); (err == nil) != want {
		t.Errorf("%.200q: %v, want valid to be %v", raw, err, want)
	}
	var syntax *webhook.SyntaxError
	if err != nil && (!errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(raw) || syntax.Line < 1 || syntax.Column < 1) {
		t.Errorf("%.200q: an error without a place: %#v", raw, err)
	}
}

func TestCheckJSON_agrees_with_encoding_json(t *testing.T) {
	t.Parallel()
	for _, raw := range goodJSON {
		agreesWithEncodingJSON(t, []byte(raw))
	}
	for _, test := range badJSON {
		agreesWithEncodingJSON(t, []byte(test.raw))
	}
}

// FuzzCheckJSON holds that what passes without encoding/json would
// pass with it.
func FuzzCheckJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,2.5e-3,"\u00e9\n",true,false,null]}`, "[1,]", "\"\x01\"", `"\x"`, `"\u12g4"`, "01", "-", "1.", "1e", ".5", "tru", " [ ] ",
		"\"\xff\"", `{"a":1,}`, "\"\x7f\"", "nulll", "[1 2]", "\x00", "\v1", "1\u00a0", `{"a"}`, `{1:2}`, `"`, "[[[", strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if webhook.CheckJSON(raw) == nil && !json.Valid(raw) {
			t.Errorf("%q passes, and is not JSON", raw)
		}
	})
}
