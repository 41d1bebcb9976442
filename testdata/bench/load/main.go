// Command load sends signed webhooks to a receiver as fast as it answers, each
// with an id and a body of its own, and prints how many a second were answered
// with 200. It writes and reads plain HTTP/1.1 on kept connections, so that
// little of the machine goes to the sender.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
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

func main() {
	connections := flag.Int("c", 32, "connections")
	length := flag.Duration("d", 5*time.Second, "for how long")
	secret := flag.String("secret", "s3cret", "the signing secret")
	file := flag.String("f", "", "the payload; EVENT_ID in it is replaced by a fresh one")
	path := flag.String("path", "/", "the request's path")
	flag.Parse()
	payload, err := os.ReadFile(*file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var good, bad atomic.Int64
	var wait sync.WaitGroup
	end := time.Now().Add(*length)
	begin := time.Now()
	for i := range *connections {
		wait.Go(func() {
			s := sender{address: flag.Arg(0), path: *path, secret: []byte(*secret), payload: payload, name: fmt.Sprintf("%d-%d", begin.UnixNano(), i)}
			if err := s.run(end, &good, &bad); err != nil {
				fmt.Fprintln(os.Stderr, err)
				bad.Add(1)
			}
		})
	}
	wait.Wait()
	fmt.Printf("%.0f %d\n", float64(good.Load())/time.Since(begin).Seconds(), bad.Load())
}

type sender struct {
	address, path, name string
	secret, payload     []byte
	count               int
	buffer              bytes.Buffer
}

func (s *sender) run(end time.Time, good, bad *atomic.Int64) error {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	answers := bufio.NewReader(c)
	for time.Now().Before(end) {
		if _, err := c.Write(s.request()); err != nil {
			return err
		}
		status, err := read(answers)
		if err != nil {
			return err
		}
		if status == http.StatusOK {
			good.Add(1)
		} else {
			bad.Add(1)
		}
	}
	return nil
}

// request is the next one, whole.
func (s *sender) request() []byte {
	s.count++
	id := s.name + "-" + strconv.Itoa(s.count)
	body := bytes.Replace(s.payload, []byte("EVENT_ID"), []byte(id), 1)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	s.buffer.Reset()
	fmt.Fprintf(&s.buffer, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"X-Webhook-Signature: %s\r\nX-Webhook-Timestamp: %s\r\nX-Webhook-ID: %s\r\nX-Webhook-Event: work_order.created\r\nX-Webhook-Retry: 0\r\n\r\n",
		s.path, s.address, len(body), hex.EncodeToString(mac.Sum(nil)), stamp, id)
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
