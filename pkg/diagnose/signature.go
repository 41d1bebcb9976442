package diagnose

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The bounds of what is decoded as a signature.
const (
	maxValue     = 4 << 10 // bytes of a header's value
	maxDecodings = 16
	minTruncated = 16 // characters: 8 bytes of hex or 12 of base64 do not match by chance
)

// decoding is one way to decode the presented signature: as a whole digest, or
// as the beginning of one. It has no causes where it is the scheme's own way.
type decoding struct {
	digest    []byte
	truncated string           // the beginning of an encoded digest, where digest is nil
	alphabet  *base64.Encoding // of truncated; nil for hex
	timestamp string           // written beside the signature
	causes    []cause
}

// decodings lists every way to decode a header's value.
func decodings(s webhook.Scheme, value string) []decoding {
	if len(value) > maxValue {
		return nil
	}
	var list []decoding
	for _, t := range tokens(s, value) {
		for _, d := range decode(s, t.text) {
			d.timestamp = t.timestamp
			d.causes = slices.Concat(t.causes, d.causes)
			list = append(list, d)
		}
	}
	return list[:min(len(list), maxDecodings)]
}

// is reports whether a digest is the presented one, in the same time wherever
// the two differ.
func (d *decoding) is(digest []byte) bool {
	if d.truncated == "" {
		return hmac.Equal(digest, d.digest)
	}
	text := hex.EncodeToString(digest)
	if d.alphabet != nil {
		text = d.alphabet.EncodeToString(digest)
	}
	return len(d.truncated) < len(text) && hmac.Equal([]byte(text[:len(d.truncated)]), []byte(d.truncated))
}

// decode decodes a text without prefix or quotes.
func decode(s webhook.Scheme, text string) []decoding {
	if isHex(text) {
		return decodeHex(s, text)
	}
	if bare := strings.NewReplacer(":", "", "-", "", " ", "").Replace(text); len(bare) == 64 && isHex(bare) {
		list := decodeHex(s, bare)
		for i := range list {
			list[i].causes = append([]cause{{id: "encoding.separated"}}, list[i].causes...)
		}
		return list
	}
	return decodeBase64(s, text)
}

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdefABCDEF") == "" }

func decodeHex(s webhook.Scheme, text string) []decoding {
	var causes []cause
	upper := strings.ToLower(text) != text
	switch {
	case s.Encoding() != "hex" && upper:
		causes = []cause{{id: "encoding.hex", detail: "uppercase"}}
	case s.Encoding() != "hex":
		causes = []cause{{id: "encoding.hex"}}
	case upper:
		causes = []cause{{id: "encoding.uppercase_hex"}}
	}
	var list []decoding
	if b, err := hex.DecodeString(text); err == nil {
		if twice := decodeTwice(b, "hex"); twice != nil {
			return twice
		}
		if isSize(len(b)) {
			list = append(list, decoding{digest: b, causes: causes})
		}
	}
	if minTruncated <= len(text) && len(text) < 64 { // the digest of a shorter hash may be a truncated one as well
		list = append(list, decoding{truncated: strings.ToLower(text), causes: append([]cause{truncatedAt(len(text), 64)}, causes...)})
	}
	return list
}

func decodeBase64(s webhook.Scheme, text string) []decoding {
	bare := strings.TrimRight(text, "=")
	alphabet, isURL := base64.StdEncoding, false
	if strings.ContainsAny(bare, "-_") {
		alphabet, isURL = base64.URLEncoding, true
	}
	unpadded := ""
	if len(bare) == len(text) && len(bare)%4 != 0 {
		unpadded = "without its padding"
	}
	var causes []cause
	switch {
	case isURL:
		causes = []cause{{id: "encoding.base64url", detail: unpadded}}
	case s.Encoding() != "base64":
		causes = []cause{{id: "encoding.base64", detail: unpadded}}
	case unpadded != "":
		causes = []cause{{id: "encoding.base64_unpadded"}}
	}
	if b, err := alphabet.WithPadding(base64.NoPadding).DecodeString(bare); err == nil {
		if twice := decodeTwice(b, "base64"); twice != nil {
			return twice
		}
		if isSize(len(b)) {
			return []decoding{{digest: b, causes: causes}}
		}
	}
	cut := bare[:len(bare)/4*4] // whole groups of four characters
	if len(cut) < minTruncated || len(bare) >= 43 {
		return nil
	}
	if _, err := alphabet.DecodeString(cut); err != nil {
		return nil
	}
	return []decoding{{truncated: cut, alphabet: alphabet, causes: append([]cause{truncatedAt(len(text), 44)}, causes...)}}
}

// decodeTwice decodes a digest that was encoded before it was encoded in outer.
func decodeTwice(b []byte, outer string) []decoding {
	if inner, err := hex.DecodeString(string(b)); err == nil && isSize(len(inner)) {
		return []decoding{{digest: inner, causes: []cause{{id: "encoding.double", detail: outer + " of hex"}}}}
	}
	if inner := unbase64(string(b)); isSize(len(inner)) {
		return []decoding{{digest: inner, causes: []cause{{id: "encoding.double", detail: outer + " of base64"}}}}
	}
	return nil
}

// isSize reports whether the digest of a known hash function has n bytes.
func isSize(n int) bool {
	return slices.ContainsFunc(hashFunctions, func(h *hashFunction) bool { return h.size == n })
}

func truncatedAt(have, want int) cause {
	return cause{id: "encoding.cut", detail: fmt.Sprintf("after %d of %d characters", have, want)}
}

// token is a part of a header's value that may be an encoded digest, with the
// causes for what was removed around it.
type token struct {
	text      string
	timestamp string // written beside it
	causes    []cause
}

