package receive_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestServerPassesHeaderBytesPastASCII(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const value = "\xff \u009b31m \u202e\tend"
		r := newReceiver(t, func(c *receive.Config) { c.Now = time.Now })
		l := newPipes()
		run(t, r, l)
		c := l.dial()
		defer func() { _ = c.Close() }()
		raw := "POST / HTTP/1.1\r\nHost: x\r\nX-Evil: " + value + "\r\n" + signedRest(time.Now())
		if _, err := io.WriteString(c, raw); err != nil {
			t.Fatal(err)
		}
		if status, body := readAnswer(t, bufio.NewReader(c)); status != 200 {
			t.Fatalf("answered %d %s", status, body)
		}
		synctest.Wait() // for the sink
		if got := r.last(t).Request.Header.Get("X-Evil"); got != value {
			t.Errorf("recorded as %q", got)
		}
	})
}

// pipes is a listener in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// THREATS row 16.
func TestServerClosesHalfOpenConnections(t *testing.T) {
	const many = 500
	tests := []struct {
		name, half string
		after      time.Duration
	}{
		{"without a byte", "", 10 * time.Second},
		{"within the request line", "POST /ho", 10 * time.Second},
		{"within the header", "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 10 * time.Second},
		{"within the body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{", 30 * time.Second},
		{"within a chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n{", 30 * time.Second},
		{"after an answer", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 60 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, func(c *receive.Config) { c.Now = time.Now })
				l := newPipes()
				run(t, r, l)
				began := time.Now()
				var open sync.WaitGroup
				for range many {
					c := l.dial()
					open.Go(func() {
						_, _ = io.WriteString(c, tt.half)
						_, _ = io.Copy(io.Discard, c)                                                              // to the end
						if after := time.Since(began); after < tt.after || after > tt.after+600*time.Millisecond { // net/http lingers 500 ms over an answer
							t.Errorf("closed after %s, want %s", after, tt.after)
						}
						_ = c.Close()
					})
				}
				synctest.Wait()
				for i := range 20 {
					body := strings.Replace(payload, "wo_1", fmt.Sprint("wo_", i), 1)
					c := l.dial()
					go func() {
						_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+lines(header(fmt.Sprint("evt_", i), body, began))+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
					}()
					if status, answer := readAnswer(t, bufio.NewReader(c)); status != 200 {
						t.Errorf("a good sender was answered %d %s", status, answer)
					}
					_ = c.Close()
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the good senders waited %s", took)
				}
				open.Wait()
				wantCalls(t, r, 20)
			})
		})
	}
}

func TestServerDropsASenderThatDoesNotReadItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := make(chan time.Time, 1)
		handler, err := receive.New(receive.Config{
			SkipVerify: true, Now: time.Now, NewID: func() string { return "1" },
			Sink: func(webhook.Record) { recorded <- time.Now() },
		})
		if err != nil {
			t.Fatal(err)
		}
		l := newPipes()
		run(t, handler, l)
		began := time.Now()
		c := l.dial()
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			t.Fatal(err)
		}
		select {
		case at := <-recorded:
			if took := at.Sub(began); took != 5*time.Minute {
				t.Errorf("let go after %s", took)
			}
		case <-time.After(time.Hour):
			t.Error("still held after an hour")
		}
		_ = c.Close()
	})
}

func TestServerLetsTheAppTakeLongerThanReadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Delay(2*time.Minute, receive.Always(200)) })
		l := newPipes()
		run(t, r, l)
		c := l.dial()
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+signedRest(time.Now())); err != nil {
			t.Fatal(err)
		}
		if status, body := readAnswer(t, bufio.NewReader(c)); status != 200 || body != taken {
			t.Errorf("answered %d %s", status, body)
		}
	})
}

func TestServerEndsTheAppsContextWhenTheSenderHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Delay(2*time.Minute, receive.Always(200)) })
		l := newPipes()
		run(t, r, l)
		began := time.Now()
		c := l.dial()
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+signedRest(began)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = c.Close()
		synctest.Wait()
		if v := r.last(t).Verdict; v.Outcome != webhook.Failed || !strings.Contains(v.Detail, "went away") || time.Since(began) != 0 {
			t.Errorf("recorded as %+v after %s", v, time.Since(began))
		}
	})
}
