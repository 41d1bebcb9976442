package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// requests are raw requests and what they are read as.
var requests = map[string]struct {
	raw  string
	want webhook.Request
}{
	"CRLF, as on the wire": {
		"POST /hooks/inbound HTTP/1.1\r\nHost: example.com\r\nX-Webhook-ID: a\r\nContent-Length: 4\r\n\r\n{}\r\n",
		webhook.Request{Method: "POST", URL: "/hooks/inbound", Header: webhook.Header{{Name: "Host", Value: "example.com"}, {Name: "X-Webhook-ID", Value: "a"}, {Name: "Content-Length", Value: "4"}}, Body: []byte("{}\r\n")},
	},
	"LF, as an editor saves it": {
		"POST / HTTP/1.1\nA: 1\n\n{\"a\":\n1}\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "A", Value: "1"}}, Body: []byte("{\"a\":\n1}\n")},
	},
	"line ends of both kinds": {
		"POST / HTTP/1.1\r\nA: 1\nB: 2\r\n\nx",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}, Body: []byte("x")},
	},
	"HTTP/1.0":         {"POST / HTTP/1.0\n\nx", webhook.Request{Method: "POST", URL: "/", Body: []byte("x")}},
	"no header lines":  {"GET / HTTP/1.1\r\n\r\n", webhook.Request{Method: "GET", URL: "/", Body: []byte{}}},
	"an absolute URL":  {"PUT https://example.com:8443/a?b=c HTTP/1.1\n\n", webhook.Request{Method: "PUT", URL: "https://example.com:8443/a?b=c", Body: []byte{}}},
	"an asterisk":      {"OPTIONS * HTTP/1.1\n\n", webhook.Request{Method: "OPTIONS", URL: "*", Body: []byte{}}},
	"a body of binary": {"POST / HTTP/1.1\n\n\x00\xff\r\n\x00", webhook.Request{Method: "POST", URL: "/", Body: []byte("\x00\xff\r\n\x00")}},
	"repeated headers in their order": {
		"POST / HTTP/1.1\nX-A: 1\nB: 2\nx-a: 3\n\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "X-A", Value: "1"}, {Name: "B", Value: "2"}, {Name: "x-a", Value: "3"}}, Body: []byte{}},
	},
	"Content-Length 0": {
		"POST / HTTP/1.1\nContent-Length: 0\n\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Content-Length", Value: "0"}}, Body: []byte{}},
	},
	"the same Content-Length twice": {
		"POST / HTTP/1.1\nContent-Length: 2\ncontent-length: 2\n\n{}",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Content-Length", Value: "2"}, {Name: "content-length", Value: "2"}}, Body: []byte("{}")},
	},
	"line ends that an editor put behind the body": {
		"POST / HTTP/1.1\nContent-Length: 2\n\n{}\r\n\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Content-Length", Value: "2"}}, Body: []byte("{}")},
	},
	"chunks": {
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;ext=1\r\n\":1}\r\n0\r\n\r\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Transfer-Encoding", Value: "chunked"}}, Body: []byte(`{"a":1}`)},
	},
	"chunks with a trailer, and Content-Length set aside": {
		"POST / HTTP/1.1\nTransfer-Encoding: Chunked\nContent-Length: 99\n\n2\r\n{}\r\n0\r\nDigest: x\r\n\r\n\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Transfer-Encoding", Value: "Chunked"}, {Name: "Content-Length", Value: "99"}}, Body: []byte("{}")},
	},
	"chunks without the last line end": {
		"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nA\r\n0123456789\r\n0\r\n",
		webhook.Request{Method: "POST", URL: "/", Header: webhook.Header{{Name: "Transfer-Encoding", Value: "chunked"}}, Body: []byte("0123456789")},
	},
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for name, test := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseRequest([]byte(test.raw))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
			if !isRequest([]byte(test.raw)) {
				t.Error("it does not look like a request")
			}
		})
	}
}

