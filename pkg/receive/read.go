package receive

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// firstRead is how much room is made for a body before its first byte is here.
const firstRead = 64 << 10

// BodyError says why a request's body was not read.
type BodyError struct {
	Status int    // that answers it: 415, 413 or 400
	Reason string // as a record has it: encoding, size, body
	Text   string // for the sender
	Detail string // for the receiver's log, one sentence
}

func (e *BodyError) Error() string { return e.Text }

// ReadBody reads a body that is not encoded and has at most limit bytes. One
// past the limit is given up as soon as it is known: no more is held than what
// came, whatever Content-Length says.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *BodyError) {
	if coding := strings.Join(r.Header.Values("Content-Encoding"), ", "); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, &BodyError{http.StatusUnsupportedMediaType, "encoding", "Content-Encoding is not supported",
			"the body came with Content-Encoding " + coding + ", and signatures are over plain bodies"}
	}
	tooLarge := &BodyError{http.StatusRequestEntityTooLarge, "size", "Body too large", fmt.Sprintf("the body is larger than %d bytes", limit)}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // its body will not be read
		return nil, tooLarge
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var past *http.MaxBytesError
	switch {
	case errors.As(err, &past):
		return nil, tooLarge
	case err != nil:
		return nil, &BodyError{http.StatusBadRequest, "body", "The body could not be read", "the body broke off: " + err.Error()}
	}
	return body.Bytes(), nil
}

// read makes the checks that need no secret: method, encoding, size.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, record *webhook.Record) ([]byte, Answer, bool) {
	if r.Method != http.MethodPost {
		a := reject(record, http.StatusMethodNotAllowed, "method", "Method not allowed", "webhooks are POSTed, and this was a "+r.Method)
		a.Header = append(a.Header, webhook.Pair{Name: "Allow", Value: http.MethodPost})
		return nil, a, false
	}
	body, fault := ReadBody(w, r, h.MaxBody)
	if fault != nil {
		return nil, reject(record, fault.Status, fault.Reason, fault.Text, fault.Detail), false
	}
	return body, Answer{}, true
}
