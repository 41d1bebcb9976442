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

// recompute computes a digest from the key and the content alone.
func recompute(c *computation) []byte {
	newHash := map[string]func() hash.Hash{"SHA-256": sha256.New, "SHA-1": sha1.New, "SHA-512": sha512.New, "SHA-384": sha512.New384, "MD5": md5.New}[c.signer.hash.name]
	key, content := c.signer.key, slices.Concat(c.parts...)
	var sum hash.Hash
	switch c.signer.construction {
	case keyedHash:
		sum = hmac.New(newHash, key)
	case swapped:
		sum = hmac.New(newHash, content)
		content = key
	case plainHash:
		sum = newHash()
	case keyFirst:
		sum = newHash()
		content = slices.Concat(key, content)
	case keyLast:
		sum = newHash()
		content = slices.Concat(content, key)
	}
	sum.Write(content)
	return sum.Sum(nil)
}

// carries reports whether a text contains a digest, or the beginning of one, in
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
			if strings.Contains(strings.ToLower(text), strings.ToLower(encoded[:minTruncated])) || strings.Contains(strings.NewReplacer(":", "", "-", "", " ", "").Replace(strings.ToLower(text)), h) {
				return true
			}
		}
	}
	return false
}

// fuzzMistakes are the mistakes that the fuzzer makes of a message; the first
// takes the signature as it comes.
var fuzzMistakes = []func(e *evidence, key string) (signature string){
	nil,
	func(e *evidence, key string) string { // the body alone
		return hex.EncodeToString(hmacOf(key, string(e.message.Body)))
	},
	func(e *evidence, key string) string { // another encoding, and a newline
		return base64Of(hmacOf(key, e.message.Timestamp+"."+string(e.message.Body)+"\n"))
	},
	func(e *evidence, key string) string { // a prefix, and a newline in the secret
		return "sha256=" + hex.EncodeToString(hmacOf(key+"\n", e.message.Timestamp+"."+string(e.message.Body)))
	},
	func(e *evidence, key string) string { // GitHub's header
		e.header = append(e.header, webhook.Pair{Name: "X-Hub-Signature-256", Value: "sha256=" + hex.EncodeToString(hmacOf(key, string(e.message.Body)))})
		return ""
	},
	func(e *evidence, key string) string { // what encoding/json writes
		var value any
		if json.Unmarshal(e.message.Body, &value) != nil {
			return ""
		}
		text, err := json.Marshal(value)
		tree, read := parse(e.message.Body)
		if ours, ok := goEscaped.write(tree); err != nil || !read || !ok || !bytes.Equal(ours, text) {
			return "" // past the bounds
		}
		return hex.EncodeToString(hmacOf(key, e.message.Timestamp+"."+string(text)))
	},
}

func hmacOf(key, content string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(content))
	return mac.Sum(nil)
}

// FuzzExplain holds two properties: a mistake that the fuzzer makes is found,
// and what is certain can be computed again from the key and the content, with a
// digest that the request carries.
func FuzzExplain(f *testing.F) {
	for i, m := range allMistakes() {
		e, content := m.build()
		sum := sha256.Sum256(content)
		signature := hex.EncodeToString(sum[:])
		if m.write != nil {
			signature = m.write(sum[:])
		}
		f.Add(e.message.Body, signature, e.message.Timestamp, e.message.ID, e.message.URL, e.secrets[0].Reveal(), byte(i), byte(i), "X-Webhook-Id", signature)
	}
	for i, text := range nasty() {
		f.Add([]byte(text), hex.EncodeToString(unrelated(i)), testTimestamp, "", "", "secret", byte(i), byte(i), senders[i%len(senders)].header, "t=1,v1=ab")
	}
	for mode := range fuzzMistakes { // a body that is not UTF-8 was not found under base64 with a line break
		f.Add([]byte("{\"a\":\"\xff\"}"), hex.EncodeToString(unrelated(mode)), testTimestamp, "", "", "secret", byte(0), byte(mode), "X-Webhook-Id", "")
	}
	f.Fuzz(func(t *testing.T, body []byte, signature, timestamp, id, address, secret string, scheme, mode byte, name, value string) {
		key, err := webhook.NewSecret(secret)
		if err != nil {
			return
		}
		e := evidence{
			scheme:  webhook.Schemes()[int(scheme)%len(webhook.Schemes())],
			message: webhook.Message{Body: body, Timestamp: timestamp, ID: id, URL: address}, signature: signature,
			header: webhook.Header{{Name: name, Value: value}}, secrets: []webhook.Secret{key},
		}
		mistake := fuzzMistakes[int(mode)%len(fuzzMistakes)]
		if mistake != nil {
			e.scheme = webhook.SchemeFor(webhook.WorkSkedge)
			e.signature = mistake(&e, secret)
		}
		found := explain(&e, newBudget())
		right, _ := e.scheme.Signature(e.message, key)
		if mistake != nil && e.signature != "" && e.signature != right && (found == nil || !found.certain) {
			t.Fatalf("mistake %d was not found", int(mode)%len(fuzzMistakes))
		}
		if found == nil {
			return
		}
		d := found.diagnosis(e.scheme)
		if d.ID == "" || d.Summary == "" || d.Fix == "" || d.Certain != found.certain {
			t.Fatalf("%+v of %v", d, found.causes)
		}
		if !found.certain {
			return
		}
		if again := recompute(found.computed); !hmac.Equal(again, found.computed.digest) {
			t.Fatalf("%s: the digest is %x, not %x", d.ID, again, found.computed.digest)
		}
		carried := func(p webhook.Pair) bool { return carries(p.Value, found.computed.digest) }
		if !carries(e.signature, found.computed.digest) && !slices.ContainsFunc(e.header, carried) {
			t.Fatalf("%s: the digest is nowhere in the request", d.ID)
		}
	})
}
