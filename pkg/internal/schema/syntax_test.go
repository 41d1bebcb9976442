package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// validTexts are JSON in every form that the grammar allows.
var validTexts = []string{
	`{}`, `[]`, `""`, `0`, `true`, `false`, `null`, ` [ ] `, "\t{\r\n}\n ", `[[]]`, `{"a":{}}`, `{"":0}`, `[1,null,"a",{},[]]`,
	`-0`, `-1`, `10`, `0.5`, `-0.0`, `1e1`, `1E1`, `1e+1`, `1E-01`, `0e0`, `1.5e300`, `123456789012345678901234567890`, `[1 , 2]`,
	`1e400`, `-1e-400`, `0.` + strings.Repeat("0", 400) + `1`, `1e99999999999999999999`, `-0e-0`,
	`"\"\\\/\b\f\n\r\t"`, `"\u0000\u001f\u007f"`, `"\u00e9\u00E9"`, `"\ud83d\ude00"`, `"\uD83D\uDE00"`, `"\udbff\udfff"`, `"\ufffe\uffff"`,
	`"é日本😀"`, "\"\x7f\"", "\"\u2028\u2029\ufeff\"", "\"\U0010ffff\"", "\"\ufffd\"", `"\ufffd"`, `"// no comment"`, `"'"`, `{"a":"b","A":"b"}`,
	"{\"\u00e9\":1,\"e\u0301\":2}", `"` + strings.Repeat("x", 5000) + `"`, strings.Repeat("[", 512) + strings.Repeat("]", 512),
	strings.Repeat(`{"a":`, 511) + `{}` + strings.Repeat("}", 511), "[1]\n", `{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`,
}

func TestCheckSyntaxAccepts(t *testing.T) {
	for _, text := range validTexts {
		if got := new(schema.Checker).Check(nil, []byte(text)); !isValid(got) {
			t.Errorf("%.80q: %+v", text, got)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("encoding/json refuses %.80q", text)
		}
	}
}

// brokenText is not strict JSON: the error is at the offset, which may be the end
// of the text.
type brokenText struct {
	text   string
	offset int
	why    string // within the message
}

