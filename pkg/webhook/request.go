package webhook

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
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

// ParseRequest parses a raw HTTP/1.x request: a request line, header lines, a
// blank line, the body. Lines may end in CRLF or LF, those of chunks in CRLF
// only. A body with chunked Transfer-Encoding is decoded. A body with
// Content-Length must have that length; line ends after it, which editors add,
// are dropped. Without either the body is the rest of raw.
//
// The error names the line.
func ParseRequest(raw []byte) (Request, error) {
	p := lineReader{rest: raw}
	first, _ := p.next()
	method, rest, _ := strings.Cut(first, " ")
	target, version, found := strings.Cut(rest, " ")
	if !found || !isToken(method) || target == "" || version != "HTTP/1.1" && version != "HTTP/1.0" {
		return Request{}, fmt.Errorf(`line 1: want "POST /path HTTP/1.1", got %.60q`, first)
	}
	r := Request{Method: method, URL: target}
	for {
		line, ended := p.next()
		if line == "" {
			if !ended {
				return Request{}, fmt.Errorf("line %d: the header does not end: a blank line and the body must follow it", p.line)
			}
			break
		}
		pair, err := ParsePair(line)
		if err != nil {
			return Request{}, fmt.Errorf("line %d: %w", p.line, err)
		}
		r.Header = append(r.Header, pair)
	}
	body, err := r.readBody(p.rest)
	if err != nil {
		return Request{}, fmt.Errorf("body, from line %d: %w", p.line+1, err)
	}
	r.Body = body
	return r, nil
}

// isRequestLine reports whether raw begins with an HTTP/1.x request line.
func isRequestLine(raw []byte) bool {
	if len(raw) == 0 || !isToken(string(raw[:1])) {
		return false // as JSON begins
	}
	line, _, _ := bytes.Cut(raw[:min(len(raw), 8<<10)], []byte("\n"))
	words := strings.Split(strings.TrimSuffix(string(line), "\r"), " ")
	return len(words) == 3 && isToken(words[0]) && strings.HasPrefix(words[2], "HTTP/1.")
}

type lineReader struct {
	rest []byte
	line int
}

// next returns a line without its end, and whether it had one.
func (p *lineReader) next() (string, bool) {
	line, rest, found := bytes.Cut(p.rest, []byte("\n"))
	p.rest = rest
	p.line++
	return strings.TrimSuffix(string(line), "\r"), found
}

func (r Request) readBody(rest []byte) ([]byte, error) {
	if coding := r.Header.Get("Transfer-Encoding"); strings.EqualFold(coding, "chunked") {
		return readChunks(rest)
	} else if coding != "" {
		return nil, fmt.Errorf("the Transfer-Encoding %.40q is not chunked", coding)
	}
	lengths := slices.Compact(r.Header.HTTP().Values("Content-Length"))
	if len(lengths) == 0 {
		return rest, nil
	}
	if len(lengths) > 1 {
		return nil, errors.New("the Content-Length headers differ")
	}
	length := lengths[0]
	n, err := strconv.ParseUint(length, 10, 62)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the Content-Length %.40q is not a number of bytes", length)
	case uint64(len(rest)) < n:
		return nil, fmt.Errorf("it is cut off: Content-Length is %d bytes, and only %d follow", n, len(rest))
	case strings.Trim(string(rest[n:]), "\r\n") != "":
		return nil, fmt.Errorf("%d bytes follow the %d of Content-Length", uint64(len(rest))-n, n)
	}
	return rest[:n], nil
}

// readChunks decodes a chunked body. Only trailer lines may follow it.
func readChunks(rest []byte) ([]byte, error) {
	from := bufio.NewReader(bytes.NewReader(rest))
	body, err := io.ReadAll(httputil.NewChunkedReader(from))
	if err != nil {
		return nil, fmt.Errorf("reading chunks: %w", err)
	}
	left, _ := io.ReadAll(from) // from memory: it cannot fail
	_, after, ended := strings.Cut("\r\n"+string(left), "\r\n\r\n")
	if !ended {
		after = string(left)
	}
	if strings.Trim(after, "\r\n") != "" {
		return nil, errors.New("the body goes on after the last chunk")
	}
	return body, nil
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
