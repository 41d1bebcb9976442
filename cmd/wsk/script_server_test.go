package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// peer is a server that a script sends requests to, and the requests.
type peer struct {
	mu    sync.Mutex
	seen  bytes.Buffer
	count int
	came  *sync.Cond // a request
}

func (p *peer) note(r *http.Request, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.WriteString(r.Method + " " + r.RequestURI + "\n")
	_ = r.Header.Write(&p.seen)
	p.seen.WriteString("\n")
	p.seen.Write(body)
	p.seen.WriteString("\n---\n")
	p.count++
	p.came.Broadcast()
}

// freeAddress returns an address on loopback that nobody listens on. Its port is below
// those that a system chooses for port 0, so that no test takes it meanwhile.
func freeAddress(ts *testscript.TestScript) string {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		ts.Check(l.Close())
		return l.Addr().String()
	}
	ts.Fatalf("no port is free")
	return ""
}

// server starts an HTTP server and sets $NAME to its URL. Each further argument
// is the response to one request; the last one is repeated:
//
//	server NAME 503 503 200        statuses
//	server NAME 200:{"message":…}  a status and a body
//	server NAME redirect:URL       307 to URL
//	server NAME hang               reads the request and never responds
//	server NAME reset              closes the connection without a response
//	server NAME bomb               200 with 64 MiB of zeros, compressed
//	server NAME closed             no server, but a URL whose port is closed
//	server NAME free               no server, but a URL whose port a program can take
//	server NAME tls 200            https with an untrusted certificate
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: server NAME RESPONSE...")
	}
	switch args[1] {
	case "closed":
		ts.Setenv(args[0], "http://127.0.0.1:1") // below the ports that a system chooses for port 0: no test takes it
		return
	case "free":
		ts.Setenv(args[0], "http://"+freeAddress(ts))
		return
	}
	p := &peer{}
	p.came = sync.NewCond(&p.mu)
	responses := args[1:]
	begin := httptest.NewServer
	if responses[0] == "tls" {
		begin, responses = quietTLS, responses[1:]
	}
	hung := make(chan struct{})
	var mu sync.Mutex
	s := begin(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.note(r, body)
		mu.Lock()
		response := responses[0]
		if len(responses) > 1 {
			responses = responses[1:]
		}
		mu.Unlock()
		reply(w, response, hung)
	}))
	ts.Defer(func() {
		close(hung)
		s.CloseClientConnections()
		s.Close()
	})
	ts.Setenv(args[0], s.URL)
	stateOf(ts).servers[args[0]] = p
}

// quietTLS starts a TLS server that does not log failed handshakes.
func quietTLS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

func reply(w http.ResponseWriter, response string, hung <-chan struct{}) {
	word, rest, _ := strings.Cut(response, ":")
	switch word {
	case "redirect":
		w.Header().Set("Location", rest)
		w.WriteHeader(http.StatusTemporaryRedirect)
	case "hang":
		<-hung
	case "reset":
		panic(http.ErrAbortHandler)
	case "bomb":
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for range 64 {
			_, _ = z.Write(zeros)
		}
		_ = z.Close()
	default:
		status, err := strconv.Atoi(word)
		if err != nil {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, rest)
	}
}

// served waits until a server has received N requests: "served NAME N".
func served(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: served NAME N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	p := stateOf(ts).servers[args[0]]
	if p == nil {
		ts.Fatalf("no server %s", args[0])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.count < n {
		p.came.Wait()
	}
}

// requests writes the requests to a server to a file: "requests NAME FILE".
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: requests NAME FILE")
	}
	p := stateOf(ts).servers[args[0]]
	if p == nil {
		ts.Fatalf("no server %s", args[0])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), p.seen.Bytes(), 0o600))
}

// post sends a file and checks the status: "post STATUS URL FILE 'Name: value'...".
// It writes the body of the response to the file "answer". @FILE adds the header
// lines of a file.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: post STATUS URL FILE headers...")
	}
	r, err := http.NewRequest(http.MethodPost, args[1], strings.NewReader(ts.ReadFile(args[2])))
	ts.Check(err)
	for _, line := range args[3:] {
		lines := []string{line}
		if name, ok := strings.CutPrefix(line, "@"); ok {
			lines = strings.Split(strings.TrimSpace(ts.ReadFile(name)), "\n")
		}
		for _, l := range lines {
			name, value, _ := strings.Cut(l, ":")
			r.Header.Add(name, strings.TrimSpace(value))
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	ts.Check(err)
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
	ts.Logf("%d %s", response.StatusCode, body)
	if got := strconv.Itoa(response.StatusCode); got != args[0] {
		ts.Fatalf("status %s, want %s", got, args[0])
	}
}

// raw writes a file to the port of a URL, with CRLF for each LF, and writes the
// response to the file "answer": "raw URL FILE".
func raw(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: raw URL FILE")
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(args[0], "http://"))
	ts.Check(err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n"))
	ts.Check(err)
	response, _ := io.ReadAll(c)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), response, 0o600))
	ts.Logf("%s", response)
}

// makeBytes writes a file of any bytes: "bytes FILE TEXT [COUNT]", with the
// escapes of a Go string in TEXT, repeated COUNT times.
func makeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: bytes FILE TEXT [COUNT]")
	}
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	count := 1
	if len(args) > 2 {
		count, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(text, count)), 0o600))
}

// output sets $NAME to the stdout of the last command, without the final newline:
// "output NAME".
func output(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: output NAME")
	}
	ts.Setenv(args[0], strings.TrimSuffix(ts.ReadFile("stdout"), "\n"))
}
