package receive

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Unsigned says what a request must carry where nothing is signed. Work Market
// sends whatever its template says: by any method, to any path, with any body.
// There is no id either, so that a request that comes twice is two.
type Unsigned struct {
	Header webhook.Header // lines that must be there, with their values
	Query  webhook.Header // parameters of the URL that must be there, with their values
}

// masked stands for a value that proves who sends.
const masked = "[redacted]"

// check returns which line or parameter is missing or wrong, or "". Values are
// compared in a time that does not tell where they differ.
func (u *Unsigned) check(r *http.Request) string {
	same := func(values []string, want string) bool {
		return len(values) == 1 && subtle.ConstantTimeCompare([]byte(values[0]), []byte(want)) == 1
	}
	for _, p := range u.Header {
		if !same(r.Header.Values(p.Name), p.Value) {
			return "the header " + p.Name
		}
	}
	query := r.URL.Query()
	for _, p := range u.Query {
		if !same(query[p.Name], p.Value) {
			return "the query parameter " + p.Name
		}
	}
	return ""
}

// any reports whether something is asked for at all.
func (u *Unsigned) any() bool { return len(u.Header)+len(u.Query) > 0 }

// hide returns a record without the values that were asked for: they are
// credentials, whatever the names are.
func (u *Unsigned) hide(record webhook.Record) webhook.Record {
	for _, p := range u.Header {
		if record.Request.Header.Has(p.Name) {
			record.Request.Header = record.Request.Header.With(p.Name, masked)
		}
	}
	path, query, found := strings.Cut(record.Request.URL, "?")
	if !found {
		return record
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && u.Query.Has(plain) {
			pairs[i] = name + "=" + masked
		}
	}
	record.Request.URL = path + "?" + strings.Join(pairs, "&")
	return record
}

// unsigned receives a request that nothing signs.
func (h *Handler) unsigned(w http.ResponseWriter, r *http.Request, p *receipt) Answer {
	record := &p.record
	record.Form, record.Scheme = webhook.Template, ""
	body, fault := ReadBody(w, r, h.MaxBody)
	if fault != nil {
		return reject(record, fault.Status, fault.Reason, fault.Text, fault.Detail)
	}
	record.Request.Body = body
	if wrong := h.Unsigned.check(r); wrong != "" {
		return reject(record, http.StatusUnauthorized, "credential", "Unauthorized", fmt.Sprintf("%s is missing, there twice, or has another value", wrong))
	}
	record.Verdict.Verified, record.Verdict.Outcome = h.Unsigned.any(), webhook.Accepted
	return h.handle(r.Context(), p, &webhook.Event{Platform: h.Platform, Form: webhook.Template, Raw: body}, Claim{Outcome: webhook.Accepted, Done: func(bool) {}})
}
