package diagnose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// unrelated is a digest that nothing leads to.
func unrelated(n int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "unrelated %d", n))
	return sum[:]
}

func baseCase() Case {
	c, _ := way{}.build()
	return c
}

func TestAnUnrelatedSignatureIsNotExplained(t *testing.T) {
	for i, text := range append(nasty(), testBody, "", "not JSON", "\xff\xfe", "a=1&b=2") {
		for _, s := range webhook.Schemes() {
			c := baseCase()
			c.Scheme, c.Message.Body, c.Signature = s, []byte(text), s.Encode(unrelated(i))
			c.Secrets = append(c.Secrets, secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk="))
			if f, found := Explain(c); found {
				t.Errorf("%s, %.40q: %+v", s.Name(), text, f)
			}
		}
	}
}

func TestARightSignatureNeedsNoExplanation(t *testing.T) {
	for _, s := range webhook.Schemes() {
		c := baseCase()
		c.Scheme, c.Secrets = s, []webhook.Secret{secretOf("other"), secretOf("bm90LXNvLXNlY3JldC1rZXk=")}
		var err error
		if c.Signature, err = s.Sign(c.Message, c.Secrets[1]); err != nil {
			t.Fatal(err)
		}
		if f, found := Explain(c); found {
			t.Errorf("%s: %+v", s.Name(), f)
		}
	}
}

func TestAShapeIsAGuess(t *testing.T) {
	digest := unrelated(0)
	for _, test := range []struct{ name, signature, want string }{
		{"a word", "undefined", "encoding.placeholder"},
		{"an object", `"[object Object]"`, "encoding.placeholder"},
		{"capitals", strings.ToUpper(hex.EncodeToString(digest)), "encoding.uppercase_hex"},
		{"base64", base64Of(digest), "encoding.base64"},
		{"a prefix", "sha256=" + hex.EncodeToString(digest), "encoding.prefix"},
		{"Stripe's form", "t=1700000000,v1=" + hex.EncodeToString(digest), "encoding.stamped"},
		{"a shorter hash", hex.EncodeToString(digest[:20]), "digest.hmac_sha1"},
		{"a longer hash", hex.EncodeToString(append(digest, digest...)), "digest.hmac_sha512"},
		{"a cut", hex.EncodeToString(digest)[:50], "encoding.cut"},
		{"no signature at all", "hello", ""},
		{"a very long value", strings.Repeat("ab", 5000), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := baseCase()
			c.Signature = test.signature
			f, found := Explain(c)
			if f.ID != test.want || f.Certain || found != (test.want != "") {
				t.Errorf("got %+v, want %q as a guess", f, test.want)
			}
			if found {
				checkText(t, c, f)
			}
		})
	}
}

func TestAnotherSendersHeaderIsKnownWithoutItsSecret(t *testing.T) {
	for _, s := range senders() {
		c := baseCase()
		c.Header = webhook.Header{{Name: strings.ToUpper(s.header), Value: "v1," + base64Of(unrelated(1))}}
		if strings.EqualFold(s.header, c.Scheme.SignatureHeader()) {
			continue
		}
		f, found := Explain(c)
		if !found || f.Certain || f.ID != s.id || !strings.Contains(f.Summary, s.name) {
			t.Errorf("%s: %+v", s.header, f)
		}
		if s.scheme != "" && !strings.Contains(f.Fix, s.scheme) {
			t.Errorf("%s: the fix does not name %s: %s", s.header, s.scheme, f.Fix)
		}
		checkText(t, c, f)

		c.Signature = hex.EncodeToString(unrelated(2)) // with the expected header there, another one proves nothing
		if f, found := Explain(c); found {
			t.Errorf("%s beside the expected header: %+v", s.header, f)
		}
	}
}

