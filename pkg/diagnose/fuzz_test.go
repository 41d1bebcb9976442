package diagnose

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// recompute makes the digest of a hit from its key and content alone.
func recompute(h *hit) []byte {
	f := map[string]func() hash.Hash{"SHA-256": sha256.New, "SHA-1": sha1.New, "SHA-512": sha512.New, "SHA-384": sha512.New384, "MD5": md5.New}[h.hash]
	content := slices.Concat(h.parts...)
	var sum hash.Hash
	switch h.mix {
	case keyed:
		sum = hmac.New(f, h.key)
	case swapped:
		sum = hmac.New(f, content)
		content = h.key
	case plain:
		sum = f()
	case keyFirst:
		sum = f()
		content = slices.Concat(h.key, content)
	case keyLast:
		sum = f()
		content = slices.Concat(content, h.key)
	}
	sum.Write(content)
	return sum.Sum(nil)
}

// carries reports whether a text holds a digest, or the beginning of one, in
// any encoding.
func carries(text string, digest []byte) bool {
	plain, err := url.PathUnescape(text)
	if err != nil {
		plain = text
	}
	for _, text := range []string{text, plain} {
		h, b := hex.EncodeToString(digest), base64.RawStdEncoding.EncodeToString(digest)
		for _, encoded := range []string{
			h, b, base64.RawURLEncoding.EncodeToString(digest), hex.EncodeToString([]byte(h)), hex.EncodeToString([]byte(b)),
			base64.RawStdEncoding.EncodeToString([]byte(h)), base64.RawStdEncoding.EncodeToString([]byte(b)),
		} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(encoded[:minCut])) || strings.Contains(strings.NewReplacer(":", "", "-", "", " ", "").Replace(strings.ToLower(text)), h) {
				return true
			}
		}
	}
	return false
}

// fuzzModes are the mistakes that the fuzzer makes on its own; mode 0 takes
// the signature as it comes.
func fuzzModes() []func(c *Case, m webhook.Message, key string) string {
	sign := func(key, content string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(content))
		return mac.Sum(nil)
	}
	return []func(c *Case, m webhook.Message, key string) string{
		nil,
		func(_ *Case, m webhook.Message, key string) string {
			return hex.EncodeToString(sign(key, string(m.Body)))
		},
		func(_ *Case, m webhook.Message, key string) string {
			return base64Of(sign(key, m.Timestamp+"."+string(m.Body)+"\n"))
		},
		func(_ *Case, m webhook.Message, key string) string {
			return "sha256=" + hex.EncodeToString(sign(key+"\n", m.Timestamp+"."+string(m.Body)))
		},
		func(c *Case, m webhook.Message, key string) string {
			c.Header = append(c.Header, webhook.Pair{Name: "X-Hub-Signature-256", Value: "sha256=" + hex.EncodeToString(sign(key, string(m.Body)))})
			return ""
		},
		func(_ *Case, m webhook.Message, key string) string { // what encoding/json writes
			var value any
			if json.Unmarshal(m.Body, &value) != nil {
				return ""
			}
			text, err := json.Marshal(value)
			tree, read := parse(m.Body)
			if ours, ok := goTools()[0].write(tree); err != nil || !read || !ok || !bytes.Equal(ours, text) {
				return "" // past the bounds
			}
			return hex.EncodeToString(sign(key, m.Timestamp+"."+string(text)))
		},
	}
}

func FuzzExplain(f *testing.F) {
	for i, w := range allWays() {
		c, content := w.build()
		sum := sha256.Sum256(content)
		signature := hex.EncodeToString(sum[:])
		if w.write != nil {
			signature = w.write(sum[:])
		}
		f.Add(c.Message.Body, signature, c.Message.Timestamp, c.Message.ID, c.Message.URL, c.Secrets[0].Reveal(), byte(i), byte(i), "X-Webhook-Id", signature)
	}
	for i, text := range nasty() {
		f.Add([]byte(text), hex.EncodeToString(unrelated(i)), testStamp, "", "", "secret", byte(i), byte(i), senders()[i%len(senders())].header, "t=1,v1=ab")
	}
	f.Fuzz(func(t *testing.T, body []byte, signature, stamp, id, address, secret string, scheme, mode byte, name, value string) {
		key, err := webhook.NewSecret(secret)
		if err != nil {
			return
		}
		c := Case{
			Scheme:  webhook.Schemes()[int(scheme)%len(webhook.Schemes())],
			Message: webhook.Message{Body: body, Timestamp: stamp, ID: id, URL: address}, Signature: signature,
			Header: webhook.Header{{Name: name, Value: value}}, Secrets: []webhook.Secret{key},
		}
		mistake := fuzzModes()[int(mode)%len(fuzzModes())]
		if mistake != nil {
			c.Scheme = webhook.SchemeFor(webhook.WorkSkedge)
			c.Signature = mistake(&c, c.Message, secret)
		}
		h, found := explain(c, newBudget())
		right, _ := c.Scheme.Sign(c.Message, key)
		if mistake != nil && c.Signature != "" && c.Signature != right && !(found && h.certain) {
			t.Fatalf("mode %d was not found", int(mode)%len(fuzzModes()))
		}
		if !found {
			return
		}
		finding := h.finding()
		if finding.ID == "" || finding.Summary == "" || finding.Fix == "" || finding.Certain != h.certain {
			t.Fatalf("%+v of %v", finding, h.steps)
		}
		if !h.certain {
			return
		}
		if again := recompute(h); !hmac.Equal(again, h.digest) {
			t.Fatalf("%s: the digest is %x, not %x", finding.ID, again, h.digest)
		}
		if !carries(c.Signature, h.digest) && !slices.ContainsFunc(c.Header, func(p webhook.Pair) bool { return carries(p.Value, h.digest) }) {
			t.Fatalf("%s: the digest is nowhere in the request", finding.ID)
		}
	})
}
