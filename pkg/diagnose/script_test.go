package diagnose

import (
	"bytes"
	"encoding/json"
	"testing"
)

// The scripts write each text in every style that the table has for the
// language, and sign "<stamp>.<text>" with the language's own HMAC.

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
  "JavaScript's JSON.stringify(value, null, '\\t')": v => JSON.stringify(v, null, '\t'),
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
                  ('indent=2', dict(indent=2)), ('indent=4', dict(indent=4)),
                  ('indent=2, sort_keys=True', dict(indent=2, sort_keys=True)), ('indent=4, sort_keys=True', dict(indent=4, sort_keys=True))]:
    for ascii in (True, False):
        name = ', '.join(filter(None, [label, '' if ascii else 'ensure_ascii=False']))
        out["Python's json.dumps" + ('(' + name + ')' if name else '')] = [write(t, dict(kw, ensure_ascii=ascii)) for t in task['Texts']]
json.dump(out, sys.stdout)`

const phpScript = `
$task = json_decode(stream_get_contents(STDIN));
$flags = ['' => 0, '(JSON_UNESCAPED_SLASHES)' => JSON_UNESCAPED_SLASHES, '(JSON_UNESCAPED_UNICODE)' => JSON_UNESCAPED_UNICODE,
  '(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)' => JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE,
  '(JSON_PRETTY_PRINT)' => JSON_PRETTY_PRINT, '(JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES)' => JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES,
  '(JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE)' => JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE,
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

func signedBy(t *testing.T, texts []string, name string, args ...string) map[string][]toolWriting {
	t.Helper()
	var real map[string][]toolWriting
	askTool(t, toolTask{texts, testSecret, testStamp}, &real, name, args...)
	return real
}

func signedByNode(t *testing.T, texts []string) map[string][]toolWriting {
	t.Helper()
	return signedBy(t, texts, "node", "-e", nodeScript)
}

func signedByPython(t *testing.T, texts []string) map[string][]toolWriting {
	t.Helper()
	return signedBy(t, texts, "python3", "-c", pythonScript)
}

func signedByPHP(t *testing.T, texts []string) map[string][]toolWriting {
	t.Helper()
	return signedBy(t, texts, "php", "-r", phpScript)
}

// signedByGo is what encoding/json writes, unsigned.
func signedByGo(texts []string) map[string][]toolWriting {
	real := map[string][]toolWriting{}
	for _, text := range texts {
		var value any
		refused := json.Unmarshal([]byte(text), &value) != nil
		add := func(name string, write func() ([]byte, error)) {
			var w toolWriting
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
