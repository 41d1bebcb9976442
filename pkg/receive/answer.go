package receive

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Answer is what the sender gets.
type Answer struct {
	Status    int
	Header    webhook.Header
	Body      []byte
	Truncated bool // the app behind said more than Body holds
}

// OK is the answer that WorkSkedge's page gives to a delivery that was taken:
// 200 {"received":true}.
func OK() Answer { return jsonAnswer(http.StatusOK, `{"received":true}`) }

// Status answers with a status of the caller's choice: {"received":true} for
// 2xx, and {"error": its standard text} for the others.
func Status(code int) Answer {
	if code/100 == 2 {
		return jsonAnswer(code, `{"received":true}`)
	}
	return errorAnswer(code, http.StatusText(code))
}

func jsonAnswer(status int, body string) Answer {
	return Answer{Status: status, Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(body)}
}

func errorAnswer(status int, text string) Answer {
	quoted, _ := json.Marshal(text) // a string always marshals
	return jsonAnswer(status, `{"error":`+string(quoted)+`}`)
}

// final reports whether a status ends a request. net/http panics at one out of
// range, and sends a 200 after one of the 1xx.
func final(status int) bool { return 200 <= status && status <= 999 }

// response is the answer as a record has it.
func (a Answer) response() *webhook.Response {
	return &webhook.Response{Status: a.Status, Header: a.Header, Body: a.Body, Truncated: a.Truncated}
}

func (a Answer) write(w http.ResponseWriter) {
	if !a.Header.Has("Content-Type") {
		w.Header()["Content-Type"] = nil // net/http would guess one
	}
	for _, p := range a.Header {
		w.Header().Add(p.Name, p.Value)
	}
	bare := a.Status == http.StatusNoContent || a.Status == http.StatusNotModified
	if !bare {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	if !bare {
		_, _ = w.Write(a.Body) // a sender that is gone has no use for the rest
	}
	_ = http.NewResponseController(w).Flush() // the sender does not wait for the Sink
}
