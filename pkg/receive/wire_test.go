package receive_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
)

// serve runs a receiver on a free port of loopback.
func serve(t testing.TB, h http.Handler) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, h, l)
	return l.Addr().String()
}

func run(t testing.TB, h http.Handler, l net.Listener) {
	server := receive.NewServer(h)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

// exchange sends raw bytes over a new connection and reads one response.
func exchange(t testing.TB, address, raw string) (status int, body string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, bufio.NewReader(c))
}

func readAnswer(t testing.TB, r *bufio.Reader) (status int, body string) {
	t.Helper()
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer's body: %v", err)
	}
	return response.StatusCode, string(b)
}

// signedRest is what follows the first lines of a good request.
func signedRest(at time.Time) string {
	return lines(header("evt_1", payload, at)) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(payload), payload)
}

// lines writes a header as it goes over the wire.
func lines(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

// THREATS row 10.
func TestHandlerMemoryOfAGibibyte(t *testing.T) {
	address := serve(t, newReceiver(t, nil))
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	chunk := append([]byte("10000\r\n"), make([]byte, 0x10000)...)
	chunk = append(chunk, "\r\n"...)
	type answer struct {
		status int
		body   string
	}
	answered := make(chan answer, 1)
	go func() {
		status, body := readAnswer(t, bufio.NewReader(c))
		answered <- answer{status, body}
	}()
	before, most := webhooktest.Heap(true), int64(0)
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var sent int64
	for sent < 1<<30 {
		if _, err := c.Write(chunk); err != nil {
			break // the receiver hung up
		}
		sent += 0x10000
		most = max(most, webhooktest.Heap(false)-before)
	}
	if got := <-answered; got != (answer{413, `{"error":"Body too large"}`}) {
		t.Errorf("answered %+v", got)
	}
	if most > 8<<20 {
		t.Errorf("the heap grew by %d KiB", most>>10)
	}
	if sent > 64<<20 {
		t.Errorf("%d MiB were taken", sent>>20)
	}
}

func TestHandlerDoesNotWaitForABodyThatIsTooLarge(t *testing.T) {
	address := serve(t, newReceiver(t, nil))
	status, body := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
	if status != 413 || body != `{"error":"Body too large"}` {
		t.Errorf("answered %d %s", status, body)
	}
}

// onTheWire is a transport that keeps each request's bytes and answers 200.
func onTheWire(sent *bytes.Buffer) http.RoundTripper {
	return webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		err := r.Write(sent)
		return &http.Response{StatusCode: 200, Body: http.NoBody}, err
	})
}

// THREATS row 13.
func TestServerRefusesOrForwardsAmbiguousLengths(t *testing.T) {
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(payload), payload)
	length := fmt.Sprint(len(payload))
	tests := []struct {
		name, lines, body string
		status            int
	}{
		{"Content-Length before Transfer-Encoding", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked, 200},
		{"Content-Length behind Transfer-Encoding", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunked, 200},
		{"two lengths that differ", "Content-Length: " + length + "\r\nContent-Length: 4\r\n", payload, 400},
		{"one length twice", "Content-Length: " + length + "\r\nContent-Length: " + length + "\r\n", payload, 200},
		{"a list of lengths", "Content-Length: " + length + ", " + length + "\r\n", payload, 400},
		{"a length with a sign", "Content-Length: +" + length + "\r\n", payload, 400},
		{"a negative length", "Content-Length: -1\r\n", payload, 400},
		{"a length in hex", "Content-Length: 0x85\r\n", payload, 400},
		{"an empty length", "Content-Length:\r\n", payload, 400},
		{"a space before the colon", "Content-Length : " + length + "\r\n", payload, 400},
		{"a bare LF behind the chunk's size", "Transfer-Encoding: chunked\r\n", strings.Replace(chunked, "\r\n", "\n", 1), 400},
		{"a bare LF behind the chunk's bytes", "Transfer-Encoding: chunked\r\n", strings.Replace(chunked, "}\r\n", "}\n", 1), 400},
		{"bare LF everywhere in the chunks", "Transfer-Encoding: chunked\r\n", strings.ReplaceAll(chunked, "\r\n", "\n"), 400},
		{"a bare CR behind the chunk's size", "Transfer-Encoding: chunked\r\n", strings.Replace(chunked, "\r\n", "\r", 1), 400},
		{"a chunk's size with a sign", "Transfer-Encoding: chunked\r\n", "+" + chunked, 400},
		{"a chunk past its length", "Transfer-Encoding: chunked\r\n", "4\r\n" + payload + "\r\n0\r\n\r\n", 400},
		{"a chunk's size past 2^64", "Transfer-Encoding: chunked\r\n", "1" + strings.Repeat("0", 16) + "\r\n" + payload + "\r\n0\r\n\r\n", 400},
		{"another coding before chunked", "Transfer-Encoding: gzip, chunked\r\n", chunked, 501},
		{"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked, 501},
		{"chunked in other words", "Transfer-Encoding: xchunked\r\n", chunked, 501},
		{"chunked alone", "Transfer-Encoding: chunked\r\n", chunked, 200},
		{"a length alone", "Content-Length: " + length + "\r\n", payload, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sent bytes.Buffer
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(onTheWire(&sent), "http://app.example/") })
			address := serve(t, r)
			status, body := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\n"+lines(header("evt_1", payload, clock))+tt.lines+"\r\n"+tt.body)
			if status != tt.status {
				t.Fatalf("answered %d %s, want %d", status, body, tt.status)
			}
			wire := strings.ToLower(sent.String())
			if status != 200 {
				if wire != "" {
					t.Errorf("forwarded %q", wire)
				}
				return
			}
			_, got, _ := strings.Cut(sent.String(), "\r\n\r\n")
			if strings.Count(wire, "content-length: "+length+"\r\n") != 1 || strings.Count(wire, "content-length") != 1 || strings.Contains(wire, "transfer-encoding") || got != payload {
				t.Errorf("forwarded %q", sent.String())
			}
		})
	}
}

