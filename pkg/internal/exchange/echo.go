package exchange

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// minEcho is the length from which a credential is masked in a response, in bytes.
// A shorter one would be found in ordinary text.
const minEcho = 6

// MaskEcho masks in a response the secrets and the credentials of its request, which
// the error page of a proxy or of a framework may repeat: responses are shown and
// stored. The credentials are the lines of the header that are sensitive or have one
// of the names in also. MaskEcho returns the response itself if that repeats none, and
// otherwise a copy.
func MaskEcho(r *webhook.Response, secrets []webhook.Secret, request webhook.Header, also ...string) *webhook.Response {
	if r == nil {
		return nil
	}
	for _, s := range secrets {
		r = mask(r, s.Reveal())
	}
	for _, p := range request {
		isNamed := slices.ContainsFunc(also, func(name string) bool { return strings.EqualFold(name, p.Name) })
		if isNamed || p.IsSensitive() {
			r = mask(r, p.Value)
			if _, token, found := strings.Cut(p.Value, " "); found { // Bearer TOKEN
				r = mask(r, token)
			}
		}
	}
	return r
}

// mask masks a text, also as it is written in JSON.
func mask(r *webhook.Response, text string) *webhook.Response {
	if len(text) < minEcho {
		return r
	}
	r = replace(r, text)
	if quoted, _ := json.Marshal(text); len(quoted) != len(text)+2 { // a string always marshals
		r = replace(r, string(quoted[1:len(quoted)-1]))
	}
	return r
}

func replace(r *webhook.Response, text string) *webhook.Response {
	repeats := bytes.Contains(r.Body, []byte(text))
	for _, p := range r.Header {
		repeats = repeats || strings.Contains(p.Value, text)
	}
	if !repeats {
		return r
	}
	masked := *r
	masked.Body = bytes.ReplaceAll(r.Body, []byte(text), []byte(webhook.Redacted))
	masked.Header = nil
	for _, p := range r.Header {
		masked.Header = append(masked.Header, webhook.Pair{Name: p.Name, Value: strings.ReplaceAll(p.Value, text, webhook.Redacted)})
	}
	return &masked
}
