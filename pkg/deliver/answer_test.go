package deliver_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestAttemptResponse(t *testing.T) {
	t.Run("the status decides the verdict", func(t *testing.T) {
		tests := []struct {
			status  int
			outcome webhook.Outcome
			reason  string
		}{
			{200, webhook.Accepted, ""}, {201, webhook.Accepted, ""}, {202, webhook.Accepted, ""}, {204, webhook.Accepted, ""}, {299, webhook.Accepted, ""},
			{300, webhook.Refused, "redirect"}, {304, webhook.Refused, "redirect"}, {307, webhook.Refused, "redirect"}, {399, webhook.Refused, "redirect"},
			{400, webhook.Refused, "status"}, {401, webhook.Refused, "status"}, {429, webhook.Refused, "status"},
			{500, webhook.Refused, "status"}, {503, webhook.Refused, "status"}, {600, webhook.Refused, "status"}, {999, webhook.Refused, "status"},
		}
		for _, tt := range tests {
			t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
				record := attempt(t, client(overTCP(t)), delivery(t, newEndpoint(t, status(tt.status)).URL))
				wantVerdict(t, record, tt.outcome, tt.reason)
				if record.Response == nil || record.Response.Status != tt.status || record.Error != "" {
					t.Errorf("recorded as %+v, %q", record.Response, record.Error)
				}
			})
		}
	})
	t.Run("a credential that it repeats is masked", func(t *testing.T) {
		e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Debug", "key="+r.Header.Get("X-API-Key"))
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"key":%q,"token":"t0ken-\"1","secret":"%s","ok":"short"}`, r.Header.Get("X-API-Key"), sharedSecret)
		})
		d := delivery(t, e.URL)
		d.Override = webhook.Header{{Name: "Authorization", Value: `Bearer t0ken-"1`}, {Name: "X-Token", Value: "short"}}
		record := attempt(t, client(overTCP(t)), d)
		if got, want := string(record.Response.Body), `{"key":"[redacted]","token":"[redacted]","secret":"[redacted]","ok":"short"}`; got != want {
			t.Errorf("body %s, want %s", got, want)
		}
		if got := record.Response.Header.Get("X-Debug"); got != "key=[redacted]" {
			t.Errorf("X-Debug: %s", got)
		}
		if got := e.seen[0].header.Get("X-API-Key"); got != "the-api-key" {
			t.Errorf("sent the key %q", got)
		}
	})
	// THREATS row 28.
	t.Run("a redirect to another host is not followed", func(t *testing.T) {
		for _, code := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(code), func(t *testing.T) {
				other := newEndpoint(t, nil)
				first := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, code) })
				c := client(overTCP(t))
				waits := 0
				c.Wait = countWaits(&waits)
				record, err := recorded(c.Send(t.Context(), delivery(t, first.URL), deliver.Policy{Retries: 3, RetryUnknown: true}, nil))
				if err != nil {
					t.Fatal(err)
				}
				wantVerdict(t, record, webhook.Refused, "redirect")
				if got := other.requests(); len(got) != 0 {
					t.Errorf("the other host got %v", got)
				}
				if len(first.requests()) != 1 || waits != 0 {
					t.Errorf("it was tried %d times", len(first.requests()))
				}
				if record.Response.Header.Get("Location") != other.URL {
					t.Errorf("recorded as %+v", record.Response)
				}
			})
		}
	})
	// THREATS row 30.
	t.Run("a gzip bomb is read up to 64 KiB and not decompressed", func(t *testing.T) {
		var member bytes.Buffer
		z, err := gzip.NewWriterLevel(&member, gzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(z, zeros{}, 1<<20); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		bomb := bytes.Repeat(member.Bytes(), 1<<20/member.Len()+1) // a mebibyte that is a stream of many members
		for _, typed := range []string{"application/json", ""} {
			server := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("Content-Type", typed)
				_, _ = w.Write(bomb)
			})
			c := client(overTCP(t))
			before := webhooktest.Heap(true)
			record := attempt(t, c, delivery(t, server.URL))
			if grown := webhooktest.Heap(false) - before; grown > 8<<20 {
				t.Errorf("the heap grew by %d KiB", grown>>10)
			}
			wantVerdict(t, record, webhook.Accepted, "")
			if r := record.Response; !r.Truncated || !bytes.Equal(r.Body, bomb[:64<<10]) || r.Header.Get("Content-Encoding") != "gzip" {
				t.Errorf("recorded %d bytes, truncated=%t, %v", len(r.Body), r.Truncated, r.Header)
			}
		}
	})
	t.Run("a body is read up to 64 KiB exactly", func(t *testing.T) {
		for _, chunked := range []bool{false, true} {
			for _, size := range []int64{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 30} {
				t.Run(fmt.Sprintf("%d bytes, in chunks: %t", size, chunked), func(t *testing.T) {
					sent := make(chan int64, 1)
					server := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
						if !chunked {
							w.Header().Set("Content-Length", fmt.Sprint(size))
						} else if err := http.NewResponseController(w).Flush(); err != nil {
							t.Error(err)
						}
						n, _ := io.CopyN(w, zeros{}, size)
						sent <- n
					})
					c := client(overTCP(t))
					before := webhooktest.Heap(true)
					record := attempt(t, c, delivery(t, server.URL))
					if grown := webhooktest.Heap(false) - before; grown > 8<<20 {
						t.Errorf("the heap grew by %d KiB", grown>>10)
					}
					wantVerdict(t, record, webhook.Accepted, "")
					if r := record.Response; int64(len(r.Body)) != min(size, 64<<10) || r.Truncated != (size > 64<<10) {
						t.Errorf("recorded %d bytes, truncated=%t", len(r.Body), r.Truncated)
					}
					if n := <-sent; n > 64<<20 {
						t.Errorf("%d MiB were taken", n>>20)
					}
				})
			}
		}
	})
	t.Run("the header is bounded", func(t *testing.T) {
		tests := map[string]func(c net.Conn){
			"one endless line": func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: ")
				_, _ = io.CopyN(c, aaa{}, 1<<30)
			},
			"lines without end": func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
				for range 1 << 26 {
					if _, err := io.WriteString(c, "X-Many: abcdef\r\n"); err != nil {
						return
					}
				}
			},
			"a status line without end": func(c net.Conn) { _, _ = io.CopyN(c, aaa{}, 1<<30) },
			"103 Early Hints without end": func(c net.Conn) {
				for range 1 << 26 {
					if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"); err != nil {
						return
					}
				}
			},
		}
		for name, flood := range tests {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := client(overPipe(t, func(conn net.Conn) { answering("")(conn); flood(conn) }))
					before := webhooktest.Heap(true)
					record := attempt(t, c, delivery(t, "http://x.example/"))
					if grown := webhooktest.Heap(false) - before; grown > 8<<20 {
						t.Errorf("the heap grew by %d KiB", grown>>10)
					}
					wantVerdict(t, record, webhook.OutcomeUnknown, "no_answer")
				})
			})
		}
		t.Run("60 KiB are taken", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				raw := "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("a", 60<<10) + "\r\nContent-Length: 0\r\n\r\n"
				record := attempt(t, client(overPipe(t, answering(raw))), delivery(t, "http://x.example/"))
				wantVerdict(t, record, webhook.Accepted, "")
			})
		})
	})
	// A body of 101 Switching Protocols is the connection itself, which neither a
	// time-out nor a context ends.
	t.Run("101 Switching Protocols is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			transport := overPipe(t, func(c net.Conn) {
				answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")(c)
				timer := time.AfterFunc(time.Hour, func() {
					t.Error("the connection is still open after an hour")
					_ = c.Close()
				})
				hold(c)
				timer.Stop()
			})
			record := attempt(t, client(transport), delivery(t, "http://x.example/"))
			wantVerdict(t, record, webhook.Refused, "status")
			if record.Response == nil || record.Response.Status != 101 {
				t.Errorf("recorded as %+v", record.Response)
			}
		})
	})
	// The status has come, and it is the answer.
	t.Run("a body that ends early does not change the verdict", func(t *testing.T) {
		tests := map[string]string{
			"within its length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok",
			"within a chunk":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"ok",
			"in a wrong chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"ok\r\nzz\r\n",
		}
		for name, raw := range tests {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					record := attempt(t, client(overPipe(t, answering(raw))), delivery(t, "http://x.example/"))
					wantVerdict(t, record, webhook.Accepted, "")
					if r := record.Response; string(r.Body) != `{"ok` || !r.Truncated {
						t.Errorf("recorded %q, truncated=%t", r.Body, r.Truncated)
					}
				})
			})
		}
	})
}

type aaa struct{}

func (aaa) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}