var brokenStructures = []brokenText{
	{``, 0, "this is empty"}, {" \n\t ", 0, "this is empty"},
	{`{`, 1, "cut off"}, {`[`, 1, "cut off"}, {`{"a"`, 4, "cut off"}, {`{"a":`, 5, "cut off"}, {`{"a":1`, 6, "cut off"}, {`{"a":1,`, 7, "cut off"},
	{`[1`, 2, "cut off"}, {`[1,`, 3, "cut off"}, {`[1, `, 4, "cut off"}, {`[{`, 2, "cut off"}, {`{"a":[`, 6, "cut off"}, {` { `, 3, "cut off"},
	{`t`, 1, "cut off"}, {`tru`, 3, "cut off"}, {`[nul`, 4, "cut off"}, {`fals`, 4, "cut off"},
	{`}`, 0, "a value is missing here"}, {`]`, 0, "a value is missing here"}, {`,`, 0, "a value is missing here"}, {`[,1]`, 1, "a value is missing here"},
	{`[1,,2]`, 3, "a value is missing here"}, {`{"a":}`, 5, "a value is missing here"}, {`{"a":,}`, 5, "a value is missing here"}, {`:`, 0, "no JSON value begins with :"},
	{`[1,]`, 3, "a trailing comma"}, {`[1, ]`, 4, "a trailing comma"}, {`{"a":1,}`, 7, "a trailing comma"}, {"{\"a\":1,\n}", 8, "a trailing comma"},
	{`[1,,]`, 3, "a value is missing here"}, {`{"a":1,,"b":2}`, 7, "a name in double quotes"},
	{`[1 2]`, 3, "a comma or ] is missing"}, {`[1}`, 2, "a comma or ] is missing"}, {`{"a":1]`, 6, "a comma or } is missing"}, {`{"a":1 "b":2}`, 7, "a comma or } is missing"},
	{`["a":1]`, 4, "a comma or ] is missing"}, {`[1;2]`, 2, "a comma or ] is missing"}, {`[[1]`, 4, "cut off"}, {`["a`, 3, "cut off here, in a string"},
	{`{1:2}`, 1, "a name in double quotes"}, {`{a:1}`, 1, "a name in double quotes"}, {`{'a':1}`, 1, "a name in double quotes"}, {`{null:1}`, 1, "a name in double quotes"},
	{`{[]:1}`, 1, "a name in double quotes"}, {`{,}`, 1, "a name in double quotes"}, {`{"a" 1}`, 5, "a colon is missing"}, {`{"a",1}`, 4, "a colon is missing"},
	{`{"a"}`, 4, "a colon is missing"}, {`{"a"::1}`, 5, "no JSON value begins with :"}, {`{"a":1:2}`, 6, "a comma or } is missing"}, {`{:1}`, 1, "a name in double quotes"},
	{`{}}`, 2, "a payload is one JSON text"}, {`[]]`, 2, "a payload is one JSON text"}, {`1 2`, 2, "a payload is one JSON text"}, {`{} {}`, 3, "a payload is one JSON text"},
	{`""x`, 2, "a payload is one JSON text"}, {`truex`, 4, "a payload is one JSON text"}, {"{}\n{}\n", 3, "a payload is one JSON text"}, {"{}\x00", 2, "a payload is one JSON text"},
	{`[]// end`, 2, "a payload is one JSON text"}, {"1\u00a0", 1, "a payload is one JSON text"}, {"{}\x1a", 2, "a payload is one JSON text"},
	{`'a'`, 0, "double quotes"}, {"[`a`]", 1, "double quotes"}, {`// hi`, 0, "no comments"}, {`[1, /* two */ 2]`, 4, "no comments"}, {"# hi\n1", 0, "no comments"},
	{`NaN`, 0, "only true, false and null"}, {`[Infinity]`, 1, "only true, false and null"}, {`[-Infinity]`, 2, "a digit is missing after the sign"}, {`nan`, 0, "only true, false and null"},
	{`True`, 0, "only true, false and null"}, {`None`, 0, "only true, false and null"}, {`undefined`, 0, "only true, false and null"}, {`nul1`, 0, "only true, false and null"},
	{`[abc]`, 1, "only true, false and null"}, {`*`, 0, "no JSON value begins with *"}, {`<a>`, 0, "no JSON value begins with <"}, {`(1)`, 0, "no JSON value begins with ("},
	{"\x00", 0, "NUL byte"}, {"[\x00]", 1, "NUL byte"}, {"\x01", 0, "no JSON value begins with this byte"}, {"\x0c1", 0, "no JSON value begins with this byte"}, {"é", 0, "no JSON value begins with this byte"}, {"[\xff]", 1, "no JSON value begins with this byte"},
	{"\u00a0[]", 0, "no JSON value begins with this byte"}, {"[\u2060]", 1, "no JSON value begins with this byte"}, {"[\x7f]", 1, "no JSON value begins with this byte"}, {"[\v1]", 1, "no JSON value begins with this byte"},
}

var brokenNumbers = []brokenText{
	{`-`, 1, "after the sign"}, {`[-]`, 2, "after the sign"}, {`-a`, 1, "after the sign"}, {`--1`, 1, "after the sign"}, {`- 1`, 1, "after the sign"}, {`-.5`, 1, "after the sign"},
	{`01`, 0, "no leading zero"}, {`[-01]`, 2, "no leading zero"}, {`00`, 0, "no leading zero"}, {`012.5`, 0, "no leading zero"}, {`-00e1`, 1, "no leading zero"},
	{`1.`, 2, "after the decimal point"}, {`[1.]`, 3, "after the decimal point"}, {`1.e5`, 2, "after the decimal point"}, {`0.-1`, 2, "after the decimal point"}, {`1.5.5`, 3, "a payload is one JSON text"},
	{`1e`, 2, "in the exponent"}, {`1e+`, 3, "in the exponent"}, {`1E-`, 3, "in the exponent"}, {`[1e]`, 3, "in the exponent"}, {`1.25.5`, 4, "a payload is one JSON text"}, {`1e+-1`, 3, "in the exponent"}, {`1ee1`, 2, "in the exponent"},
	{`+1`, 0, "begins with a digit or -"}, {`.5`, 0, "begins with a digit or -"}, {`[.5]`, 1, "begins with a digit or -"}, {`1_000`, 1, "a payload is one JSON text"}, {`1,000`, 1, "a payload is one JSON text"},
	{`0x10`, 1, "a payload is one JSON text"}, {`1f`, 1, "a payload is one JSON text"}, {`1 000`, 2, "a payload is one JSON text"}, {`[1a]`, 2, "a comma or ] is missing"}, {`[1.5"a"]`, 4, "a comma or ] is missing"}, {"１", 0, "no JSON value begins with this byte"},
}

