package diagnose

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// telling is a body that no two tools write in the same way.
const telling = `{ "b/1": 5000.00, "a": ["é", "\u2028", "<", 1e5, {}, "\u007f", 1e16],
  "10": 1, "9": { "0": "x" }, "` + "\U0001F600" + `": 1, "` + "\uffff" + `": 2 }`

func TestEachToolsSignatureIsExplained(t *testing.T) {
	for language, sign := range map[string]func(*testing.T, []string) map[string][]toolWriting{
		"JavaScript": signedByNode, "Python": signedByPython, "PHP": signedByPHP,
	} {
		t.Run(language, func(t *testing.T) {
			texts := append([]string{telling}, corpus()[:50]...)
			for name, list := range sign(t, texts) {
				for i, w := range list {
					if w.Text != nil && *w.Text != texts[i] {
						checkTool(t, name, texts[i], *w.Text, w.Signature)
					}
				}
			}
		})
	}
}

func TestGosAndJQsSignaturesAreExplained(t *testing.T) {
	written := map[string][]byte{}
	for name, list := range signedByGo([]string{telling}) {
		written[name] = []byte(*list[0].Text)
	}
	for _, args := range []string{"-c", "-cS", "-S"} {
		written["jq "+args] = runTool(t, []byte(telling), "jq", args, ".")
		written["$(jq "+args+")"] = bytes.TrimSuffix(written["jq "+args], []byte("\n"))
	}
	var contents [][]byte
	names := slices.Collect(func(yield func(string) bool) {
		for name, text := range written {
			contents = append(contents, slices.Concat([]byte(testStamp+"."), text))
			if !yield(name) {
				return
			}
		}
	})
	digests := opensslHMAC(t, "sha256", []byte(testSecret), contents...)
	for i, name := range names {
		checkTool(t, name, telling, string(written[name]), hex.EncodeToString(digests[i]))
	}
}

// checkTool wants the signed text found, and the tool named where only one
// tool writes so.
func checkTool(t *testing.T, name, received, signed, signature string) {
	t.Helper()
	c := Case{
		Scheme: webhook.SchemeFor(webhook.WorkSkedge), Secrets: []webhook.Secret{secretOf(testSecret)}, Signature: signature,
		Message: webhook.Message{Body: []byte(received), Timestamp: testStamp},
	}
	h, found := explain(c, newBudget())
	if !found || !h.certain || string(joined(h.parts)) != testStamp+"."+signed {
		t.Errorf("%s of %s was not found", name, received)
		return
	}
	f := h.finding()
	if !strings.HasPrefix(f.ID, "body.") {
		t.Errorf("%s of %s: %s", name, received, f.ID)
	}
	if received != telling {
		return
	}
	at := slices.IndexFunc(tools(), func(t *tool) bool { return t.name == name })
	if want := tools()[at].id; f.ID != want || f.IDs != nil {
		t.Errorf("%s: got %s %v, want %s\n%s", name, f.ID, f.IDs, want, f.Summary)
	}
	checkText(t, c, f)
}

func TestTheLikelyOriginOfABodyIsNamed(t *testing.T) {
	for _, test := range []struct{ name, received, signed, want, fix string }{
		{"a framework wrote it anew", `{"a": "\u00e9", "b": 1.0}`, `{"a":"é","b":1.0}`, "is what Python's json.dumps makes of the signed one", "verify the raw bytes"},
		{"an editor formatted it", "{\n  \"a\": 1\n}\n", `{"a":1}`, "is what JavaScript's JSON.stringify(value, null, 2) makes", "verify the raw bytes"},
		{"the sender signed another text than it sent", `{"a":5000.00}`, `{"a":5000}`, "most likely the sender signed one text and sent another", "have the sender write its JSON once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			secret := secretOf(testSecret)
			signature, err := webhook.SchemeFor(webhook.WorkSkedge).Sign(webhook.Message{Body: []byte(test.signed), Timestamp: testStamp}, secret)
			if err != nil {
				t.Fatal(err)
			}
			f, found := Explain(Case{Signature: signature, Secrets: []webhook.Secret{secret}, Message: webhook.Message{Body: []byte(test.received), Timestamp: testStamp}})
			if !found || !strings.Contains(f.Summary, test.want) || !strings.HasPrefix(f.Fix, test.fix) {
				t.Errorf("%s\n%s", f.Summary, f.Fix)
			}
		})
	}
}