// badRequests are refused, with an error that begins so.
var badRequests = map[string]struct{ raw, want string }{
	"nothing":                      {"", "line 1: want"},
	"JSON":                         {"{\"event\":\"x\"}\n\n", "line 1: want"},
	"no version":                   {"POST /\n\n", "line 1: want"},
	"HTTP/2":                       {"POST / HTTP/2\n\n", "line 1: want"},
	"PRI of HTTP/2":                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "line 1: want"},
	"HTTP/1.2":                     {"POST / HTTP/1.2\n\n", "line 1: want"},
	"words after the version":      {"POST / HTTP/1.1 x\n\n", "line 1: want"},
	"a version in lower case":      {"POST / http/1.1\n\n", "line 1: want"},
	"two spaces":                   {"POST  / HTTP/1.1\n\n", "line 1: want"},
	"a space in the target":        {"POST /a b HTTP/1.1\n\n", "line 1: want"},
	"an invalid method":            {"PO(ST / HTTP/1.1\n\n", "line 1: want"},
	"a response":                   {"HTTP/1.1 200 OK\n\n", "line 1: want"},
	"a blank line first":           {"\nPOST / HTTP/1.1\n\n", "line 1: want"},
	"a request line alone":         {"POST / HTTP/1.1", "line 2: the header does not end"},
	"no blank line":                {"POST / HTTP/1.1\nA: 1\n", "line 3: the header does not end"},
	"no blank line, body at once":  {"POST / HTTP/1.1\nA: 1\n{}", "line 3: header \"{}\": has no colon"},
	"a header line without colon":  {"POST / HTTP/1.1\r\nA: 1\r\nB\r\n\r\n", "line 3: header \"B\": has no colon"},
	"a space before the colon":     {"POST / HTTP/1.1\nA : 1\n\n", "line 2: header"},
	"a folded line":                {"POST / HTTP/1.1\nA: 1\n folded: x\n\n", "line 3: header"},
	"a control character":          {"POST / HTTP/1.1\nA: 1\nB: \x00\n\n", "line 3: header"},
	"a bare CR in a value":         {"POST / HTTP/1.1\nA: 1\rB: 2\n\n", "line 2: header"},
	"Content-Length too long":      {"POST / HTTP/1.1\nContent-Length: 3\n\n{}", "body, from line 4: it is cut off"},
	"Content-Length too short":     {"POST / HTTP/1.1\nContent-Length: 1\n\n{}", "body, from line 4: 1 bytes follow the 1"},
	"Content-Length of words":      {"POST / HTTP/1.1\nContent-Length: two\n\n{}", "body, from line 4: the Content-Length \"two\""},
	"Content-Length empty":         {"POST / HTTP/1.1\nContent-Length:\n\n{}", "body, from line 4: the Content-Length \"\""},
	"Content-Length negative":      {"POST / HTTP/1.1\nContent-Length: -2\n\n{}", "body, from line 4: the Content-Length"},
	"Content-Length with a sign":   {"POST / HTTP/1.1\nContent-Length: +2\n\n{}", "body, from line 4: the Content-Length"},
	"Content-Length in hex":        {"POST / HTTP/1.1\nContent-Length: 0x2\n\n{}", "body, from line 4: the Content-Length"},
	"Content-Length of 2^63":       {"POST / HTTP/1.1\nContent-Length: 9223372036854775808\n\n{}", "body, from line 4: the Content-Length"},
	"Content-Length of a list":     {"POST / HTTP/1.1\nContent-Length: 2, 2\n\n{}", "body, from line 4: the Content-Length"},
	"two Content-Lengths":          {"POST / HTTP/1.1\nContent-Length: 2\nContent-Length: 3\n\n{}", "body, from line 5: the Content-Length headers differ"},
	"another Transfer-Encoding":    {"POST / HTTP/1.1\nTransfer-Encoding: gzip, chunked\n\n0\r\n\r\n", "body, from line 4: the Transfer-Encoding"},
	"a chunk that is cut off":      {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\r\n{}", "body, from line 4: it is cut off"},
	"no last chunk":                {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\r\n{}\r\n", "body, from line 4: it is cut off"},
	"a chunk past its length":      {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n1\r\n{}\r\n0\r\n\r\n", "body, from line 4: a chunk is malformed"},
	"a chunk's size in words":      {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nx\r\n\r\n", "body, from line 4: a chunk is malformed"},
	"chunks with bare LF":          {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n", "body, from line 4: a chunk is malformed"},
	"a second request behind":      {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\r\n\r\nPOST / HTTP/1.1\r\n\r\n", "body, from line 4: the body continues"},
	"no blank line after a chunk":  {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\r\nabc", "body, from line 4: the body continues"},
	"no chunks where they are due": {"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n", "body, from line 4: it is cut off"},
}

func TestParseRequest_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range badRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseRequest([]byte(test.raw))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %+v, error %v; want %q", got, err, test.want)
			}
			if !reflect.DeepEqual(got, webhook.Request{}) {
				t.Errorf("a request came with the error: %+v", got)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("the error has control characters in it: %q", err)
			}
		})
	}
	_, err := parseRequest([]byte("POST / HTTP/1.1\nB\n\n"))
	var bad *webhook.HeaderError
	if !errors.As(err, &bad) || bad.Line != "B" {
		t.Errorf("%v, want a HeaderError inside", err)
	}
}

func TestIsRequest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"POST / HTTP/1.1\r\n\r\n{}": true,
		"POST / HTTP/1.1\r\n":       true,
		"GET / HTTP/1.0":            true,
		"POST /\n":                  false,
		"HTTP/1.1 200 OK\r\n":       false,
		"POST / HTTP/2\r\n":         false,
		"":                          false,
		`{"a": "x HTTP/1.1"}`:       false,
		strings.Repeat("x", 1<<20) + " / HTTP/1.1\n": false,
	} {
		if got := isRequest([]byte(text)); got != want {
			t.Errorf("isRequest(%.60q) = %t, want %t", text, got, want)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, test := range requests {
		f.Add([]byte(test.raw))
	}
	for _, test := range badRequests {
		f.Add([]byte(test.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseRequest(raw)
		if err != nil {
			return
		}
		var b bytes.Buffer
		h := r.Header.Without("Content-Length").Without("Transfer-Encoding")
		b.WriteString(r.Method + " " + r.URL + " HTTP/1.1\r\n")
		for _, p := range h {
			b.WriteString(p.Name + ": " + p.Value + "\r\n")
		}
		b.WriteString("\r\n")
		b.Write(r.Body)
		again, err := parseRequest(b.Bytes())
		if err != nil || again.Method != r.Method || again.URL != r.URL || !bytes.Equal(again.Body, r.Body) || len(again.Header) != len(h) || len(h) > 0 && !reflect.DeepEqual(again.Header, h) {
			t.Fatalf("%q is read as %+v, which is written as %q and read as %+v, %v", raw, r, b.Bytes(), again, err)
		}
		agreesWithNetHTTP(t, raw, r)
	})
}

// agreesWithNetHTTP compares the body with what a server would hand on, where
// the request states its length.
func agreesWithNetHTTP(t *testing.T, raw []byte, r webhook.Request) {
	t.Helper()
	theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil || !theirs.ProtoAtLeast(1, 1) || theirs.ContentLength == 0 && len(theirs.TransferEncoding) == 0 {
		return
	}
	body, err := io.ReadAll(theirs.Body)
	if err == nil && !bytes.Equal(body, r.Body) {
		t.Fatalf("%q: body %q, net/http reads %q", raw, r.Body, body)
	}
}
