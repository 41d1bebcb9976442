package deliver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

const mayBeHandled = "; the request was sent, so it may have been handled"

func TestAttemptWithoutResponse(t *testing.T) {
	t.Run("the outcome says whether the request was written", func(t *testing.T) {
		quiet := func(c net.Conn) { hold(c) }
		tests := []struct {
			name    string
			serve   func(net.Conn)
			size    int // of the body, in bytes
			outcome webhook.Outcome
			err     string
			took    time.Duration
		}{
			{"the endpoint reads and never answers", quiet, 0, webhook.OutcomeUnknown, "no answer within 30s" + mayBeHandled, 30 * time.Second},
			{"it answers half a header", func(c net.Conn) { answering("HTTP/1.1 200 OK\r\nX-")(c); hold(c) }, 0, webhook.OutcomeUnknown, "no answer within 30s" + mayBeHandled, 30 * time.Second},
			{"it sends 100 Continue for ever", func(c net.Conn) { answering("HTTP/1.1 100 Continue\r\n\r\n")(c); hold(c) }, 0, webhook.OutcomeUnknown, "no answer within 30s" + mayBeHandled, 30 * time.Second},
			{"it reads all and hangs up", answering(""), 0, webhook.OutcomeUnknown, "the connection was closed without an answer" + mayBeHandled, 0},
			{"it breaks off in the header", answering("HTTP/1.1 200 OK\r\nX-A: 1\r\n"), 0, webhook.OutcomeUnknown, "the connection was closed without an answer" + mayBeHandled, 0},
			{"it speaks no HTTP and repeats the key", answering("220 the-api-key\r\n"), 0, webhook.OutcomeUnknown, "the answer is not HTTP" + mayBeHandled, 0},
			{"it speaks no HTTP", answering("220 mail.example ESMTP\r\n"), 0, webhook.OutcomeUnknown, "the answer is not HTTP", 0},
			{"it reads half of a large body and stops", func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 50_000); time.Sleep(time.Hour) }, 100_000, webhook.Failed, "no answer within 30s", 30 * time.Second},
			{"it reads half of a large body and hangs up", func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 50_000) }, 100_000, webhook.Failed, "", 0},
		}
		for _, tt := range tests {
			for _, retryUnknown := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, RetryUnknown: %t", tt.name, retryUnknown), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := client(overPipe(t, tt.serve))
						c.Now = time.Now
						d := delivery(t, "http://x.example/")
						d.Event.Raw = append(d.Event.Raw, strings.Repeat(" ", tt.size)...)
						tries := 0
						record, err := recorded(c.Send(t.Context(), d, deliver.Policy{Retries: 2, RetryUnknown: retryUnknown}, func(deliver.Step) { tries++ }))
						if err != nil {
							t.Fatal(err)
						}
						wantVerdict(t, record, tt.outcome, map[webhook.Outcome]string{webhook.OutcomeUnknown: "no_answer", webhook.Failed: "unreachable"}[tt.outcome])
						if record.Response != nil || !strings.Contains(record.Error, tt.err) || record.Duration != tt.took {
							t.Errorf("%q after %s, answer %+v", record.Error, record.Duration, record.Response)
						}
						if said := strings.HasSuffix(record.Error, mayBeHandled); said != (tt.outcome == webhook.OutcomeUnknown) {
							t.Errorf("the error is %q", record.Error)
						}
						if want := map[bool]int{true: 3, false: 1}[retryUnknown || tt.outcome == webhook.Failed]; tries != want {
							t.Errorf("%d tries, want %d", tries, want)
						}
					})
				})
			}
		}
	})
	// net/http says of a small request that it is written before it leaves the
	// buffer. One that then never left has not been taken.
	t.Run("a reset before the request is written is a failure", func(t *testing.T) {
		for _, size := range []int{0, 100_000} {
			t.Run(fmt.Sprintf("a body of %d bytes more", size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					transport := overPipe(t, hold)
					dial := transport.DialContext
					transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						c, err := dial(ctx, network, address)
						return &brokenConn{c, size / 2}, err
					}
					d := delivery(t, "http://x.example/")
					d.Event.Raw = append(d.Event.Raw, strings.Repeat(" ", size)...)
					record := attempt(t, client(transport), d)
					wantVerdict(t, record, webhook.Failed, "unreachable")
					if !strings.Contains(record.Error, "connection reset") || strings.Contains(record.Error, "may have been handled") {
						t.Errorf("the error is %q", record.Error)
					}
				})
			})
		}
	})
	t.Run("the timeout covers the whole attempt", func(t *testing.T) {
		after := func(d time.Duration, raw string) func(net.Conn) {
			return func(c net.Conn) {
				if _, _, err := takeRequest(bufio.NewReader(c)); err == nil {
					time.Sleep(d) // of the bubble's clock
					_, _ = io.WriteString(c, raw)
					hold(c)
				}
			}
		}
		const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
		tests := []struct {
			name    string
			timeout time.Duration
			serve   func(net.Conn)
			outcome webhook.Outcome
			took    time.Duration
		}{
			{"an answer just in time", 0, after(30*time.Second-1, ok), webhook.Accepted, 30*time.Second - 1},
			{"an answer just too late", 0, after(30*time.Second+1, ok), webhook.OutcomeUnknown, 30 * time.Second},
			{"a custom limit", time.Second, after(2*time.Second, ok), webhook.OutcomeUnknown, time.Second},
			{"a limit below zero is the default", -1, after(time.Minute, ok), webhook.OutcomeUnknown, 30 * time.Second},
			{"a body that never ends: the status is the answer", 0, after(time.Second, ok[:len(ok)-1]), webhook.Accepted, 30 * time.Second},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, d := client(overPipe(t, tt.serve)), delivery(t, "http://x.example/")
					c.Now, d.Timeout = time.Now, tt.timeout
					record := attempt(t, c, d)
					if record.Verdict.Outcome != tt.outcome || record.Duration != tt.took {
						t.Errorf("%+v (%s) after %s", record.Verdict, record.Error, record.Duration)
					}
				})
			})
		}
	})
	t.Run("a dial that hangs is a failure", func(t *testing.T) {
		for _, tt := range []struct {
			timeout time.Duration
			err     string
		}{{time.Second, "no answer within 1s"}, {0, "no answer within 30s"}} {
			synctest.Test(t, func(t *testing.T) {
				transport := overPipe(t, hold)
				transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				d := delivery(t, "http://x.example/")
				d.Timeout = tt.timeout
				record := attempt(t, client(transport), d)
				wantVerdict(t, record, webhook.Failed, "unreachable")
				if record.Error != tt.err {
					t.Errorf("the error is %q", record.Error)
				}
			})
		}
	})
	// An attempt is interrupted: what was sent may have been handled, and the
	// record reports it.
	t.Run("an interrupted attempt is recorded", func(t *testing.T) {
		for name, tt := range map[string]struct {
			serve   func(net.Conn)
			outcome webhook.Outcome
		}{
			"behind the request": {hold, webhook.OutcomeUnknown},
			"within the request": {func(net.Conn) { time.Sleep(time.Minute) }, webhook.Failed},
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Second, cancel)
					d := delivery(t, "http://x.example/")
					d.Event.Raw = append(d.Event.Raw, strings.Repeat(" ", 100_000)...)
					record, err := client(overPipe(t, tt.serve)).Attempt(ctx, d, 0)
					if !errors.Is(err, context.Canceled) || record.Verdict.Outcome != tt.outcome || !strings.HasPrefix(record.Error, "interrupted before the answer") {
						t.Errorf("%v, %+v, %q", err, record.Verdict, record.Error)
					}
				})
			})
		}
	})
}

