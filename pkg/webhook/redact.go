package webhook

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// IsSensitive reports by its name whether a header line carries a credential.
// A signature is not one: it proves a secret and does not reveal it.
func (p Pair) IsSensitive() bool { return isSensitive(p.Name) }

// isSensitive judges the names of headers and of query parameters.
func isSensitive(name string) bool {
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

// masked returns the value, with [Redacted] in place of a credential.
func (p Pair) masked() string {
	switch {
	case p.IsSensitive():
		return Redacted
	case strings.EqualFold(p.Name, "Location"), strings.EqualFold(p.Name, "Referer"):
		return RedactURL(p.Value)
	}
	return p.Value
}

// Redacted returns the header with [Redacted] in place of each value that
// carries a credential, and of each value of the names in also. It returns h
// itself when there is nothing to mask.
func (h Header) Redacted(also ...string) Header {
	masked := func(p Pair) string {
		if containsFold(also, p.Name) {
			return Redacted
		}
		return p.masked()
	}
	if !slices.ContainsFunc(h, func(p Pair) bool { return masked(p) != p.Value }) {
		return h
	}
	out := slices.Clone(h)
	for i, p := range out {
		out[i].Value = masked(p)
	}
	return out
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// RedactURL masks the user information in a URL, and in a URL inside it, and
// the values of query parameters that carry credentials or are named in also.
// The rest of the URL stays as it is.
func RedactURL(raw string, also ...string) string { return maskParameters(maskUsers(raw), also) }

func maskUsers(raw string) string {
	var b strings.Builder
	if rest, found := strings.CutPrefix(raw, "//"); found { // as in a Location header
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

// userEnd writes the mask if rest begins with user information, and returns
// where that ends: at its @.
func userEnd(rest string, b *strings.Builder) int {
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if _, port, found := strings.Cut(rest[:end], ":"); at < 0 && found && rest[0] != '[' && strings.Trim(port, "0123456789") != "" {
		at = strings.LastIndexByte(rest, '@') // not a port: a password with a slash in it
	}
	if at < 0 {
		return 0
	}
	b.WriteString(Redacted)
	return at
}

// maskParameters masks values in the query, and in the fragment, where OAuth
// has tokens.
func maskParameters(raw string, also []string) string {
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
		if plain, err := url.QueryUnescape(name[1:]); hasValue && (err != nil || isSensitive(plain) || containsFold(also, plain)) {
			part = name + "=" + Redacted
		}
		b.WriteString(part)
		rest = rest[end:]
	}
	return b.String()
}

// RedactURLs applies [RedactURL] to every absolute URL in a text, such as an
// error that quotes one.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text // most texts, without the cost of the expression
	}
	return absoluteURL().ReplaceAllStringFunc(text, func(url string) string { return RedactURL(url) })
}

// absoluteURL is compiled on first use, to keep the start of programs fast.
var absoluteURL = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"<>]+`)
})

// Redacted returns a copy with the credentials in headers and URLs masked.
// Bodies and signatures stay: they are needed to verify the record.
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
