package diagnose

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// hashFunction is a hash function that senders use.
type hashFunction struct {
	cause string // that using it stands for; "" for the right one
	name  string
	size  int // of a digest, in bytes
	new   func() hash.Hash
}

var (
	sha256Hash = hashFunction{"", "SHA-256", sha256.Size, sha256.New}
	sha1Hash   = hashFunction{"digest.hmac_sha1", "SHA-1", sha1.Size, sha1.New}

	hashFunctions = []*hashFunction{
		&sha256Hash,
		&sha1Hash,
		{"digest.hmac_sha512", "SHA-512", sha512.Size, sha512.New},
		{"digest.hmac_sha384", "SHA-384", sha512.Size384, sha512.New384},
		{"digest.hmac_md5", "MD5", md5.Size, md5.New},
	}
)

// construction is how key and content go into the hash.
type construction int

const (
	keyedHash construction = iota // HMAC, as it should be
	plainHash                     // the content alone
	keyFirst                      // the key, then the content
	keyLast                       // the content, then the key
	swapped                       // HMAC with the content as the key
)

// wrongConstructions has the cause that each one but HMAC stands for.
var wrongConstructions = []struct {
	cause        string
	construction construction
}{
	{"digest.plain", plainHash},
	{"digest.key_first", keyFirst},
	{"digest.key_last", keyLast},
	{"digest.swapped", swapped},
}

// signer computes digests under one key in one way.
type signer struct {
	candidate
	hash         *hashFunction
	construction construction
	key          []byte
	state        hash.Hash // made on first use: most signers are never reached
}

// sum returns the digest of the content.
func (s *signer) sum(content [][]byte) []byte {
	if s.construction == swapped {
		mac := hmac.New(s.hash.new, slices.Concat(content...))
		_, _ = mac.Write(s.key) // a hash never fails
		return mac.Sum(nil)
	}
	switch {
	case s.state != nil:
		s.state.Reset()
	case s.construction == keyedHash:
		s.state = hmac.New(s.hash.new, s.key)
	default:
		s.state = s.hash.new()
	}
	if s.construction == keyFirst {
		_, _ = s.state.Write(s.key)
	}
	for _, part := range content {
		_, _ = s.state.Write(part)
	}
	if s.construction == keyLast {
		_, _ = s.state.Write(s.key)
	}
	return s.state.Sum(nil)
}

// signers lists the ways to sign that give a digest of a presented size, the
// right one first.
func signers(e *evidence, presented []decoding) []*signer {
	var list []*signer
	add := func(h *hashFunction, c construction, k key, wrong ...cause) {
		if k.rare && len(wrong) > 0 {
			return
		}
		k.causes = slices.Concat(k.causes, wrong)
		list = append(list, &signer{candidate: k.candidate, hash: h, construction: c, key: k.bytes})
	}
	keys := keys(e)
	for _, h := range hashFunctions {
		if !h.fits(presented) {
			continue
		}
		var wrong []cause
		if h.cause != "" {
			wrong = []cause{{id: h.cause}}
		}
		for _, k := range keys {
			add(h, keyedHash, k, wrong...)
		}
		for _, w := range wrongConstructions {
			wrong := cause{id: w.cause, detail: h.name}
			if w.construction == plainHash {
				add(h, plainHash, key{}, wrong)
				continue
			}
			for _, k := range keys {
				add(h, w.construction, k, wrong)
			}
		}
	}
	return list
}

// fits reports whether a presented digest has the size of the function's. A
// truncated digest counts as SHA-256.
func (h *hashFunction) fits(presented []decoding) bool {
	return slices.ContainsFunc(presented, func(d decoding) bool {
		return len(d.digest) == h.size || d.truncated != "" && h == &sha256Hash
	})
}

// maxVaried bounds the secrets that are varied. All secrets are tried as they
// are.
const maxVaried = 4

// key is a candidate for the key of the HMAC.
type key struct {
	candidate
	bytes []byte
}

// keyRing gathers keys, each once: the first candidate for a key counts.
type keyRing struct {
	decodes bool // the scheme's secret is base64 after whsec_
	keys    []key
}