// brokenConn fails to write, as a socket does whose other side has reset it.
type brokenConn struct {
	net.Conn
	after int // bytes
}

func (c *brokenConn) Write(p []byte) (int, error) {
	if c.after -= len(p); c.after < 0 {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return len(p), nil
}

func TestAttemptConnection(t *testing.T) {
	// net/http sends a request with an Idempotency-Key again by itself when a
	// connection that it kept breaks. Whether to repeat is the policy's to say.
	t.Run("net/http repeats no request by itself", func(t *testing.T) {
		for _, name := range []string{"X-Other", "Idempotency-Key", "X-Idempotency-Key"} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var taken atomic.Int32
					c := client(overPipe(t, func(conn net.Conn) {
						in := bufio.NewReader(conn)
						for {
							if _, _, err := takeRequest(in); err != nil || taken.Add(1) == 2 {
								return // the second is taken and not answered
							}
							_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
						}
					}))
					d := delivery(t, "http://x.example/")
					d.Override = pairs(t, name+": 1")
					wantVerdict(t, attempt(t, c, d), webhook.Accepted, "")
					synctest.Wait() // for the connection to be idle
					wantVerdict(t, attempt(t, c, d), webhook.OutcomeUnknown, "no_answer")
					if got := taken.Load(); got != 2 {
						t.Errorf("two attempts sent %d requests", got)
					}
				})
			})
		}
	})
	t.Run("attempts share a connection and leave no goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var dials atomic.Int32
			c := client(overPipe(t, func(conn net.Conn) {
				dials.Add(1)
				in := bufio.NewReader(conn)
				for {
					if _, _, err := takeRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			}))
			for range 20 {
				wantVerdict(t, attempt(t, c, delivery(t, "http://x.example/")), webhook.Accepted, "")
				synctest.Wait()
			}
			if got := dials.Load(); got != 1 {
				t.Errorf("%d connections for 20 attempts, one after the other", got)
			}
			c.Transport.(*http.Transport).CloseIdleConnections()
			synctest.Wait() // the bubble fails if a goroutine is left
		})
	})
}

