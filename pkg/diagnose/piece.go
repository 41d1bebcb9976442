package diagnose

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// piece is a part of a header's value that may be an encoded digest, with
// what had to be taken off it.
type piece struct {
	text  string
	stamp string // a timestamp beside it
	steps []step
}

// pieces takes a value apart.
func pieces(s *webhook.Scheme, value string) []piece {
	whole, steps := peel(value)
	fields := strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune(", ;", r) })
	if s.Prefix() != "" {
		return prefixed(s, strings.Fields(whole), steps)
	}
	text, more := unprefix(whole)
	list := []piece{{text, "", slices.Concat(steps, more)}}
	if len(fields) < 2 {
		return list
	}
	stamp, form := "", "encoding.list"
	for _, f := range fields {
		if t, ok := strings.CutPrefix(f, "t="); ok {
			stamp, form = t, "encoding.stamped"
		}
	}
	for _, f := range fields {
		text, more := unprefix(f)
		if name, rest, ok := strings.Cut(text, "="); len(more) == 0 && ok && len(name) < minCut && strings.Trim(rest, "=") != "" {
			text = rest // h1=…, sig=…
		}
		list = append(list, piece{text, stamp, append(slices.Clone(steps), step{id: form})})
	}
	return list
}

// prefixed reads the list of a scheme that writes a prefix before each
// signature.
func prefixed(s *webhook.Scheme, fields []string, steps []step) []piece {
	var list []piece
	for _, f := range fields {
		text, ok := strings.CutPrefix(f, s.Prefix())
		if ok {
			list = append(list, piece{text, "", steps})
			continue
		}
		text, more := unprefix(f)
		if len(more) == 0 {
			more = because("encoding.prefix_missing", "")
		}
		list = append(list, piece{text, "", slices.Concat(steps, more)})
	}
	return list
}

// prefixes lists what senders write before a digest, longer ones first.
func prefixes() []string {
	return []string{
		"hmac-sha256 signature=", "hmac-sha256=", "hmac-sha256:", "hmac-sha256 ", "hmacsha256=", "signature=", "bearer ",
		"sha-256=", "sha256=", "sha256:", "sha512=", "sha384=", "sha1=", "hmac ", "hmac=", "md5=", "sig=",
		"v1=", "v0=", "v2=", "v1,", "v1:", "h1=", "0x",
	}
}

// unprefix takes a known prefix off, whatever its case.
func unprefix(text string) (string, []step) {
	for _, p := range prefixes() {
		if len(text) > len(p) && strings.EqualFold(text[:len(p)], p) {
			rest, _ := unquote(strings.TrimSpace(text[len(p):]))
			return rest, because("encoding.prefix", p)
		}
	}
	return text, nil
}

// peel takes off what is around a value: white space, quotes, what a command
// line tool prints beside the digest, percent escapes.
func peel(value string) (string, []step) {
	var steps []step
	for _, layer := range []struct {
		id  string
		off func(string) (rest string, ok bool)
	}{
		{"encoding.space", trim}, {"encoding.quotes", unquoteAll}, {"encoding.label", unlabel}, {"encoding.percent", unescapePercent},
	} {
		if rest, ok := layer.off(value); ok {
			value = rest
			steps = append(steps, step{id: layer.id})
		}
	}
	return value, steps
}

func trim(value string) (string, bool) {
	trimmed := strings.TrimSpace(value)
	return trimmed, trimmed != value
}

func unquoteAll(value string) (string, bool) {
	bare, quoted := unquote(value)
	return strings.TrimSpace(bare), quoted
}

func unlabel(value string) (string, bool) {
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

func cutAfter(have, want int) []step {
	return because("encoding.cut", fmt.Sprintf("cut after %d of %d characters", have, want))
}

func encodingCauses() []Cause {
	return []Cause{
		{"encoding.uppercase_hex", "the signature is written in uppercase hex", "have the sender write the hex digits in lowercase"},
		{"encoding.hex", "the signature is written in hex, and the scheme's encoding is base64", "have the sender write the digest's bytes in base64"},
		{"encoding.base64", "the signature is written in base64, and the scheme's encoding is lowercase hex", "have the sender write the digest in lowercase hex, 64 digits"},
		{"encoding.base64url", "the signature is written in base64url", "have the sender write the digest in the scheme's own encoding"},
		{"encoding.base64_unpadded", "the signature is written in base64 without its padding", "have the sender keep the = at the end of the base64"},
		{"encoding.prefix", "the signature has a prefix that the scheme has not", "have the sender write the prefix that the scheme has, and none where it has none"},
		{"encoding.prefix_missing", "the signature lacks the scheme's prefix v1,", "have the sender write v1, before the base64"},
		{"encoding.stamped", "the signature is written with its time, as t=…,v1=…", "have the sender write the digest alone and the timestamp in its own header"},
		{"encoding.list", "the signature is one of several in the header", "have the sender write one signature"},
		{"encoding.double", "the signature is encoded twice over", "have the sender encode the digest's bytes once: ask the HMAC function for bytes, or for the text in the encoding wanted, not both"},
		{"encoding.separated", "the signature has separators between its hex digits", "have the sender write the 64 hex digits without anything between them"},
		{"encoding.space", "the signature has white space around it", "have the sender trim the signature: command line tools end it with a newline"},
		{"encoding.quotes", "the signature has quotes around it", "have the sender write the signature without quotes"},
		{"encoding.percent", "the signature is percent-encoded, as for a URL", "have the sender put the signature in the header as it is"},
		{"encoding.label", "the signature has beside it what openssl or sha256sum prints", "have the sender take the digest alone: openssl dgst … | sed 's/^.* //', or sha256sum … | cut -d' ' -f1"},
		{"encoding.cut", "the signature is cut short", "have the sender send all of it: look for a column, a variable or a log line that is too short"},
		{"encoding.placeholder", "the header holds a word in the place of a signature", "have the sender wait for the digest and write it as text: such a word stands for a variable that is not set, or for an object"},
	}
}
