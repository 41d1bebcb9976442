package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// firstRead is the largest buffer that is allocated before the first byte of a
// body arrives.
const firstRead = 16 << 10

// VerifyRequest reads the body of a WorkSkedge request, at most limit bytes of
// it, and verifies it by the default scheme and tolerance. It returns the body as
// it was signed. The error is a [*Refusal], and [StatusOf] returns the status that
// answers it:
//
//	body, err := webhook.VerifyRequest(r, 1<<20, secret)
//	if err != nil {
//		http.Error(w, webhook.TextOf(err), webhook.StatusOf(err))
//		return
//	}
//
// It does not recognize a delivery that arrives twice, or a captured request
// under another id: the handlers of pkg/receive do.
func VerifyRequest(r *http.Request, limit int64, secrets ...Secret) ([]byte, error) {
	return Verifier{Secrets: secrets}.VerifyRequest(r, limit)
}

// VerifyRequest reads the body of a request, at most limit bytes of it, and
// verifies it now. See the function of the same name.
func (v Verifier) VerifyRequest(r *http.Request, limit int64) ([]byte, error) {
	body, err := ReadBody(nil, r, limit)
	if err != nil {
		return nil, err
	}
	if _, err := v.Verify(r.Header, body, time.Now()); err != nil { //nolint:forbidigo // Verify takes the time
		return nil, err
	}
	return body, nil
}

// ReadBody reads a body that has no Content-Encoding and at most limit bytes. It
// gives up as soon as a body is known to be larger, and never allocates for a
// Content-Length before the bytes arrive. The error is a [*Refusal]. If w is not
// nil, and the body stays unread, the server closes the connection after the answer.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if coding := strings.Join(r.Header.Values("Content-Encoding"), ", "); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, &Refusal{BodyEncoded, "Content-Encoding", "the body came with Content-Encoding " + coding + ", but signatures cover unencoded bodies"}
	}
	if r.Body == nil { // a request that no server made
		return nil, nil
	}
	if r.ContentLength > limit {
		leaveUnread(w)
		return nil, tooLarge(limit)
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if err == nil {
		return body, nil
	}
	var exceeded *http.MaxBytesError
	var refusal *Refusal
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge(limit)
	case errors.As(err, &refusal): // of a server that limits the memory of its bodies
		leaveUnread(w)
		return nil, refusal
	}
	return nil, &Refusal{BodyBroken, "", "the body broke off: " + err.Error()}
}

func tooLarge(limit int64) *Refusal {
	return &Refusal{BodyTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", limit)}
}

// readAll reads to the end. length is how much is to be expected, or -1. The buffer
// doubles as the bytes arrive, but not beyond length.
func readAll(r io.Reader, length int64) ([]byte, error) {
	const spare = 1 // to read the end of a body of that length
	size := int64(bytes.MinRead)
	if length >= 0 {
		size = min(length, firstRead) + spare
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			if size *= 2; int64(len(body)) <= length {
				size = min(size, length+spare)
			}
			body = append(make([]byte, 0, size), body...)
		}
	}
}

func leaveUnread(w http.ResponseWriter) {
	if w != nil {
		w.Header().Set("Connection", "close")
	}
}