// A program that is stopped while it waits for a response learns the outcome, if it
// comes in time, and makes no further attempt.
func TestClientGrace(t *testing.T) {
	t.Parallel()
	const stopped = time.Second // after the begin
	for name, tt := range map[string]struct {
		grace, takes time.Duration
		status       int
		outcome      webhook.Outcome
		took         time.Duration
		err          error
	}{
		"the response comes in time":   {20 * time.Second, 15 * time.Second, 200, webhook.Accepted, 15 * time.Second, nil},
		"it is no, and is not retried": {20 * time.Second, 15 * time.Second, 503, webhook.Refused, 15 * time.Second, context.Canceled},
		"it comes too late":            {20 * time.Second, 25 * time.Second, 200, webhook.OutcomeUnknown, stopped + 20*time.Second, context.Canceled},
		"the time-out is earlier":      {time.Hour, time.Hour, 200, webhook.OutcomeUnknown, deliver.DefaultTimeout, context.Canceled},
		"without a grace":              {0, 15 * time.Second, 200, webhook.OutcomeUnknown, stopped, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c := client(overPipe(t, func(conn net.Conn) {
					tries++
					if _, _, err := takeRequest(bufio.NewReader(conn)); err == nil {
						time.Sleep(tt.takes)
						_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n", tt.status)
					}
				}))
				c.Now, c.Grace = time.Now, tt.grace
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(stopped, cancel)
				began := time.Now()
				record, err := c.Send(ctx, delivery(t, "http://x.example/"), deliver.Policy{Retries: 3}, nil)
				if !errors.Is(err, tt.err) || record.Verdict.Outcome != tt.outcome || time.Since(began) != tt.took || tries != 1 {
					t.Errorf("%v, %+v after %s and %d tries", err, record.Verdict, time.Since(began), tries)
				}
				if _, err := c.Send(ctx, delivery(t, "http://x.example/"), deliver.Policy{}, nil); !errors.Is(err, context.Canceled) || tries != 1 {
					t.Errorf("after the end: %v, and %d tries", err, tries)
				}
			})
		})
	}
}