// keys lists the right keys first, then those that people sign with instead.
func keys(e *evidence) []key {
	r := &keyRing{decodes: e.scheme.Name() == webhook.StandardWebhooks}
	var varied []string
	for _, s := range e.secrets {
		varied = append(varied, s.Reveal())
		r.addSecret(candidate{}, s.Reveal())
	}
	varied = varied[:min(len(varied), maxVaried)]
	for _, s := range e.previous {
		r.addSecret(likely("secret.previous", ""), s.Reveal())
	}
	for _, secret := range varied {
		r.addLikely(secret)
	}
	r.add(likely("secret.empty", ""), "")
	for _, secret := range varied {
		r.addRare(secret)
	}
	for _, word := range []string{"undefined", "null", "None"} {
		r.add(rarely("secret.unset", word), word)
	}
	r.addSecret(rarely("secret.sample", ""), "your-webhook-secret")
	if apiKey := e.header.Get(webhook.HeaderAPIKey); apiKey != "" {
		r.add(rarely("secret.api_key", ""), apiKey)
	}
	return r.keys
}

func (r *keyRing) add(c candidate, text string) {
	k := []byte(text)
	if !slices.ContainsFunc(r.keys, func(have key) bool { return hmac.Equal(have.bytes, k) }) {
		r.keys = append(r.keys, key{c, k})
	}
}

// addSecret adds the key that the scheme makes of a secret.
func (r *keyRing) addSecret(c candidate, secret string) {
	if !r.decodes {
		r.add(c, secret)
	} else if k, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err == nil && len(k) > 0 {
		r.add(c, string(k))
	}
}

// addLikely adds the keys that likely mistakes make of a secret.
func (r *keyRing) addLikely(secret string) {
	trimmed := strings.TrimSpace(secret)
	r.addSecret(likely("secret.space_added", ""), trimmed)
	r.add(likely("secret.space_missing", "a newline"), secret+"\n")
	r.add(likely("secret.space_missing", "CRLF"), secret+"\r\n")
	r.add(likely("secret.space_missing", "a space"), secret+" ")
	if bare, quoted := unquote(trimmed); quoted {
		r.addSecret(likely("secret.quotes_added", ""), bare)
	}
	bare, marked := strings.CutPrefix(trimmed, "whsec_")
	switch {
	case r.decodes:
		r.add(likely("secret.not_decoded", ""), trimmed)
		r.add(likely("secret.not_decoded", "without whsec_"), bare)
	case marked:
		r.add(likely("secret.whsec", "and uses the rest as it is"), bare)
		if k := unbase64(bare); len(k) > 0 {
			r.add(likely("secret.whsec", "and decodes the rest from base64"), string(k))
		}
	default:
		r.add(rarely("secret.whsec_missing", ""), "whsec_"+trimmed)
	}
	if k := unbase64(bare); len(k) > 0 {
		r.add(likely("secret.base64", ""), string(k))
	}
	if k, err := hex.DecodeString(trimmed); err == nil && len(k) > 0 {
		r.add(likely("secret.hex", ""), string(k))
	}
}

// shellVariable is what a shell expands between double quotes.
var shellVariable = regexp.MustCompile(`\$(\w+|\{\w*\})`)

// addRare adds the keys that a shell, a .env file or a form makes of a secret.
func (r *keyRing) addRare(secret string) {
	r.add(rarely("secret.quotes_missing", ""), `"`+secret+`"`)
	r.add(rarely("secret.quotes_missing", ""), `'`+secret+`'`)
	r.add(rarely("secret.base64_encoded", ""), base64.StdEncoding.EncodeToString([]byte(secret)))
	r.add(rarely("secret.base64_encoded", "with a newline at its end"), base64.StdEncoding.EncodeToString([]byte(secret+"\n")))
	r.add(rarely("secret.hex_encoded", ""), hex.EncodeToString([]byte(secret)))
	r.add(rarely("secret.case", "lower case"), strings.ToLower(secret))
	r.add(rarely("secret.case", "upper case"), strings.ToUpper(secret))
	r.addSecret(rarely("secret.shell", "$"), shellVariable.ReplaceAllString(secret, ""))
	before, _, _ := strings.Cut(secret, "#")
	r.addSecret(rarely("secret.shell", "#"), strings.TrimSpace(before))
	if plain, err := url.PathUnescape(secret); err == nil {
		r.addSecret(rarely("secret.percent", ""), plain)
	}
}

// unbase64 decodes base64 in either alphabet, padded or not. It returns nil for
// other text.
func unbase64(text string) []byte {
	bare := strings.TrimRight(text, "=")
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := alphabet.DecodeString(bare); err == nil && bare != "" {
			return b
		}
	}
	return nil
}

func unquote(text string) (inner string, quoted bool) {
	for _, quote := range []string{`"`, `'`, "`"} {
		if inner, ok := strings.CutPrefix(text, quote); ok && strings.HasSuffix(inner, quote) {
			return strings.TrimSuffix(inner, quote), true
		}
	}
	return text, false
}