var brokenStrings = []brokenText{
	{`"`, 1, "cut off here, in a string"}, {`"abc`, 4, "in a string"}, {`"abc\`, 5, "in a string"}, {`"abc\"`, 6, "in a string"}, {`"\u`, 3, "in a string"}, {`"\u12`, 5, "in a string"},
	{`"\ud83d`, 7, "in a string"}, {`"\ud83d\`, 8, "in a string"}, {`"\ud83d\ude0`, 12, "in a string"}, {`{"a`, 3, "in a string"}, {`{"a\`, 4, "in a string"}, {`"éa`, 4, "in a string"},
	{`"\a"`, 1, "not a JSON escape"}, {`"ab\x41"`, 3, "not a JSON escape"}, {`"\'"`, 1, "not a JSON escape"}, {`"\0"`, 1, "not a JSON escape"}, {`"\U0041"`, 1, "not a JSON escape"}, {"\"\\\n\"", 1, "not a JSON escape"}, {`"\é"`, 1, "not a JSON escape"}, {"\"\\\x00\"", 1, "not a JSON escape"},
	{`"\u"`, 1, "four hex digits"}, {`"\u00"`, 1, "four hex digits"}, {`"\u00g0"`, 1, "four hex digits"}, {`"\u 123"`, 1, "four hex digits"}, {`"\u+123"`, 1, "four hex digits"}, {`"12345678\uqqqq"`, 9, "four hex digits"},
	{`"\ud800"`, 1, "half a surrogate pair"}, {`"\udc00"`, 1, "half a surrogate pair"}, {`"\ud800\ud800"`, 1, "half a surrogate pair"}, {`"\ud800\u0041"`, 1, "half a surrogate pair"}, {`"\ud800\n"`, 1, "half a surrogate pair"}, {`"\ud800abc"`, 1, "half a surrogate pair"},
	{`"\ude00\ud83d"`, 1, "half a surrogate pair"}, {`"\ud83d\ude00\ud83d"`, 13, "half a surrogate pair"}, {`{"\udead":1}`, 2, "half a surrogate pair"}, {`"\ud83d\u12"`, 1, "half a surrogate pair"}, {`"\uDBFF\uE000"`, 1, "half a surrogate pair"},
	{"\"\n\"", 1, "raw control character"}, {"\"abcdefgh\tijk\"", 9, "raw control character"}, {"\"\x00\"", 1, "raw control character"}, {"\"\x1f\"", 1, "raw control character"}, {"{\"a\nb\":1}", 3, "raw control character"}, {"\"1234567\r\n\"", 8, "raw control character"},
	{"\"\x80\"", 1, "not UTF-8"}, {"\"abc\xff\"", 4, "not UTF-8"}, {"\"\xc3\"", 1, "not UTF-8"}, {"\"\xc3\xa9\xa9\"", 3, "not UTF-8"}, {"\"\xe2\x82\"", 1, "not UTF-8"}, {"\"\xf0\x9f\x98\"", 1, "not UTF-8"},
	{"\"\xc0\xaf\"", 1, "not UTF-8"}, {"\"\xe0\x80\xaf\"", 1, "not UTF-8"}, {"\"\xed\xa0\x80\"", 1, "not UTF-8"}, {"\"\xf4\x90\x80\x80\"", 1, "not UTF-8"}, {"\"\xf8\x88\x80\x80\x80\"", 1, "not UTF-8"}, {"\"\xfe\xff\"", 1, "not UTF-8"}, {"{\"\xe9\":1}", 2, "not UTF-8"}, {"\"\xed\xa0\xbd\xed\xb8\x80\"", 1, "not UTF-8"}, {"\"caf\xe9\"", 4, "not UTF-8"},
}

var brokenBeginnings = []brokenText{
	{"\xef\xbb\xbf{}", 0, "byte order mark"}, {"\xef\xbb\xbf", 0, "byte order mark"}, {"\xff\xfe{\x00}\x00", 0, "UTF-16"}, {"\xfe\xff\x00{\x00}", 0, "UTF-16"},
	{"{\x00}\x00", 0, "UTF-16"}, {"\x00{\x00}", 0, "UTF-16"}, {"\xef\xbb{}", 0, "no JSON value begins with this byte"}, {" \xef\xbb\xbf{}", 1, "no JSON value begins with this byte"},
}

func brokenTexts() []brokenText {
	var all []brokenText
	for _, group := range [][]brokenText{brokenStructures, brokenNumbers, brokenStrings, brokenBeginnings} {
		all = append(all, group...)
	}
	return all
}

func TestCheckSyntaxErrors(t *testing.T) {
	checker := new(schema.Checker)
	for _, b := range brokenTexts() {
		got := checker.Check(nil, []byte(b.text))
		if len(got) != 1 || got[0].Kind != schema.Syntax {
			t.Errorf("%q: %+v", b.text, got)
			continue
		}
		f := got[0]
		if f.Offset != b.offset || f.End != min(b.offset+1, len(b.text)) || !strings.Contains(f.Message(), b.why) {
			t.Errorf("%q: at %d to %d: %s; want %d: %s", b.text, f.Offset, f.End, f.Message(), b.offset, b.why)
		}
	}
}

// Syntax errors are the same with and without a schema.
func TestCheckSyntaxErrorsIgnoreTheSchema(t *testing.T) {
	s := mustCompile(t, `{"$defs":{"any":{"anyOf":[{"properties":{"a":{"$ref":"#/$defs/any"}},"additionalProperties":{"$ref":"#/$defs/any"},"items":{"$ref":"#/$defs/any"}},{"type":"string"}]}},"$ref":"#/$defs/any"}`)
	for _, b := range brokenTexts() {
		got := new(schema.Checker).Check(s, []byte(b.text))
		if len(got) != 1 || got[0].Kind != schema.Syntax || got[0].Offset != b.offset {
			t.Errorf("%q: %+v", b.text, got)
		}
	}
}

func TestCheckSyntaxErrorPointers(t *testing.T) {
	for text, pointer := range map[string]string{
		`{"a":{"b":[1,tru]}}`: "/a/b/1", `{"a":{"b":[1,2}}`: "/a/b", `{"a":{"b" 1}}`: "/a/b", `{"a":1,}`: "", `{"a":1,b:2}`: "",
		`[{"a":1},{"a\u002fb":"\x"}]`: "/1/a~1b", `[1,2`: "", `[`: "", `{"a":`: "/a", `{"a":[{"x":1,"y"`: "/a/0/y", `{"\q":1}`: "",
	} {
		if got := new(schema.Checker).Check(nil, []byte(text)); len(got) != 1 || got[0].Pointer != pointer {
			t.Errorf("%s: %+v, want the pointer %q", text, got, pointer)
		}
	}
}

// A payload that is cut anywhere has its error at the end.
func TestCheckSyntaxErrorsOfTruncatedSamples(t *testing.T) {
	checker := new(schema.Checker)
	for _, s := range samples(t) {
		compiled, err := schema.Compile(loadCatalog, s.file)
		if err != nil {
			t.Fatal(err)
		}
		for end := 1; end < len(s.payload); end++ {
			found := checker.Check(compiled, s.payload[:end:end])
			if got := summarize(found, func(k schema.Kind) bool { return k == schema.Syntax }); got == "" {
				t.Fatalf("%s: %d bytes of %d pass", s.file, end, len(s.payload))
			}
			if last := found[len(found)-1]; last.Kind != schema.Syntax || last.Offset != end || last.End != end {
				t.Fatalf("%s, cut off at %d: %+v", s.file, end, last)
			}
		}
	}
}