// tokens takes a header's value apart.
func tokens(s webhook.Scheme, value string) []token {
	whole, causes := unwrap(value)
	if s.Prefix() != "" {
		return prefixedTokens(s, strings.Fields(whole), causes)
	}
	text, prefix := cutPrefix(whole)
	list := []token{{text: text, causes: slices.Concat(causes, prefix)}}
	fields := strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune(", ;", r) })
	if len(fields) < 2 {
		return list
	}
	timestamp, form := "", "encoding.list"
	for _, f := range fields {
		if t, ok := strings.CutPrefix(f, "t="); ok {
			timestamp, form = t, "encoding.stamped"
		}
	}
	for _, f := range fields {
		text, prefix := cutPrefix(f)
		if name, rest, ok := strings.Cut(text, "="); len(prefix) == 0 && ok && len(name) < minTruncated && strings.Trim(rest, "=") != "" {
			text = rest // h1=…, sig=…
		}
		list = append(list, token{text, timestamp, append(slices.Clone(causes), cause{id: form})})
	}
	return list
}

// prefixedTokens reads the list of a scheme that has a prefix before each
// signature.
func prefixedTokens(s webhook.Scheme, fields []string, causes []cause) []token {
	var list []token
	for _, f := range fields {
		text, ok := strings.CutPrefix(f, s.Prefix())
		if ok {
			list = append(list, token{text: text, causes: causes})
			continue
		}
		text, other := cutPrefix(f)
		if len(other) == 0 {
			other = []cause{{id: "encoding.prefix_missing"}}
		}
		list = append(list, token{text: text, causes: slices.Concat(causes, other)})
	}
	return list
}

// signaturePrefixes lists what senders write before a digest, longer ones
// first.
var signaturePrefixes = []string{
	"hmac-sha256 signature=", "hmac-sha256=", "hmac-sha256:", "hmac-sha256 ", "hmacsha256=", "signature=", "bearer ",
	"sha-256=", "sha256=", "sha256:", "sha512=", "sha384=", "sha1=", "hmac ", "hmac=", "md5=", "sig=",
	"v1=", "v0=", "v2=", "v1,", "v1:", "h1=", "0x",
}

// cutPrefix removes a known prefix in any case.
func cutPrefix(text string) (string, []cause) {
	for _, p := range signaturePrefixes {
		if len(text) > len(p) && strings.EqualFold(text[:len(p)], p) {
			rest, _ := unquote(strings.TrimSpace(text[len(p):]))
			return rest, []cause{{id: "encoding.prefix", detail: p}}
		}
	}
	return text, nil
}

// unwrap removes white space, quotes, the label that a command-line tool prints
// beside a digest, and percent escapes.
func unwrap(value string) (string, []cause) {
	var causes []cause
	for _, layer := range []struct {
		cause  string
		remove func(string) (rest string, removed bool)
	}{
		{"encoding.space", trimSpace}, {"encoding.quotes", trimQuotes}, {"encoding.label", trimLabel}, {"encoding.percent", unescapePercent},
	} {
		if rest, removed := layer.remove(value); removed {
			value = rest
			causes = append(causes, cause{id: layer.cause})
		}
	}
	return value, causes
}

func trimSpace(value string) (string, bool) {
	trimmed := strings.TrimSpace(value)
	return trimmed, trimmed != value
}

func trimQuotes(value string) (string, bool) {
	bare, quoted := unquote(value)
	return strings.TrimSpace(bare), quoted
}

func trimLabel(value string) (string, bool) {
	if _, digest, ok := strings.Cut(value, ")= "); ok { // openssl: SHA2-256(stdin)= …
		return digest, true
	}
	digest, file, _ := strings.Cut(value, " ")
	return digest, file == " -" || file == "*-" || file == "*stdin" // sha256sum, openssl -r
}

func unescapePercent(value string) (string, bool) {
	plain, err := url.PathUnescape(value)
	return plain, err == nil && strings.Contains(value, "%")
}

// placeholders are what languages print for a missing value or an object, and
// what the documentation has in place of a signature, in lower case.
var placeholders = []string{
	"undefined", "null", "none", "nil", "nan", "false", "true", "[object object]", "[object promise]", "array",
	"signature", "your-hmac-signature",
}

// guess explains a signature by its form alone.
func guess(signature string, presented []decoding) *finding {
	if word, _ := unwrap(signature); slices.Contains(placeholders, strings.ToLower(word)) {
		return &finding{causes: []cause{{id: "encoding.placeholder"}}}
	}
	var first []cause
	for _, d := range presented {
		causes := d.causes
		for _, h := range hashFunctions {
			if h.cause != "" && len(d.digest) == h.size {
				causes = append([]cause{{id: h.cause, detail: "by its length"}}, causes...)
			}
		}
		if len(causes) == 0 {
			return nil // the form is right
		}
		if first == nil {
			first = causes
		}
	}
	if first == nil {
		return nil
	}
	return &finding{causes: first, note: "; even so the signature does not match, so something else is wrong too"}
}

// misplaced decodes the values of all headers, for a request that lacks the
// scheme's own.
func misplaced(e *evidence) []decoding {
	var list []decoding
	for _, p := range e.header {
		for _, d := range decodings(e.scheme, p.Value) {
			if len(d.digest) == sha256.Size {
				d.causes = append([]cause{{id: "header.other_name", detail: fmt.Sprintf("in %.60q", p.Name)}}, d.causes...)
				list = append(list, d)
			}
		}
	}
	return list[:min(len(list), maxDecodings)]
}
