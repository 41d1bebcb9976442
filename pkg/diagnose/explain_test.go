package diagnose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// unrelated returns a digest that no known mistake leads to.
func unrelated(n int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "unrelated %d", n))
	return sum[:]
}

// rightEvidence is a request without a mistake and without a signature.
func rightEvidence() evidence {
	e, _ := mistake{}.build()
	return e
}

// explained is explain with a full budget.
func explained(e evidence) *finding { return explain(&e, newBudget()) }

// causeIDs returns the ids of a finding's causes, each once.
func causeIDs(f *finding) []string {
	var ids []string
	if f != nil {
		for _, c := range f.causes {
			if !slices.Contains(ids, c.id) {
				ids = append(ids, c.id)
			}
		}
	}
	return ids
}

// wantCauses checks the causes of a finding, and its text.
func wantCauses(t *testing.T, e evidence, f *finding, certain bool, want ...string) {
	t.Helper()
	if got := causeIDs(f); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if f == nil {
		return
	}
	d := f.diagnosis(e.scheme)
	if d.Certain != certain {
		t.Errorf("%s is certain: %v, want %v", d.ID, d.Certain, certain)
	}
	t.Logf("%s\n%s", d.Summary, d.Fix)
	for _, text := range []string{d.Summary, d.Fix} {
		if text == "" || strings.HasSuffix(text, ".") || strings.ContainsAny(text, "\r\n{}") && !strings.Contains(text, `"{}"`) || strings.Contains(text, "%!") {
			t.Errorf("not one sentence without a period: %q", text)
		}
		for _, s := range slices.Concat(e.secrets, e.previous) {
			if strings.Contains(text, strings.TrimSpace(s.Reveal())) {
				t.Errorf("the secret is in %q", text)
			}
			if right, err := e.scheme.Signature(e.message, s); err == nil && strings.Contains(text, right[:8]) {
				t.Errorf("the right signature is in %q", text)
			}
		}
		if len(e.signature) > 8 && strings.Contains(text, e.signature[:8]) {
			t.Errorf("the signature is in %q", text)
		}
	}
}

func TestExplain(t *testing.T) {
	mistakes := allMistakes()
	for i, e := range signMistakes(t, mistakes) {
		t.Run(mistakes[i].name, func(t *testing.T) {
			wantCauses(t, e, explained(e), true, mistakes[i].want...)
		})
	}
}

func TestExplain_nothing(t *testing.T) {
	signed := hex.EncodeToString(unrelated(4))
	for name, e := range map[string]evidence{
		"no request":         {},
		"no signature":       rightEvidence(),
		"no secrets":         {scheme: webhook.SchemeFor(webhook.WorkSkedge), signature: signed, message: webhook.Message{Body: []byte(testBody)}},
		"many empty headers": {scheme: webhook.SchemeFor(webhook.WorkSkedge), header: make(webhook.Header, 100)},
	} {
		t.Run(name, func(t *testing.T) { wantCauses(t, e, explained(e), false) })
	}
	t.Run("an unrelated signature", func(t *testing.T) {
		for i, text := range append(nasty(), testBody, "", "not JSON", "\xff\xfe", "a=1&b=2") {
			for _, s := range webhook.Schemes() {
				e := rightEvidence()
				e.scheme, e.message.Body, e.signature = s, []byte(text), s.Encode(unrelated(i))
				e.secrets = append(e.secrets, secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk="))
				wantCauses(t, e, explained(e), false)
			}
		}
	})
	t.Run("the right signature", func(t *testing.T) {
		for _, s := range webhook.Schemes() {
			e := rightEvidence()
			e.scheme, e.secrets = s, []webhook.Secret{secretOf("other"), secretOf("bm90LXNvLXNlY3JldC1rZXk=")}
			var err error
			if e.signature, err = s.Signature(e.message, e.secrets[1]); err != nil {
				t.Fatal(err)
			}
			wantCauses(t, e, explained(e), false)
		}
	})
}

func TestExplain_guess(t *testing.T) {
	digest := unrelated(0)
	for _, test := range []struct {
		name, signature string
		want            []string
	}{
		{"a word", "undefined", []string{"encoding.placeholder"}},
		{"an object", `"[object Object]"`, []string{"encoding.placeholder"}},
		{"capitals", strings.ToUpper(hex.EncodeToString(digest)), []string{"encoding.uppercase_hex"}},
		{"base64", base64Of(digest), []string{"encoding.base64"}},
		{"a prefix", "sha256=" + hex.EncodeToString(digest), []string{"encoding.prefix"}},
		{"Stripe's form", "t=1700000000,v1=" + hex.EncodeToString(digest), []string{"encoding.stamped"}},
		{"a shorter hash", hex.EncodeToString(digest[:20]), []string{"digest.hmac_sha1"}},
		{"a longer hash", hex.EncodeToString(append(digest, digest...)), []string{"digest.hmac_sha512"}},
		{"a truncated digest", hex.EncodeToString(digest)[:50], []string{"encoding.cut"}},
		{"no signature at all", "hello", nil},
		{"a very long value", strings.Repeat("ab", 5000), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := rightEvidence()
			e.signature = test.signature
			wantCauses(t, e, explained(e), false, test.want...)
		})
	}
}

