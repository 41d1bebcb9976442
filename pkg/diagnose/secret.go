package diagnose

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// maxVaried bounds how many secrets are varied; all are tried as they are.
const maxVaried = 4

// key is a candidate for what the sender signed with.
type key struct {
	mistake
	key []byte
}

// keyRing gathers keys, each once.
type keyRing struct {
	decodes bool // the scheme's secret is base64 behind whsec_
	keys    []key
}

// keys lists the right keys first, then what people sign with instead.
func keys(c *Case) []key {
	r := &keyRing{decodes: c.Scheme.Name() == webhook.StandardWebhooks}
	var varied []string
	for _, s := range c.Secrets {
		varied = append(varied, s.Reveal())
		r.secret(s.Reveal(), false, "", "")
	}
	varied = varied[:min(len(varied), maxVaried)]
	for _, s := range c.Previous {
		r.secret(s.Reveal(), false, "secret.previous", "")
	}
	for _, text := range varied {
		r.vary(text)
	}
	r.add(nil, false, "secret.empty", "")
	for _, text := range varied {
		r.mangle(text)
	}
	for _, word := range []string{"undefined", "null", "None"} {
		r.add([]byte(word), true, "secret.unset", word)
	}
	r.secret("your-webhook-secret", true, "secret.sample", "")
	if apiKey := c.Header.Get(webhook.HeaderAPIKey); apiKey != "" {
		r.add([]byte(apiKey), true, "secret.api_key", "")
	}
	return r.keys
}

// add takes a key unless it is there already, with the cause that it stands
// for: none for the right one.
func (r *keyRing) add(k []byte, rare bool, id, detail string) {
	if !slices.ContainsFunc(r.keys, func(have key) bool { return hmac.Equal(have.key, k) }) {
		var steps []step
		if id != "" {
			steps = because(id, detail)
		}
		r.keys = append(r.keys, key{mistake{steps, rare}, k})
	}
}

// secret takes the key that the scheme makes of a secret's text.
func (r *keyRing) secret(text string, rare bool, id, detail string) {
	if !r.decodes {
		r.add([]byte(text), rare, id, detail)
	} else if k, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_")); err == nil && len(k) > 0 {
		r.add(k, rare, id, detail)
	}
}

// vary takes the keys that likely mistakes make of a secret.
func (r *keyRing) vary(text string) {
	trimmed := strings.TrimSpace(text)
	r.secret(trimmed, false, "secret.space_added", "")
	for _, end := range []string{"\n", "\r\n", " "} {
		r.add([]byte(text+end), false, "secret.space_missing", map[string]string{"\n": "a newline", "\r\n": "CRLF", " ": "a space"}[end])
	}
	if bare, quoted := unquote(trimmed); quoted {
		r.secret(bare, false, "secret.quotes_added", "")
	}
	bare, marked := strings.CutPrefix(trimmed, "whsec_")
	switch {
	case r.decodes:
		r.add([]byte(trimmed), false, "secret.not_decoded", "")
		r.add([]byte(bare), false, "secret.not_decoded", "without whsec_")
	case marked:
		r.add([]byte(bare), false, "secret.whsec", "the rest as it is")
		r.add(unbase64(bare), false, "secret.whsec", "the rest decoded from base64")
	default:
		r.add([]byte("whsec_"+trimmed), true, "secret.whsec_missing", "")
	}
	if k := unbase64(bare); len(k) > 0 {
		r.add(k, false, "secret.base64", "")
	}
	if k, err := hex.DecodeString(trimmed); err == nil && len(k) > 0 {
		r.add(k, false, "secret.hex", "")
	}
}

