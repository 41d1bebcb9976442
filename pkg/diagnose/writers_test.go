package diagnose

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// written is what a program made of one text, and how it signed that. A nil
// Text is a refusal.
type written struct {
	Text      *string
	Signature string
}

// compareWritten checks jsonWriters against what the programs wrote, by the
// names of the writers.
func compareWritten(t *testing.T, texts []string, real map[string][]written) {
	t.Helper()
	trees := make([]tree, len(texts))
	for i, text := range texts {
		var ok bool
		if trees[i], ok = parse([]byte(text)); !ok {
			t.Fatalf("%s is not read", text)
		}
	}
	for name, want := range real {
		if len(want) != len(texts) {
			t.Fatalf("%s: %d texts for %d", name, len(want), len(texts))
		}
		w := writerNamed(t, name)
		wrong := 0
		for i, text := range texts {
			got, expected := "a refusal", "a refusal"
			if out, ok := w.style.write(trees[i]); ok {
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

func writerNamed(t *testing.T, name string) *jsonWriter {
	t.Helper()
	at := slices.IndexFunc(jsonWriters, func(w jsonWriter) bool { return w.name == name })
	if at < 0 {
		t.Fatalf("%s is not in jsonWriters", name)
	}
	return &jsonWriters[at]
}

func corpus() []string { return append(nasty(), randomTexts(1, 1500)...) }

// TestJSONWriters wants each writer to write what its program writes, byte for
// byte.
func TestJSONWriters(t *testing.T) {
	texts := corpus()
	t.Run("JavaScript", func(t *testing.T) { compareWritten(t, texts, writtenByNode(t, texts)) })
	t.Run("Python", func(t *testing.T) {
		longest := "[" + strings.Repeat("9", 4300) + "]" // an integer that Python reads
		texts := append(corpus(), longest, strings.Replace(longest, "9", "99", 1))
		compareWritten(t, texts, writtenByPython(t, texts))
	})
	t.Run("PHP", func(t *testing.T) { compareWritten(t, texts, writtenByPHP(t, texts)) })
	t.Run("Go", func(t *testing.T) { compareWritten(t, texts, writtenByGo(texts)) })
	t.Run("every token kept", func(t *testing.T) {
		real := map[string][]written{}
		for _, text := range texts {
			var compact, indented bytes.Buffer
			if json.Compact(&compact, []byte(text)) != nil || json.Indent(&indented, bytes.TrimSpace([]byte(text)), "", "  ") != nil {
				t.Fatalf("%s is not JSON", text)
			}
			small, large := compact.String(), indented.String()
			real["a minifier, such as jq -c,"] = append(real["a minifier, such as jq -c,"], written{Text: &small})
			real["a formatter with two spaces, such as jq,"] = append(real["a formatter with two spaces, such as jq,"], written{Text: &large})
		}
		compareWritten(t, texts, real)
	})
}

func TestStyleWrite_stops_where_indenting_explodes(t *testing.T) {
	text := strings.Repeat("[", 500) + strings.Repeat("0,", 50_000) + "0" + strings.Repeat("]", 500)
	tree, ok := parse([]byte(text))
	if !ok {
		t.Fatal("not read")
	}
	if out, ok := anyTokens.indented("    ").write(tree); ok || len(out) > 2<<20 {
		t.Errorf("wrote %d bytes", len(out))
	}
}

func TestParse_bounds(t *testing.T) {
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

// distinctive is a body that no two writers write in the same way.
const distinctive = `{ "b/1": 5000.00, "a": ["é", "\u2028", "<", 1e5, {}, "\u007f", 1e16],
  "10": 1, "9": { "0": "x" }, "` + "\U0001F600" + `": 1, "` + "\uffff" + `": 2 }`

// TestExplain_json_writers has programs write and sign a body, and wants the
// text found that they signed.
func TestExplain_json_writers(t *testing.T) {
	for language, write := range map[string]func(*testing.T, []string) map[string][]written{
		"JavaScript": writtenByNode, "Python": writtenByPython, "PHP": writtenByPHP,
	} {
		t.Run(language, func(t *testing.T) {
			texts := append([]string{distinctive}, corpus()[:50]...)
			for name, list := range write(t, texts) {
				for i, w := range list {
					if w.Text != nil && *w.Text != texts[i] {
						f := wantSignedText(t, texts[i], *w.Text, w.Signature)
						if i == 0 && f != nil && f.causes[0].id != writerNamed(t, name).cause {
							t.Errorf("%s: got %v", name, causeIDs(f))
						}
					}
				}
			}
		})
	}
	t.Run("Go", func(t *testing.T) {
		for name, list := range writtenByGo([]string{distinctive}) {
			signed := *list[0].Text
			digest := opensslHMAC(t, "sha256", []byte(testSecret), []byte(testTimestamp+"."+signed))[0]
			f := wantSignedText(t, distinctive, signed, hex.EncodeToString(digest))
			if f != nil && f.causes[0].id != writerNamed(t, name).cause {
				t.Errorf("%s: got %v", name, causeIDs(f))
			}
		}
	})
	t.Run("jq", func(t *testing.T) { // jq 1.6 writes these numbers as they are, and jq 1.7 writes all of them so
		const received = `{ "b/1": 5000, "a": ["é", "<", {}, -1.5], "n": { "y": "x", "x": null } }`
		for _, args := range []string{"-c", "-cS", "-S", "."} {
			signed := runTool(t, []byte(received), "jq", args)
			for _, signed := range [][]byte{signed, bytes.TrimSuffix(signed, []byte("\n"))} { // a shell's $(…) removes the newline
				digest := opensslHMAC(t, "sha256", []byte(testSecret), slices.Concat([]byte(testTimestamp+"."), signed))[0]
				wantSignedText(t, received, string(signed), hex.EncodeToString(digest))
			}
		}
	})
}

// wantSignedText wants the signed text found as another spelling of the body.
func wantSignedText(t *testing.T, received, signed, signature string) *finding {
	t.Helper()
	e := evidence{
		scheme: webhook.SchemeFor(webhook.WorkSkedge), secrets: []webhook.Secret{secretOf(testSecret)}, signature: signature,
		message: webhook.Message{Body: []byte(received), Timestamp: testTimestamp},
	}
	f := explained(e)
	if f == nil || !f.certain || string(slices.Concat(f.computed.parts...)) != testTimestamp+"."+signed {
		t.Errorf("%s of %s was not found", signed, received)
		return nil
	}
	for _, id := range causeIDs(f) {
		if !strings.HasPrefix(id, "body.") {
			t.Errorf("%s of %s: %v", signed, received, causeIDs(f))
		}
	}
	return f
}

func TestExplain_origin_of_the_body(t *testing.T) {
	for _, test := range []struct{ name, received, signed, summary, fix string }{
		{"a framework rewrote it", `{"a": "\u00e9", "b": 1.0}`, `{"a":"é","b":1.0}`, "is what Python's json.dumps makes of the signed one", "verify the raw bytes"},
		{"an editor formatted it", "{\n  \"a\": 1\n}\n", `{"a":1}`, "is what JavaScript's JSON.stringify(value, null, 2) makes", "verify the raw bytes"},
		{"the sender signed another text than it sent", `{"a":5000.00}`, `{"a":5000}`, "most likely the sender signed one text and sent another", "have the sender write its JSON once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := webhook.Verifier{Scheme: webhook.SchemeFor(webhook.WorkSkedge), Secrets: []webhook.Secret{secretOf(testSecret)}}
			signature, err := v.Scheme.Signature(webhook.Message{Body: []byte(test.signed), Timestamp: testTimestamp}, v.Secrets[0])
			if err != nil {
				t.Fatal(err)
			}
			r := webhook.Request{Body: []byte(test.received), Header: webhook.Header{
				{Name: v.Scheme.SignatureHeader(), Value: signature}, {Name: v.Scheme.TimestampHeader(), Value: testTimestamp},
			}}
			d := Refusal(v, r, webhook.SignatureMismatch)
			if d == nil || !strings.Contains(d.Summary, test.summary) || !strings.HasPrefix(d.Fix, test.fix) {
				t.Errorf("%+v", d)
			}
		})
	}
}

// The scripts write each text in every style that jsonWriters has for the
// language, and sign "<timestamp>.<text>" with the language's own HMAC.

const nodeScript = `
const { createHmac } = require('crypto');
const { Texts, Secret, Stamp } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const sorted = v => Array.isArray(v) ? '[' + v.map(sorted).join(',') + ']'
  : v && typeof v === 'object' ? '{' + Object.keys(v).sort().map(k => JSON.stringify(k) + ':' + sorted(v[k])).join(',') + '}'
  : JSON.stringify(v);
const ways = {
  "JavaScript's JSON.stringify": v => JSON.stringify(v),
  "JavaScript's JSON.stringify(value, null, 2)": v => JSON.stringify(v, null, 2),
  "JavaScript's JSON.stringify(value, null, 4)": v => JSON.stringify(v, null, 4),
  "JavaScript's JSON.stringify over sorted keys (RFC 8785)": sorted,
};
const out = {};
for (const [name, write] of Object.entries(ways)) out[name] = Texts.map(t => {
  const Text = write(JSON.parse(t));
  return { Text, Signature: createHmac('sha256', Secret).update(Stamp + '.' + Text).digest('hex') };
});
process.stdout.write(JSON.stringify(out));`

const pythonScript = `
import hashlib, hmac, json, sys
task = json.load(sys.stdin)
def write(text, kw):
    try:
        out = json.dumps(json.loads(text), **kw)
        signature = hmac.new(task['Secret'].encode(), (task['Stamp'] + '.' + out).encode(), hashlib.sha256).hexdigest()
        return {'Text': out, 'Signature': signature}
    except (ValueError, UnicodeError):
        return {'Text': None}
out = {}
for label, kw in [('', {}), ("separators=(',', ':')", dict(separators=(',', ':'))), ('sort_keys=True', dict(sort_keys=True)),
                  ("separators=(',', ':'), sort_keys=True", dict(separators=(',', ':'), sort_keys=True)),
                  ('indent=2', dict(indent=2)), ('indent=4', dict(indent=4))]:
    for ascii in (True, False):
        name = ', '.join(filter(None, [label, '' if ascii else 'ensure_ascii=False']))
        out["Python's json.dumps" + ('(' + name + ')' if name else '')] = [write(t, dict(kw, ensure_ascii=ascii)) for t in task['Texts']]
json.dump(out, sys.stdout)`

const phpScript = `
$task = json_decode(stream_get_contents(STDIN));
$flags = ['' => 0, '(JSON_UNESCAPED_SLASHES)' => JSON_UNESCAPED_SLASHES, '(JSON_UNESCAPED_UNICODE)' => JSON_UNESCAPED_UNICODE,
  '(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)' => JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE,
  '(JSON_PRETTY_PRINT)' => JSON_PRETTY_PRINT,
  '(JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)' => JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE];
$out = [];
foreach ($flags as $name => $flag) foreach (['' => false, ' of arrays' => true] as $kind => $assoc) {
  $list = [];
  foreach ($task->Texts as $text) {
    $value = json_decode($text, $assoc);
    $written = json_last_error() ? false : json_encode($value, $flag);
    $list[] = $written === false ? ['Text' => null]
      : ['Text' => $written, 'Signature' => hash_hmac('sha256', $task->Stamp . '.' . $written, $task->Secret)];
  }
  $out["PHP's json_encode" . $name . $kind] = $list;
}
echo json_encode($out);`

func writtenBy(t *testing.T, texts []string, name string, args ...string) map[string][]written {
	t.Helper()
	task := struct {
		Texts         []string
		Secret, Stamp string
	}{texts, testSecret, testTimestamp}
	var real map[string][]written
	askTool(t, task, &real, name, args...)
	return real
}

func writtenByNode(t *testing.T, texts []string) map[string][]written {
	t.Helper()
	return writtenBy(t, texts, "node", "-e", nodeScript)
}

func writtenByPython(t *testing.T, texts []string) map[string][]written {
	t.Helper()
	return writtenBy(t, texts, "python3", "-c", pythonScript)
}

func writtenByPHP(t *testing.T, texts []string) map[string][]written {
	t.Helper()
	return writtenBy(t, texts, "php", "-r", phpScript)
}

// writtenByGo is what encoding/json writes, unsigned.
func writtenByGo(texts []string) map[string][]written {
	real := map[string][]written{}
	for _, text := range texts {
		var value any
		refused := json.Unmarshal([]byte(text), &value) != nil
		add := func(name string, write func() ([]byte, error)) {
			var w written
			if out, err := write(); !refused && err == nil {
				s := string(out)
				w.Text = &s
			}
			real[name] = append(real[name], w)
		}
		encode := func(html bool) ([]byte, error) {
			var out bytes.Buffer
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(html)
			err := e.Encode(value)
			return out.Bytes(), err
		}
		add("Go's json.Marshal(map)", func() ([]byte, error) { return json.Marshal(value) })
		add("Go's json.MarshalIndent(map)", func() ([]byte, error) { return json.MarshalIndent(value, "", "  ") })
		add("Go's json.Encoder", func() ([]byte, error) { return encode(true) })
		add("Go's json.Encoder with SetEscapeHTML(false)", func() ([]byte, error) { return encode(false) })
		add("Go's trimmed json.Encoder with SetEscapeHTML(false)", func() ([]byte, error) {
			out, err := encode(false)
			return bytes.TrimSuffix(out, []byte("\n")), err
		})
	}
	return real
}

// nasty lists JSON texts on which languages differ.
func nasty() []string {
	return []string{
		`{}`, `[]`, `null`, `true`, `""`, ` 1 `, "\t[ 1 ,\r\n2 ]\n",
		`{"a":5000.00,"b":1e21,"c":1E5,"d":-0,"e":-0.0,"f":9007199254740993,"g":1.5e-7}`,
		`[0.00001,0.0001,1e15,1e16,1e17,1e18,1e19,1e20,1e21,1e22,123456789012345680000,1.5e17,12345678901234567,0e10,-0e5]`,
		`[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809,18446744073709551616,100000000000000000000000]`,
		`[1.7976931348623157e308,5e-324,2.2250738585072014e-308,4.9e-325,0.1,0.30000000000000004,1.10,100,1e2,1e-10,-1.5e-300,1e100]`,
		`[1e999,-1e999]`, `{"tax":1e400}`,
		`{"b":1,"10":2,"9":3,"a":4,"0":5,"007":6,"-1":7,"4294967294":8,"4294967295":9,"1.5":10,"":11}`,
		`{"0":"a","1":"b"}`, `{"1":"b","0":"a"}`, `{"0":{"0":{}},"1":[]}`, `{"a":{},"b":[],"c":[{}],"d":[[]]}`,
		`{"a":1,"b":2,"a":3}`, `{"a":{"x":1},"a":{"y":2},"\u0061":4}`, `{"2":1,"x":2,"2":3}`,
		`{"url":"https:\/\/example.com\/a","plain":"https://example.com/a","é":"\u00e9","E":"\u00E9"}`,
		`["\u0000\u0001\u001f\u007f\u0080\b\f\n\r\t\"\\\/","\u2028\u2029","\u003c>&'","😀","\ud83d\ude00","\uD83D\uDE00"]`,
		`["` + "\u2028\u2029\u007f<>&/é￿" + `"]`,
		`["\ud83d","\ude00","\ude00\ud83d","x\ud83dy","\ud83d\u0041","\ud83d\ud83d\ude00"]`, `{"\ud83d":1,"\ud83e":2,"\ufffd":3}`,
		`{"` + "\U0001F600" + `":1,"` + "\uffff" + `":2,"` + "\ue000" + `":3,"z":4}`,
		`{"\u0000a":1}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`, `{"a":"\u0000a","":{"":""}}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	}
}

// randomJSON writes a random value with random spelling.
type randomJSON struct {
	*rand.Rand
	strings.Builder
}

func randomTexts(seed uint64, count int) []string {
	var list []string
	for i := range count {
		r := randomJSON{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		r.value(4)
		list = append(list, r.String())
	}
	return list
}

func (r *randomJSON) space() {
	if r.IntN(8) == 0 {
		r.WriteString([]string{" ", "\n", "\t", "\r\n  "}[r.IntN(4)])
	}
}

func (r *randomJSON) value(depth int) {
	kind := r.IntN(10)
	if depth == 0 {
		kind = 4 + r.IntN(6)
	}
	switch {
	case kind < 2:
		r.items('{', '}', depth)
	case kind < 4:
		r.items('[', ']', depth)
	case kind < 6:
		r.text()
	case kind < 9:
		r.number()
	default:
		r.WriteString([]string{"true", "false", "null"}[r.IntN(3)])
	}
}

func (r *randomJSON) items(open, end byte, depth int) {
	r.WriteByte(open)
	for i := range r.IntN(6) {
		if i > 0 {
			r.WriteByte(',')
		}
		r.space()
		if open == '{' {
			if r.IntN(4) == 0 {
				fmt.Fprintf(r, `"%d"`, r.IntN(4))
			} else {
				r.text()
			}
			r.space()
			r.WriteByte(':')
		}
		r.space()
		r.value(depth - 1)
		r.space()
	}
	r.WriteByte(end)
}

func (r *randomJSON) text() {
	r.WriteByte('"')
	for range r.IntN(5) {
		switch r.IntN(7) {
		case 0:
			r.WriteString([]string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`}[r.IntN(8)])
		case 1:
			fmt.Fprintf(r, []string{`\u%04x`, `\u%04X`}[r.IntN(2)], r.IntN(0x10000))
		case 2:
			r.WriteString([]string{`\ud83d\ude00`, "😀", "\u2028", "\u007f", "￿", "\ue000"}[r.IntN(6)])
		case 3:
			r.WriteRune([]rune("éüß漢<>&/'")[r.IntN(9)])
		case 4:
			fmt.Fprintf(r, `\u%04x`, r.IntN(0x100))
		default:
			r.WriteByte("abcABC019 "[r.IntN(10)])
		}
	}
	r.WriteByte('"')
}

func (r *randomJSON) number() {
	if r.IntN(2) == 0 {
		r.WriteByte('-')
	}
	switch r.IntN(6) {
	case 0:
		fmt.Fprintf(r, "%d", r.IntN(1000))
	case 1:
		fmt.Fprintf(r, "%d", r.Uint64()>>r.IntN(64))
	case 2:
		fmt.Fprintf(r, "%d%018d", 1+r.IntN(999999), r.Uint64N(1e18))
	case 3:
		fmt.Fprintf(r, "%d.%0*d", r.IntN(1000), 1+r.IntN(20), r.IntN(1000))
	case 4:
		fmt.Fprintf(r, "%d%s%s%d", r.IntN(1000), []string{"e", "E"}[r.IntN(2)], []string{"", "+", "-"}[r.IntN(3)], r.IntN(40))
	default:
		fmt.Fprintf(r, "%d.%de%d", r.IntN(10), r.Uint64N(1e17), r.IntN(640)-325)
	}
}
