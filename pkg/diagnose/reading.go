package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The bounds of what is read as a signature.
const (
	maxValue    = 4 << 10 // bytes of a header's value
	maxReadings = 16
	minCut      = 16 // characters: 8 bytes of base64 or of hex are past chance
)

// reading is one way to read the presented value as a digest: whole, or the
// beginning of one. No steps means that it is in the scheme's own encoding.
type reading struct {
	digest   []byte
	cut      string           // of an encoded digest, when digest is nil
	alphabet *base64.Encoding // of cut; nil for hex
	stamp    string           // a timestamp beside it
	steps    []step
}

// readings lists every way to read a value.
func readings(s *webhook.Scheme, value string) []reading {
	if len(value) > maxValue {
		return nil
	}
	var list []reading
	for _, p := range pieces(s, value) {
		for _, r := range decode(s, p.text) {
			r.stamp = p.stamp
			r.steps = append(slices.Clone(p.steps), r.steps...)
			list = append(list, r)
		}
	}
	return list[:min(len(list), maxReadings)]
}

// decode reads bare text, without prefix or quotes.
func decode(s *webhook.Scheme, text string) []reading {
	if strings.Trim(text, "0123456789abcdefABCDEF") == "" {
		return decodeHex(s, text)
	}
	if bare := strings.NewReplacer(":", "", "-", "", " ", "").Replace(text); len(bare) == 64 && strings.Trim(bare, "0123456789abcdefABCDEF") == "" {
		list := decodeHex(s, bare)
		for i := range list {
			list[i].steps = append(because("encoding.separated", ""), list[i].steps...)
		}
		return list
	}
	return decodeBase64(s, text)
}

func decodeHex(s *webhook.Scheme, text string) []reading {
	steps := hexSteps(s, text)
	var list []reading
	if b, err := hex.DecodeString(text); err == nil {
		if isSize(len(b)) {
			list = append(list, reading{digest: b, steps: steps})
		}
		if inner, err := hex.DecodeString(string(b)); err == nil && isSize(len(inner)) {
			return []reading{{digest: inner, steps: because("encoding.double", "hex of hex")}}
		}
		if inner := unbase64(string(b)); isSize(len(inner)) {
			return []reading{{digest: inner, steps: because("encoding.double", "hex of base64")}}
		}
	}
	if minCut <= len(text) && len(text) < 64 { // also what has the size of a shorter hash
		list = append(list, reading{cut: strings.ToLower(text), steps: append(cutAfter(len(text), 64), steps...)})
	}
	return list
}

func hexSteps(s *webhook.Scheme, text string) []step {
	upper := strings.ToLower(text) != text
	switch {
	case s.Encoding() != "hex" && upper:
		return because("encoding.hex", "uppercase")
	case s.Encoding() != "hex":
		return because("encoding.hex", "")
	case upper:
		return because("encoding.uppercase_hex", "")
	}
	return nil
}

func decodeBase64(s *webhook.Scheme, text string) []reading {
	bare := strings.TrimRight(text, "=")
	alphabet, url := base64.StdEncoding, false
	if strings.ContainsAny(bare, "-_") {
		alphabet, url = base64.URLEncoding, true
	}
	padded := len(bare) < len(text) || len(bare)%4 == 0
	b, err := alphabet.WithPadding(base64.NoPadding).DecodeString(bare)
	if err != nil {
		b = nil
	}
	steps := base64Steps(s, url, padded)
	if inner, err := hex.DecodeString(string(b)); err == nil && isSize(len(inner)) {
		return []reading{{digest: inner, steps: because("encoding.double", "base64 of hex")}}
	}
	if inner := unbase64(string(b)); isSize(len(inner)) {
		return []reading{{digest: inner, steps: because("encoding.double", "base64 of base64")}}
	}
	if isSize(len(b)) {
		return []reading{{digest: b, steps: steps}}
	}
	cut := bare[:len(bare)/4*4] // whole groups of four characters
	if len(cut) < minCut || len(bare) >= 43 {
		return nil
	}
	if _, err := alphabet.DecodeString(cut); err != nil {
		return nil
	}
	return []reading{{cut: cut, alphabet: alphabet, steps: append(cutAfter(len(text), 44), steps...)}}
}

func base64Steps(s *webhook.Scheme, url, padded bool) []step {
	detail := ""
	if !padded {
		detail = "without its padding"
	}
	switch {
	case url:
		return because("encoding.base64url", detail)
	case s.Encoding() != "base64":
		return because("encoding.base64", detail)
	case !padded:
		return because("encoding.base64_unpadded", "")
	}
	return nil
}

// isSize reports whether a digest of a known hash has n bytes.
func isSize(n int) bool {
	return slices.ContainsFunc(hashes(), func(h hashFunc) bool { return h.size == n })
}
