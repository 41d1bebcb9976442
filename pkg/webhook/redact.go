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

// Redacted returns the header with "[redacted]" in place of each value that
// carries a credential. It is h itself where there is none, else a copy.
func (h Header) Redacted() Header {
	if !slices.ContainsFunc(h, Pair.mayGiveAway) {
		return h
	}
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

// mayGiveAway reports whether a line's value is one to look at.
func (p Pair) mayGiveAway() bool {
	return IsSensitive(p.Name) || strings.EqualFold(p.Name, "Location") || strings.EqualFold(p.Name, "Referer")
}

// RedactURL masks the user part of a URL, and of a URL that stands in it, and
// the values of query parameters that carry credentials; the rest stays as
// written.
func RedactURL(raw string) string { return maskParameters(maskUsers(raw)) }

func maskUsers(raw string) string {
	var b strings.Builder
	if rest, found := strings.CutPrefix(raw, "//"); found { // as a Location may have it
		b.WriteString("//")
		raw = rest[userEnd(rest, &b):]
	}
	for {
		before, rest, found := strings.Cut(raw, "://")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("://")
		raw = rest[userEnd(rest, &b):]
	}
}

// userEnd writes the mask if a user part begins rest, and returns where the
// part ends: at its @.
func userEnd(rest string, b *strings.Builder) int {
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if _, port, found := strings.Cut(rest[:end], ":"); at < 0 && found && rest[0] != '[' && strings.Trim(port, "0123456789") != "" {
		at = strings.LastIndexByte(rest, '@') // no port but a password with a slash in it
	}
	if at < 0 {
		return 0
	}
	b.WriteString(redacted)
	return at
}

// maskParameters masks values in the query, and in the fragment, where OAuth
// puts tokens.
func maskParameters(raw string) string {
	start := strings.IndexAny(raw, "?#")
	if start < 0 {
		return raw
	}
	var b strings.Builder
	b.WriteString(raw[:start])
	for rest := raw[start:]; rest != ""; {
		end := len(rest)
		if i := strings.IndexAny(rest[1:], "&#"); i >= 0 {
			end = 1 + i
		}
		part := rest[:end]
		name, _, hasValue := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name[1:]); hasValue && (err != nil || IsSensitive(plain)) {
			part = name + "=" + redacted
		}
		b.WriteString(part)
		rest = rest[end:]
	}
	return b.String()
}

// RedactURLs masks every URL in a text, for errors that quote one.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text // most have none, and the pattern is dear
	}
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"<>]+`).ReplaceAllStringFunc(text, RedactURL)
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
