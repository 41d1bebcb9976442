package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Request is an HTTP request as it was transmitted: the header lines in order
// and the raw body.
//
// In JSON it is {"method","url","headers":[["Name","value"]],"body"}, with
// "body_base64" in place of "body" when the body is not UTF-8, and with
// "truncated":true and the "size" of the whole body when only its beginning was
// kept.
type Request struct {
	Method string
	URL    string
	Header Header
	Body   []byte

	Truncated bool  // Body is only the beginning of the body; see [Request.CheckWhole]
	Size      int64 // of the whole body, in bytes, if it is truncated; 0 if it is not known
}

// Truncate returns the request with at most the first n bytes of its body.
func (r Request) Truncate(n int) Request {
	if len(r.Body) <= max(n, 0) {
		return r
	}
	if !r.Truncated {
		r.Truncated, r.Size = true, int64(len(r.Body))
	}
	r.Body = bytes.Clone(r.Body[:max(n, 0)]) // so that the rest can be freed
	return r
}

// CheckWhole returns a [*TruncatedError] if Body is only the beginning of the
// body. Such a request cannot be verified, checked or sent again.
func (r *Request) CheckWhole() error {
	if !r.Truncated {
		return nil
	}
	return &TruncatedError{len(r.Body), r.Size}
}

// TruncatedError is the error for a request of which only the beginning of the
// body was kept, such as one that a receiver refused before it was verified.
type TruncatedError struct {
	Kept int   // bytes
	Size int64 // of the whole body, in bytes; 0 if it is not known
}

func (e *TruncatedError) Error() string {
	of := ""
	if e.Size > 0 {
		of = fmt.Sprintf(" of %d", e.Size)
	}
	return fmt.Sprintf("the record has only the first %d%s bytes of the body", e.Kept, of)
}

// Response is the response to a request. Body is what was read of it; Truncated
// says that there was more.
type Response struct {
	Status    int
	Header    Header
	Body      []byte
	Truncated bool
}

type wireBody struct {
	Body   *string `json:"body,omitempty"`
	Base64 *string `json:"body_base64,omitempty"`
}

func bodyOf(b []byte) wireBody {
	if utf8.Valid(b) {
		text := string(b)
		return wireBody{Body: &text}
	}
	text := base64.StdEncoding.EncodeToString(b)
	return wireBody{Base64: &text}
}

func (w wireBody) bytes() ([]byte, error) {
	if w.Base64 != nil {
		b, err := base64.StdEncoding.DecodeString(*w.Base64)
		if err != nil {
			return nil, errors.New("body_base64 is not base64")
		}
		return b, nil
	}
	if w.Body != nil && *w.Body != "" {
		return []byte(*w.Body), nil
	}
	return nil, nil // over HTTP a missing body and an empty one are the same
}

// wireRequest is a request in JSON. Its header H is a Header to decode, and its
// rows to encode: what MarshalJSON returns is read and copied by each encoder
// around it.
type wireRequest[H any] struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Header H      `json:"headers"`
	wireBody
	Truncated bool  `json:"truncated,omitempty"`
	Size      int64 `json:"size,omitempty"`
}

// MarshalJSON encodes the request as the comment of the type shows, with
// credentials masked.
func (r Request) MarshalJSON() ([]byte, error) { return jsontext.Marshal(r.wire()) }

func (r *Request) wire() wireRequest[[][]string] {
	return wireRequest[[][]string]{r.Method, RedactURL(r.URL), r.Header.rows(), bodyOf(r.Body), r.Truncated, r.Size}
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *Request) UnmarshalJSON(data []byte) error {
	var w wireRequest[Header]
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	body, err := w.bytes()
	*r = Request{Method: w.Method, URL: w.URL, Header: w.Header, Body: body, Truncated: w.Truncated, Size: w.Size}
	return err
}

// wireResponse is a response in JSON, see wireRequest.
type wireResponse[H any] struct {
	Status int `json:"status"`
	Header H   `json:"headers"`
	wireBody
	Truncated bool `json:"truncated,omitempty"`
}

// MarshalJSON encodes the response as {"status","headers","body" or "body_base64","truncated"},
// with credentials masked.
func (r Response) MarshalJSON() ([]byte, error) { return jsontext.Marshal(r.wire()) }

// wire returns nil for nil.
func (r *Response) wire() *wireResponse[[][]string] {
	if r == nil {
		return nil
	}
	return &wireResponse[[][]string]{r.Status, r.Header.rows(), bodyOf(r.Body), r.Truncated}
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *Response) UnmarshalJSON(data []byte) error {
	var w wireResponse[Header]
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	body, err := w.bytes()
	*r = Response{w.Status, w.Header, body, w.Truncated}
	return err
}
