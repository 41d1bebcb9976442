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

// read makes the checks that need no secret (method, encoding, size) and
// reads the body. A body past the limit is given up as soon as it is known:
// at most MaxBody bytes are held, and no more than what came, whatever
// Content-Length says.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, record *webhook.Record) ([]byte, Answer, bool) {
	if r.Method != http.MethodPost {
		a := reject(record, http.StatusMethodNotAllowed, "method", "Method not allowed", "webhooks are POSTed, and this was a "+r.Method)
		a.Header = append(a.Header, webhook.Pair{Name: "Allow", Value: http.MethodPost})
		return nil, a, false
	}
	if coding := strings.Join(r.Header.Values("Content-Encoding"), ", "); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, reject(record, http.StatusUnsupportedMediaType, "encoding", "Content-Encoding is not supported",
			"the body came with Content-Encoding "+coding+", and signatures are over plain bodies"), false
	}
	tooLarge := func() Answer {
		return reject(record, http.StatusRequestEntityTooLarge, "size", "Body too large", fmt.Sprintf("the body is larger than %d bytes", h.MaxBody))
	}
	if r.ContentLength > h.MaxBody {
		w.Header().Set("Connection", "close") // its body will not be read
		return nil, tooLarge(), false
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, h.MaxBody))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return nil, tooLarge(), false
	case err != nil:
		return nil, reject(record, http.StatusBadRequest, "body", "The body could not be read", "the body broke off: "+err.Error()), false
	}
	return body.Bytes(), Answer{}, true
}