func TestExplain_other_sender(t *testing.T) {
	for _, s := range senders {
		e := rightEvidence()
		if strings.EqualFold(s.header, e.scheme.SignatureHeader()) {
			continue
		}
		t.Run(s.header, func(t *testing.T) {
			e.header = webhook.Header{{Name: strings.ToUpper(s.header), Value: "v1," + base64Of(unrelated(1))}}
			f := explained(e)
			wantCauses(t, e, f, false, s.cause)
			if d := f.diagnosis(e.scheme); !strings.Contains(d.Summary, s.name) || !strings.Contains(d.Fix, s.option) {
				t.Errorf("%s\n%s", d.Summary, d.Fix)
			}
			e.signature = hex.EncodeToString(unrelated(2)) // beside the expected header, another one proves nothing
			wantCauses(t, e, explained(e), false)
		})
	}
	t.Run("beside the expected header, where its rule fits", func(t *testing.T) {
		e := rightEvidence()
		body, _ := webhook.SchemeNamed(webhook.BodyOnly)
		value, err := body.Signature(e.message, e.secrets[0])
		if err != nil {
			t.Fatal(err)
		}
		e.signature = hex.EncodeToString(unrelated(3))
		e.header = webhook.Header{{Name: "X-Hub-Signature-256", Value: "sha256=" + value}}
		wantCauses(t, e, explained(e), true, "sender.github")
	})
}

func TestExplain_budget(t *testing.T) {
	for _, size := range []int{0, 2 << 10, 16 << 10, 1 << 20, maxRewrite + 1} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			if testing.Short() && size > 1<<20 {
				t.Skip("takes a second")
			}
			e := rightEvidence()
			e.message.Body = sizedBody(size)
			for i := range 4 {
				e.secrets = append(e.secrets, secretOf(fmt.Sprint("more ", i)))
			}
			e.signature = hex.EncodeToString(unrelated(5))
			left := newBudget()
			if f := explain(&e, left); f != nil {
				t.Errorf("%v", causeIDs(f))
			}
			if left.digests < 0 || left.bytes < 0 {
				t.Errorf("%d digests and %d bytes are left", left.digests, left.bytes)
			}
			if size == 1<<20 && maxDigests-left.digests > 1000 {
				t.Errorf("%d digests of a body of 1 MiB", maxDigests-left.digests)
			}
		})
	}
}

// sizedBody returns an event of about so many bytes.
func sizedBody(size int) []byte {
	const line = `{"id": "wo_123", "title": "caf\u00e9 <a\/b>", "rate": 5000.00, "tags": []},`
	body := []byte(`{"event_type": "work_order.created", "timestamp": "2023-11-14T22:13:19Z", "data": [`)
	body = append(body, strings.Repeat(line, max(size-len(body)-2, 0)/len(line))...)
	return append(bytes.TrimSuffix(body, []byte(",")), "]}"...)
}

func TestExplain_large_body(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		sign func(body []byte) []byte
		want string
	}{
		{"a newline on 10 MiB", 10 << 20, func(b []byte) []byte { return append(b, '\n') }, "body.newline_missing"},
		{"no white space in 512 KiB", 512 << 10, func(b []byte) []byte {
			tree, _ := parse(b)
			out, _ := javaScript.write(tree)
			return out
		}, "body.javascript"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := rightEvidence()
			e.message.Body = sizedBody(test.size)
			signed := e.message
			signed.Body = test.sign(bytes.Clone(e.message.Body))
			var err error
			if e.signature, err = e.scheme.Signature(signed, e.secrets[0]); err != nil {
				t.Fatal(err)
			}
			wantCauses(t, e, explained(e), true, test.want)
		})
	}
}

// TestSentences wants a test for each cause that has a sentence, and a sentence
// for each cause.
func TestSentences(t *testing.T) {
	tested := map[string]bool{
		"encoding.placeholder": true, // in TestExplain_guess
		"encoding.unknown":     true, // this one and those below in TestRefusal
		"secret.none":          true,

		"signature.unexplained": true,
	}
	for _, m := range allMistakes() {
		for _, id := range m.want {
			tested[id] = true
		}
	}
	for id, s := range sentences {
		if !tested[id] && !strings.HasPrefix(id, "time.") && !strings.HasPrefix(id, "header.") {
			t.Errorf("%s has no test", id)
		}
		if s.summary == "" || s.fix == "" {
			t.Errorf("%s has no sentence", id)
		}
		delete(tested, id)
	}
	for i := range jsonWriters { // in TestExplain_json_writers
		if _, twice := sentences[jsonWriters[i].cause]; twice {
			t.Errorf("%s has two sentences", jsonWriters[i].cause)
		}
		delete(tested, jsonWriters[i].cause)
	}
	for i := range senders {
		if !tested[senders[i].cause] {
			t.Errorf("%s has no test", senders[i].cause)
		}
		delete(tested, senders[i].cause)
	}
	for id := range tested {
		t.Errorf("%s has no sentence", id)
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10, 1 << 20, 8 << 20, 100 << 20} {
		b.Run(fmt.Sprint(size, "B"), func(b *testing.B) {
			e := rightEvidence()
			e.message.Body = sizedBody(size)
			e.signature = hex.EncodeToString(unrelated(6))
			var left *budget
			for b.Loop() {
				left = newBudget()
				if f := explain(&e, left); f != nil {
					b.Fatal(causeIDs(f))
				}
			}
			b.ReportMetric(float64(maxDigests-left.digests), "digests/op")
			b.ReportMetric(float64(maxBytes-left.bytes)/(1<<20), "hashed-MiB/op")
		})
	}
}