// mangle takes the keys that a shell, a .env file or a form makes of a secret.
func (r *keyRing) mangle(text string) {
	for _, quote := range []string{`"`, `'`} {
		r.add([]byte(quote+text+quote), true, "secret.quotes_missing", "")
	}
	r.add([]byte(base64.StdEncoding.EncodeToString([]byte(text))), true, "secret.base64_encoded", "")
	r.add([]byte(base64.StdEncoding.EncodeToString([]byte(text+"\n"))), true, "secret.base64_encoded", "with a newline at its end")
	r.add([]byte(hex.EncodeToString([]byte(text))), true, "secret.hex_encoded", "")
	r.add([]byte(strings.ToLower(text)), true, "secret.case", "lower case")
	r.add([]byte(strings.ToUpper(text)), true, "secret.case", "upper case")
	r.secret(regexp.MustCompile(`\$(\w+|\{\w*\})`).ReplaceAllString(text, ""), true, "secret.shell", "$")
	before, _, _ := strings.Cut(text, "#")
	r.secret(strings.TrimSpace(before), true, "secret.shell", "#")
	if plain, err := url.PathUnescape(text); err == nil {
		r.secret(plain, true, "secret.percent", "")
	}
}

// unbase64 reads base64 of either alphabet, padded or not, or returns nil.
func unbase64(text string) []byte {
	bare := strings.TrimRight(text, "=")
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := alphabet.DecodeString(bare); err == nil && bare != "" {
			return b
		}
	}
	return nil
}

func unquote(text string) (string, bool) {
	for _, quote := range []string{`"`, `'`, "`"} {
		if inner, ok := strings.CutPrefix(text, quote); ok && strings.HasSuffix(inner, quote) {
			return strings.TrimSuffix(inner, quote), true
		}
	}
	return text, false
}

func secretCauses() []Cause {
	return []Cause{
		{"secret.previous", "the sender still signs with a previous secret", "give the sender the new secret, or accept both until it has it"},
		{"secret.space_added", "the secret here has white space around it that the sender's has not", "remove the space or the newline around the secret: a file written with echo ends in one"},
		{"secret.space_missing", "the sender signs with white space at the end of the secret", "have the sender trim the secret that it reads: a file written with echo ends in a newline"},
		{"secret.quotes_added", "the secret here has quotes around it that the sender's has not", "remove the quotes: not every reader of a .env file does it"},
		{"secret.quotes_missing", "the sender signs with quotes around the secret", "have the sender remove the quotes: not every reader of a .env file does it"},
		{"secret.base64", "the sender signs with the bytes that the secret is the base64 of", "decode the secret from base64 before it is used as the key, or have the sender use its text"},
		{"secret.hex", "the sender signs with the bytes that the secret is the hex of", "decode the secret from hex before it is used as the key, or have the sender use its text"},
		{"secret.base64_encoded", "the sender signs with the base64 of the secret", "have the sender decode the value first: a Kubernetes secret is base64 in its manifest"},
		{"secret.hex_encoded", "the sender signs with the hex of the secret", "have the sender use the secret's own bytes"},
		{"secret.whsec", "the sender signs with what stands behind whsec_ in the secret", "strip whsec_ as the sender does, or verify with --scheme standard-webhooks if that is what it signs by"},
		{"secret.whsec_missing", "the sender signs with whsec_ before the secret", "give the secret with its whsec_, as the sender has it"},
		{"secret.not_decoded", "the sender signs with the secret's text, and the scheme's key is what its base64 stands for", "have the sender strip whsec_ and decode the rest from base64"},
		{"secret.empty", "the sender signs with an empty secret", "set the secret at the sender: the variable that it reads is empty there"},
		{"secret.unset", "the sender signs with the word that its language writes for a variable that is not set", "set the secret at the sender, and have it refuse to start without one"},
		{"secret.sample", "the sender signs with the sample secret of the documentation", "put the real secret in the sender's code in place of the sample"},
		{"secret.api_key", "the sender signs with its API key", "have the sender sign with the webhook secret: the API key goes in its own header only"},
		{"secret.case", "the sender signs with the secret in other letters", "compare the two secrets letter by letter: one was changed in case"},
		{"secret.shell", "the sender signs with a secret that was cut or changed at a special character", "quote the secret where the sender sets it: a shell expands $ and a .env file cuts at #"},
		{"secret.percent", "the sender signs with the secret with its percent escapes decoded", "give both sides the secret in the same form, percent escapes decoded or not"},
	}
}