func TestAnotherSendersHeaderBesideTheExpectedOneIsTakenWhenItFits(t *testing.T) {
	c := baseCase()
	body, _ := webhook.SchemeNamed(webhook.BodyOnly)
	value, err := body.Sign(c.Message, c.Secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	c.Signature = hex.EncodeToString(unrelated(3))
	c.Header = webhook.Header{{Name: "X-Hub-Signature-256", Value: "sha256=" + value}}
	if f, _ := Explain(c); f.ID != "sender.github" || !f.Certain {
		t.Errorf("%+v", f)
	}
}

func TestWhatIsMissingIsNotInvented(t *testing.T) {
	signed := hex.EncodeToString(unrelated(4))
	for name, c := range map[string]Case{
		"nothing at all":     {},
		"no signature":       baseCase(),
		"no secrets":         {Signature: signed, Message: webhook.Message{Body: []byte(testBody)}},
		"blank secrets":      {Signature: signed, Secrets: make([]webhook.Secret, 2), Previous: make([]webhook.Secret, 2)},
		"many empty headers": {Header: make(webhook.Header, 100)},
	} {
		if f, found := Explain(c); found {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestThePlatformsOwnHeaderIsTheSchemes(t *testing.T) {
	c := baseCase()
	c.Scheme = webhook.SchemeFor(webhook.Worksome)
	value, err := c.Scheme.Sign(c.Message, c.Secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	c.Header = webhook.Header{{Name: "signature", Value: strings.ToUpper(value)}}
	if f, _ := Explain(c); f.ID != "encoding.uppercase_hex" || !f.Certain {
		t.Errorf("%+v", f)
	}
}

// TestTheWorkIsBounded counts rather than takes the time.
func TestTheWorkIsBounded(t *testing.T) {
	for _, size := range []int{0, 2 << 10, 16 << 10, maxPairBody + 1, maxRewrite + 1} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			if testing.Short() && size > 1<<20 {
				t.Skip("long")
			}
			c := baseCase()
			c.Message.Body = sizedBody(size)
			for i := range 4 {
				c.Secrets = append(c.Secrets, secretOf(fmt.Sprint("more ", i)))
			}
			c.Signature = hex.EncodeToString(unrelated(5))
			left := newBudget()
			if _, found := explain(c, left); found {
				t.Error("found")
			}
			if left.digests < 0 || left.bytes < 0 {
				t.Errorf("%d digests and %d bytes are left", left.digests, left.bytes)
			}
		})
	}
}

// sizedBody is an event of about so many bytes.
func sizedBody(size int) []byte {
	const line = `{"id": "wo_123", "title": "caf\u00e9 <a\/b>", "rate": 5000.00, "tags": []},`
	body := []byte(`{"event_type": "work_order.created", "timestamp": "2023-11-14T22:13:19Z", "data": [`)
	body = append(body, strings.Repeat(line, max(size-len(body)-2, 0)/len(line))...)
	return append(bytes.TrimSuffix(body, []byte(",")), "]}"...)
}

func TestALargeBodyIsStillExplained(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		sign func(body []byte) []byte
		want string
	}{
		{"a newline on 10 MiB", 10 << 20, func(b []byte) []byte { return append(b, '\n') }, "body.newline_missing"},
		{"no white space in 512 KiB", 512 << 10, func(b []byte) []byte {
			tree, _ := parse(b)
			out, _ := javascriptTools()[0].write(tree)
			return out
		}, "body.javascript"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := baseCase()
			c.Message.Body = sizedBody(test.size)
			signed := c.Message
			signed.Body = test.sign(bytes.Clone(c.Message.Body))
			var err error
			if c.Signature, err = c.Scheme.Sign(signed, c.Secrets[0]); err != nil {
				t.Fatal(err)
			}
			if f, _ := Explain(c); f.ID != test.want || !f.Certain {
				t.Errorf("%+v", f)
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10, 1 << 20, 8 << 20, 100 << 20} {
		b.Run(fmt.Sprint(size, "B"), func(b *testing.B) {
			c := baseCase()
			c.Message.Body = sizedBody(size)
			c.Signature = hex.EncodeToString(unrelated(6))
			var left *budget
			for b.Loop() {
				left = newBudget()
				if _, found := explain(c, left); found {
					b.Fatal("found")
				}
			}
			b.ReportMetric(float64(maxDigests-left.digests), "digests/op")
			b.ReportMetric(float64(maxBytes-left.bytes)/(1<<20), "hashed-MiB/op")
		})
	}
}
