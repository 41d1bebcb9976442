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

// MaskEcho returns a record whose responses and error are masked where they repeat the
// secrets or the credentials of its request, as the error page of a proxy or of a
// framework may: they are shown and stored. The credentials are the lines of the
// request's header that are sensitive or have one of the names in also. The responses
// that r points to stay as they are.
func MaskEcho(r webhook.Record, secrets []webhook.Secret, also ...string) webhook.Record {
	if r.Response == nil && r.Forward == nil && r.Error == "" {
		return r
	}
	var credentials []string
	for _, s := range secrets {
		credentials = append(credentials, s.Reveal())
	}
	room := longestText(&r)
	for _, p := range r.Request.Header {
		_, token, isPair := strings.Cut(p.Value, " ") // Bearer TOKEN
		if len(p.Value) < minEcho || !isPair && len(p.Value) > room {
			continue // most headers of most requests
		}
		isNamed := slices.ContainsFunc(also, func(name string) bool { return strings.EqualFold(name, p.Name) })
		if isNamed || p.IsSensitive() {
			credentials = append(credentials, p.Value, token)
		}
	}
	// One may begin with another: the longest is masked first.
	slices.SortFunc(credentials, func(a, b string) int { return len(b) - len(a) })
	for _, text := range credentials {
		if len(text) < minEcho {
			break
		}
		forms := []string{text}
		if quoted := inJSON(text); quoted != text {
			forms = append(forms, quoted, unescapeHTML.Replace(quoted))
		}
		for _, form := range forms {
			r.Response, r.Forward = mask(r.Response, form), mask(r.Forward, form)
			r.Error = strings.ReplaceAll(r.Error, form, webhook.Redacted)
		}
	}
	return r
}

// longestText returns the length of the longest text that could repeat a credential.
func longestText(r *webhook.Record) int {
	n := len(r.Error)
	for _, response := range []*webhook.Response{r.Response, r.Forward} {
		if response == nil {
			continue
		}
		n = max(n, len(response.Body))
		for _, p := range response.Header {
			n = max(n, len(p.Value))
		}
	}
	return n
}

// inJSON returns a text as encoding/json writes it, which escapes more than other
// encoders do.
func inJSON(text string) string {
	quoted, _ := json.Marshal(text) // a string always marshals
	return string(quoted[1 : len(quoted)-1])
}

var unescapeHTML = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// mask returns the response itself if it does not have the text, and otherwise a copy.
func mask(r *webhook.Response, text string) *webhook.Response {
	if r == nil {
		return nil
	}
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
