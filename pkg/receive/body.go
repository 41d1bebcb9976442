package receive

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// firstRead is the largest buffer that is allocated before the first byte of a
// body arrives.
const firstRead = freeBody

// BodyError is the error of [ReadBody].
type BodyError struct {
	Status int    // the HTTP status of the answer: 415, 413, 400, or 503 if there is no memory for it now
	Reason string // for [webhook.Verdict.Reason]: "encoding", "size", "body" or "busy"
	Text   string // for the sender
	Detail string // for the receiver's log, one sentence
}

func (e *BodyError) Error() string { return e.Detail }

// ReadBody reads a body that has no Content-Encoding and at most limit bytes.
// It gives up as soon as a body is known to be larger, and never allocates for a
// Content-Length before the bytes arrive. The error is a [*BodyError].
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if coding := strings.Join(r.Header.Values("Content-Encoding"), ", "); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, &BodyError{
			http.StatusUnsupportedMediaType, "encoding", "Content-Encoding is not supported",
			"the body came with Content-Encoding " + coding + ", but signatures cover unencoded bodies",
		}
	}
	tooLarge := &BodyError{http.StatusRequestEntityTooLarge, "size", "Body too large", fmt.Sprintf("the body is larger than %d bytes", limit)}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the body stays unread
		return nil, tooLarge
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case errors.Is(err, errBusy):
		w.Header().Set("Connection", "close") // the body stays unread
		return nil, &BodyError{http.StatusServiceUnavailable, "busy", "The receiver is busy", err.Error()}
	case err != nil:
		return nil, &BodyError{http.StatusBadRequest, "body", "The body could not be read", "the body broke off: " + err.Error()}
	}
	return body.Bytes(), nil
}

// parseEvent reads the envelope. Many parsers accept a byte order mark and bytes
// that are not UTF-8, so they are no reason to refuse a signed body: the App
// gets it byte for byte, and the record gets a warning.
func parseEvent(body []byte) (webhook.Event, error) {
	event, err := webhook.ParseEvent(body)
	var syntax *webhook.SyntaxError
	if !errors.As(err, &syntax) {
		return event, err
	}
	repaired := bytes.ToValidUTF8(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), []byte("\ufffd"))
	event, again := webhook.ParseEvent(repaired)
	if errors.As(again, &syntax) {
		return webhook.Event{Raw: body}, err
	}
	event.Raw = body
	return event, errors.New(err.Error()) // a warning, which is not a SyntaxError any more
}