func TestServerClosesTheConnectionAfterAnInvalidChunk(t *testing.T) {
	r := newReceiver(t, nil)
	c, err := net.Dial("tcp", serve(t, r))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	smuggled := "POST /smuggled HTTP/1.1\r\nHost: x\r\n" + signedRest(clock)
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"+smuggled); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if status, _ := readAnswer(t, in); status != 400 {
		t.Errorf("answered %d", status)
	}
	if rest, err := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("%q, %v came behind the answer", rest, err)
	}
	wantCalls(t, r, 0)
}

// THREATS row 14.
func TestHandlerAllowsPOSTOnly(t *testing.T) {
	r := newReceiver(t, nil)
	address := serve(t, r)
	signed := signedRest(clock)
	tests := map[string]string{
		"PRI of HTTP/2":                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET":                          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET with a signed body":       "GET / HTTP/1.1\r\nHost: x\r\n" + signed,
		"CONNECT":                      "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
		"OPTIONS of the server":        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS of a path":            "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n",
		"PUT":                          "PUT / HTTP/1.1\r\nHost: x\r\n" + signed,
		"DELETE":                       "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
		"TRACE":                        "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
		"post in lower case":           "post / HTTP/1.1\r\nHost: x\r\n" + signed,
		"a method nobody knows":        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET that claims to be a POST": "GET / HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: POST\r\n" + signed,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if status, body := exchange(t, address, raw); status != 405 || body != `{"error":"Method not allowed"}` {
				t.Errorf("answered %d %s", status, body)
			}
		})
	}
	t.Run("HEAD, without a body", func(t *testing.T) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(c)
		if err != nil || !bytes.HasPrefix(all, []byte("HTTP/1.1 405 ")) || !bytes.HasSuffix(all, []byte("\r\n\r\n")) {
			t.Errorf("answered %q, %v", all, err)
		}
	})
	wantCalls(t, r, 0)
}

// THREATS row 15.
func TestServerRefusesLargeHeaders(t *testing.T) {
	r := newReceiver(t, nil)
	address := serve(t, r)
	for name, raw := range map[string]string{
		"one line of 64 KiB":  "X-Long: " + strings.Repeat("a", 64<<10) + "\r\n",
		"4,096 lines":         strings.Repeat("X-Many: abcdef\r\n", 4<<10),
		"a name of 64 KiB":    strings.Repeat("a", 64<<10) + ": 1\r\n",
		"a signature as long": "X-Webhook-Signature: " + strings.Repeat("0", 64<<10) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if status, _ := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\n"+raw+"Content-Length: 2\r\n\r\n{}"); status != 431 {
				t.Errorf("answered %d", status)
			}
		})
	}
	wantCalls(t, r, 0)
	t.Run("30 KiB are taken", func(t *testing.T) {
		if status, body := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("a", 30<<10)+"\r\n"+signedRest(clock)); status != 200 {
			t.Errorf("answered %d %s", status, body)
		}
	})
}

func TestServerRefusesControlCharactersInHeaders(t *testing.T) {
	r := newReceiver(t, nil)
	address := serve(t, r)
	signed := signedRest(clock)
	for _, control := range []string{"\x00", "\x01", "\x07", "\x08", "\x0b", "\x1b]52;c;aGk=\x07", "\x7f", "a\rb"} {
		t.Run(fmt.Sprintf("%q", control), func(t *testing.T) {
			if status, _ := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\nX-Evil: a"+control+"b\r\n"+signed); status != 400 {
				t.Errorf("answered %d", status)
			}
		})
	}
	wantCalls(t, r, 0)
	t.Run("an id that occurs twice in two spellings", func(t *testing.T) {
		if status, body := exchange(t, address, "POST / HTTP/1.1\r\nHost: x\r\nx-webhook-ID: evt_1\r\n"+signed); status != 400 {
			t.Errorf("answered %d %s", status, body)
		}
	})
}
