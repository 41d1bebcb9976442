// Command load sends signed webhooks to a receiver as fast as it answers, each
// with an id and a body of its own, and prints how many a second were answered
// with 200, how many were not, and how many were in all: RATE BAD GOOD. It
// writes and reads plain HTTP/1.1 on kept connections, so that little of the
// machine goes to the sender.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long an answer may take after the end.
const patience = 30 * time.Second

func main() {
	connections := flag.Int("c", 32, "connections")
	warm := flag.Duration("warm", 0, "for how long before the rate is taken")
	length := flag.Duration("d", 5*time.Second, "for how long after that")
	secret := flag.String("secret", "s3cret", "the signing secret")
	file := flag.String("f", "", "the payload; EVENT_ID in it is replaced by a fresh one")
	path := flag.String("path", "/", "the request's path")
	scheme := flag.String("scheme", "timestamp.body", "what is signed: timestamp.body, or body")
	header := flag.String("header", "X-Webhook-Signature", "the signature's header")
	key := flag.String("api-key", "", "sent as X-API-Key")
	flag.Parse()
	payload, err := os.ReadFile(*file)
	switch {
	case err != nil:
	case flag.NArg() != 1:
		err = fmt.Errorf("give one HOST:PORT, not %d", flag.NArg())
	case *scheme != "timestamp.body" && *scheme != "body":
		err = fmt.Errorf("-scheme %q is neither timestamp.body nor body", *scheme)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	begin := time.Now()
	counts := tally{from: begin.Add(*warm), end: begin.Add(*warm + *length)}
	var wait sync.WaitGroup
	for i := range *connections {
		wait.Go(func() {
			s := sender{
				address: flag.Arg(0), path: *path, header: *header, key: *key, stamped: *scheme == "timestamp.body",
				mac: hmac.New(sha256.New, []byte(*secret)), payload: payload, name: fmt.Sprintf("%d-%d", begin.UnixNano(), i),
			}
			if err := s.run(&counts); err != nil {
				fmt.Fprintln(os.Stderr, err)
				counts.bad.Add(1)
			}
		})
	}
	wait.Wait()
	good := counts.good.Load()
	fmt.Printf("%.1f %d %d\n", float64(good-counts.early.Load())/time.Since(counts.from).Seconds(), counts.bad.Load(), good)
}

// tally counts the answers. Those before from are early, and good all the same.
type tally struct {
	from, end        time.Time
	good, early, bad atomic.Int64
}

func (t *tally) add(status int) {
	if status != http.StatusOK {
		t.bad.Add(1)
		return
	}
	t.good.Add(1)
	if time.Now().Before(t.from) {
		t.early.Add(1)
	}
}

type sender struct {
	address, path, header, key, name string
	stamped                          bool // the timestamp is signed too
	mac                              hash.Hash
	payload                          []byte
	count                            int
	buffer                           bytes.Buffer
}

func (s *sender) run(counts *tally) error {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(counts.end.Add(patience)); err != nil {
		return err
	}
	answers := bufio.NewReader(c)
	for time.Now().Before(counts.end) {
		if _, err := c.Write(s.request()); err != nil {
			return err
		}
		status, err := read(answers)
		if err != nil {
			return err
		}
		counts.add(status)
	}
	return nil
}

// request is the next one, whole.
func (s *sender) request() []byte {
	s.count++
	id := s.name + "-" + strconv.Itoa(s.count)
	body := bytes.Replace(s.payload, []byte("EVENT_ID"), []byte(id), 1)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	s.mac.Reset()
	if s.stamped {
		s.mac.Write([]byte(stamp + "."))
	}
	s.mac.Write(body)
	s.buffer.Reset()
	fmt.Fprintf(&s.buffer, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"%s: %s\r\nX-Webhook-Timestamp: %s\r\nX-Webhook-ID: %s\r\nX-Webhook-Event: work_order.created\r\nX-Webhook-Retry: 0\r\n",
		s.path, s.address, len(body), s.header, hex.EncodeToString(s.mac.Sum(nil)), stamp, id)
	if s.key != "" {
		s.buffer.WriteString("X-API-Key: " + s.key + "\r\n")
	}
	s.buffer.WriteString("\r\n")
	s.buffer.Write(body)
	return s.buffer.Bytes()
}

// read takes one answer off the connection.
func read(r *bufio.Reader) (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		line = strings.TrimRight(line, "\r\n")
		name, value, _ := strings.Cut(line, ":")
		switch {
		case line == "":
			_, err := r.Discard(length)
			return status, err
		case first:
			if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
				return 0, fmt.Errorf("%q: %w", line, err)
			}
		case strings.EqualFold(name, "Content-Length"):
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		case strings.EqualFold(name, "Transfer-Encoding"):
			return 0, fmt.Errorf("answers in chunks: %w", io.ErrUnexpectedEOF)
		}
	}
}
