package webhook

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// IsSensitive reports whether a header or a query parameter of that name
// carries a credential. A signature is none: it proves a secret and does not
// give it away.
func IsSensitive(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "key", "pwd", "auth":
		return true
	}
	for _, part := range []string{"api-key", "apikey", "api_key", "secret", "token", "password", "passwd", "access-key", "access_key"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// Redacted returns a copy with "[redacted]" in place of each header value
// that carries a credential.
func (h Header) Redacted() Header {
	out := slices.Clone(h)
	for i, p := range out {
		switch {
		case IsSensitive(p.Name):
			out[i].Value = redacted
		case strings.EqualFold(p.Name, "Location"), strings.EqualFold(p.Name, "Referer"):
			out[i].Value = RedactURL(p.Value)
		}
	}
	return out
}

// RedactURL masks the user part of a URL and the values of query parameters
// that carry credentials; the rest stays as written.
func RedactURL(raw string) string {
	if i := strings.Index(raw, "://"); i >= 0 {
		rest := raw[i+3:]
		end := len(rest)
		if j := strings.IndexAny(rest, "/?#"); j >= 0 {
			end = j
		}
		if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
			raw = raw[:i+3] + redacted + rest[at:]
		}
	}
	before, query, found := strings.Cut(raw, "?")
	if !found {
		return raw
	}
	query, fragment, hasFragment := strings.Cut(query, "#")
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, hasValue := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); hasValue && (err != nil || IsSensitive(plain)) {
			parts[i] = name + "=" + redacted
		}
	}
	raw = before + "?" + strings.Join(parts, "&")
	if hasFragment {
		raw += "#" + fragment
	}
	return raw
}

// RedactURLs masks every URL in a text, for errors that quote one.
func RedactURLs(text string) string {
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`).ReplaceAllStringFunc(text, RedactURL)
}

// Redacted returns a copy in which credentials in headers and URLs are
// masked. Bodies and signatures stay: they are what was signed.
func (r Record) Redacted() Record {
	r.Request.URL = RedactURL(r.Request.URL)
	r.Request.Header = r.Request.Header.Redacted()
	r.Response, r.Forward = r.Response.redacted(), r.Forward.redacted()
	r.Error = RedactURLs(r.Error)
	return r
}

func (r *Response) redacted() *Response {
	if r == nil {
		return nil
	}
	out := *r
	out.Header = out.Header.Redacted()
	return &out
}
