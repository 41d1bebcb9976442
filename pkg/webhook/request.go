package webhook

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Request is an HTTP request as it was transmitted: the header lines in order
// and the raw body.
//
// In JSON it is {"method","url","headers":[["Name","value"]],"body"}, with
// "body_base64" in place of "body" when the body is not UTF-8.
type Request struct {
	Method string
	URL    string
	Header Header
	Body   []byte
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
			return nil, fmt.Errorf("body_base64: %w", err)
		}
		return b, nil
	}
	if w.Body != nil && *w.Body != "" {
		return []byte(*w.Body), nil
	}
	return nil, nil // over HTTP a missing body and an empty one are the same
}

type wireRequest struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Header Header `json:"headers"`
	wireBody
}

// MarshalJSON encodes the request as the comment of the type shows.
func (r Request) MarshalJSON() ([]byte, error) {
	return jsontext.Marshal(wireRequest{r.Method, r.URL, r.Header, bodyOf(r.Body)})
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *Request) UnmarshalJSON(data []byte) error {
	var w wireRequest
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	body, err := w.bytes()
	*r = Request{w.Method, w.URL, w.Header, body}
	return err
}

type wireResponse struct {
	Status int    `json:"status"`
	Header Header `json:"headers"`
	wireBody
	Truncated bool `json:"truncated,omitempty"`
}

// MarshalJSON encodes the response as {"status","headers","body" or "body_base64","truncated"}.
func (r Response) MarshalJSON() ([]byte, error) {
	return jsontext.Marshal(wireResponse{r.Status, r.Header, bodyOf(r.Body), r.Truncated})
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *Response) UnmarshalJSON(data []byte) error {
	var w wireResponse
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	body, err := w.bytes()
	*r = Response{w.Status, w.Header, body, w.Truncated}
	return err
}
