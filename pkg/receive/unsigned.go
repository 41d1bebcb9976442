package receive

import (
	"crypto/subtle"
	"net/http"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Unsigned is what a request must contain where nothing is signed. Work Market
// sends what its template says: any method, any path, any body, and no id. A
// request that arrives twice counts as two.
type Unsigned struct {
	Header webhook.Header // required header lines; each must occur once, with this value
	Query  webhook.Header // required parameters of the URL; each must occur once, with this value
}

// isEmpty reports whether nothing is required.
func (u *Unsigned) isEmpty() bool { return len(u.Header)+len(u.Query) == 0 }

// check returns the header or the parameter that is missing or wrong, or "". The
// time that a comparison takes does not depend on where the values differ.
func (u *Unsigned) check(r *http.Request) string {
	matches := func(values []string, want string) bool {
		return len(values) == 1 && subtle.ConstantTimeCompare([]byte(values[0]), []byte(want)) == 1
	}
	for _, p := range u.Header {
		if !matches(r.Header.Values(p.Name), p.Value) {
			return "the header " + p.Name
		}
	}
	query := r.URL.Query()
	for _, p := range u.Query {
		if !matches(query[p.Name], p.Value) {
			return "the query parameter " + p.Name
		}
	}
	return ""
}

// redact returns a record without the required values: they are credentials,
// whatever their names are.
func (u *Unsigned) redact(record webhook.Record) webhook.Record {
	if u == nil {
		return record
	}
	record.Request.Header = record.Request.Header.Redacted(names(u.Header)...)
	record.Request.URL = webhook.RedactURL(record.Request.URL, names(u.Query)...)
	return record
}

func names(lines webhook.Header) []string {
	list := make([]string, len(lines))
	for i, p := range lines {
		list[i] = p.Name
	}
	return list
}

// receiveUnsigned receives a request that nothing signs.
func (h *Handler) receiveUnsigned(w http.ResponseWriter, r *http.Request, p *receipt) webhook.Response {
	c, record := &h.config, &p.record
	record.Form, record.Scheme = webhook.Template, ""
	body, err := webhook.ReadBody(w, r, c.MaxBody)
	if err != nil {
		return refuseError(record, err)
	}
	record.Request.Body = body
	if wrong := c.Unsigned.check(r); wrong != "" {
		return refuse(record, http.StatusUnauthorized, "credential", "Unauthorized", wrong+" is missing, occurs twice, or has another value")
	}
	p.passed = true
	record.Verdict.Verified, record.Verdict.Outcome = !c.Unsigned.isEmpty(), webhook.Accepted
	event := webhook.Event{Platform: c.Platform, Form: webhook.Template, Raw: body}
	return h.handle(r.Context(), p, &event, nil, func(bool) {})
}
