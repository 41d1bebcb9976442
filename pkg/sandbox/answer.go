package sandbox

import (
	"net/http"
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// answer is what goes back to whoever sent an event.
type answer struct {
	status int
	body   any
	header http.Header // beside the content type

	unsigned *unsigned // what the signature was refused by, to be explained once the answer is out
}

// success is the documented answer to an event that was carried out.
type success struct {
	Success  bool   `json:"success"`
	Message  string `json:"message"`
	EventID  string `json:"event_id"`
	RecordID string `json:"record_id"`
}

// found is the documented answer to a search.
type found struct {
	Success bool           `json:"success"`
	Action  string         `json:"action"`
	Results []store.Fields `json:"results"`
	Count   int            `json:"count"`
}

// failure is the answer to all that was not carried out.
type failure struct {
	Success bool           `json:"success"`
	Error   string         `json:"error"`
	Details []rules.Detail `json:"details,omitempty"`
}

// refused makes an answer that says no.
func refused(status int, text string, details ...rules.Detail) answer {
	return answer{status: status, body: failure{Error: text, Details: details}}
}

// Those that say no without a hint at which part was wrong: each of its kind is
// the same, byte for byte.
func noKey() answer       { return refused(http.StatusUnauthorized, "Missing or invalid API key") }
func noSignature() answer { return refused(http.StatusForbidden, "Signature verification failed") }
func tooFast() answer     { return refused(http.StatusTooManyRequests, "Rate limit exceeded") }

func notPosted() answer {
	a := refused(http.StatusMethodNotAllowed, "Method not allowed")
	a.header = http.Header{"Allow": {http.MethodPost}}
	return a
}

// done makes the answer to an event that was carried out.
func done(r *rules.Result, eventID, recordID string) answer {
	if r.Search {
		results := r.Results
		if results == nil {
			results = []store.Fields{}
		}
		return answer{status: http.StatusOK, body: found{true, "search", results, len(results)}}
	}
	return answer{status: http.StatusOK, body: success{true, r.Message, eventID, recordID}}
}

// write sends the answer and returns it as a record keeps it.
func (a answer) write(w http.ResponseWriter) *webhook.Response {
	body, err := webhook.Marshal(a.body)
	if err != nil { // what the store holds came out of JSON
		a.status, body = http.StatusInternalServerError, []byte(`{"success":false,"error":"internal error"}`)
	}
	body = append(body, '\n')
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("Server", ServerName)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	kept := webhook.HeaderOf(h)
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that is gone has no answer to lose
	return &webhook.Response{Status: a.status, Header: kept, Body: body}
}
