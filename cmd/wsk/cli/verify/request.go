package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// parseRequest parses a raw HTTP/1.x request: a request line, header lines, a
// blank line, the body. Lines may end in CRLF or LF, those of chunks in CRLF
// only. A body with chunked Transfer-Encoding is decoded. A body with
// Content-Length must have that length; line ends after it, which editors add,
// are dropped. Without either the body is the rest of raw.
//
// The error names the line.
func parseRequest(raw []byte) (webhook.Request, error) {
	p := lineReader{rest: raw}
	first, _ := p.next()
	method, rest, _ := strings.Cut(first, " ")
	target, version, found := strings.Cut(rest, " ")
	if !found || !isToken(method) || target == "" || version != "HTTP/1.1" && version != "HTTP/1.0" {
		return webhook.Request{}, fmt.Errorf(`line 1: want "POST /path HTTP/1.1", got %.60q`, first)
	}
	r := webhook.Request{Method: method, URL: target}
	for {
		line, ended := p.next()
		if line == "" {
			if !ended {
				return webhook.Request{}, fmt.Errorf("line %d: the header does not end: a blank line and the body must follow it", p.line)
			}
			break
		}
		pair, err := webhook.ParsePair(line)
		if err != nil {
			return webhook.Request{}, fmt.Errorf("line %d: %w", p.line, err)
		}
		r.Header = append(r.Header, pair)
	}
	body, err := readBody(r.Header, p.rest)
	if err != nil {
		return webhook.Request{}, fmt.Errorf("body, from line %d: %w", p.line+1, err)
	}
	r.Body = body
	return r, nil
}

// isToken reports whether a method is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && strings.Trim(s, letters+"0123456789!#$%&'*+-.^_`|~") == ""
}

// isRequest reports whether raw begins with an HTTP/1.x request line.
func isRequest(raw []byte) bool {
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

func readBody(h webhook.Header, rest []byte) ([]byte, error) {
	if coding := h.Get("Transfer-Encoding"); strings.EqualFold(coding, "chunked") {
		return readChunks(rest)
	} else if coding != "" {
		return nil, fmt.Errorf("the Transfer-Encoding %.40q is not chunked", coding)
	}
	lengths := slices.Compact(h.HTTP().Values("Content-Length"))
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
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, errors.New("it is cut off: the last chunk has length 0, and a blank line follows it")
	case err != nil:
		return nil, errors.New("a chunk is malformed: its length in hex digits, CRLF, its bytes, CRLF")
	}
	left, _ := io.ReadAll(from) // from memory: it cannot fail
	_, after, ended := strings.Cut("\r\n"+string(left), "\r\n\r\n")
	if !ended {
		after = string(left)
	}
	if strings.Trim(after, "\r\n") != "" {
		return nil, errors.New("the body continues after the last chunk")
	}
	return body, nil
}
