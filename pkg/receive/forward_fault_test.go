package receive_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// rawApp answers every connection with the same bytes, once the request's
// header is here, and closes it.
func rawApp(t testing.TB, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(c, answer)
			}
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// THREATS row 19.
func TestForwardFollowsNoRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			elsewhere := behind(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
			url := behind(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) })
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(plainTransport(t), url) })
			got := r.deliver("evt_1", payload, clock)
			if got.Code != status || got.Header().Get("Location") != elsewhere {
				t.Errorf("answered %d %v", got.Code, got.Header())
			}
			record := r.last(t)
			if v := record.Verdict; v.Outcome != webhook.Failed || !strings.Contains(v.Detail, "redirect") || record.Forward.Status != status {
				t.Errorf("recorded as %+v, %+v", v, record.Forward)
			}
			r.deliver("evt_1", payload, clock)
			wantCalls(t, r, 2)
		})
	}
}

// THREATS row 20.
func TestForwardGivesUpAfterForwardTimeout(t *testing.T) {
	hangs := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	tests := []struct {
		name      string
		transport webhooktest.RoundTrip
	}{
		{"before its answer", hangs},
		{"within its answer", func(r *http.Request) (*http.Response, error) {
			rest := readerFunc(func([]byte) (int, error) { _, err := hangs(r); return 0, err })
			return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), rest))}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, func(c *receive.Config) { c.Now, c.App = time.Now, receive.Forward(tt.transport, "http://app.example/") })
				began := time.Now()
				wantAnswer(t, r.deliver("evt_1", payload, began), 504, `{"error":"Gateway Timeout"}`)
				if took := time.Since(began); took != 30*time.Second {
					t.Errorf("given up after %s", took)
				}
				record := r.last(t)
				if record.Verdict.Outcome != webhook.Failed || record.Error != "forwarding: the app gave no answer within 30s" || record.Duration != 30*time.Second {
					t.Errorf("recorded as %+v, %q, %s", record.Verdict, record.Error, record.Duration)
				}
			})
		})
	}
}

func TestForwardEndsWhenTheSenderGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		transport := webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Canceled
		})
		began := time.Now()
		if answer, record := forward(ctx, transport, "http://app.example/", nil, payload); answer.Status != 502 || record.Error == "" {
			t.Errorf("answered %d, %q", answer.Status, record.Error)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("ended after %s", took)
		}
	})
}

// THREATS row 20.
func TestForwardAnswers502WithoutAUsableResponse(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"nobody listens", webhooktest.ClosedURL, "connection refused"},
		{"it closes the connection", rawApp(t, ""), "closed without an answer"},
		{"it breaks off in the header", rawApp(t, "HTTP/1.1 200 OK\r\nContent-Le"), "the answer is not HTTP"},
		{"it breaks off in the body", rawApp(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), "broke off"},
		{"it breaks off in a chunk", rawApp(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"), "broke off"},
		{"it speaks no HTTP", rawApp(t, "220 mail.example ESMTP\r\n"), "the answer is not HTTP"},
		{"its header is malformed and repeats the secret", rawApp(t, "HTTP/1.1 200 OK\r\nthe key is "+sharedSecret+"\r\n\r\n"), "the answer is not HTTP"},
		{"its status is 000", rawApp(t, "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n"), "status 0"},
		{"its status is 099", rawApp(t, "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"), "status 99"},
		{"it switches protocols", rawApp(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), "status 101"},
		{"its URL is none", "http://[::1", "missing ']'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.App = receive.Forward(plainTransport(t), tt.url) })
			wantAnswer(t, r.deliver("evt_1", payload, clock), 502, `{"error":"Bad Gateway"}`)
			record := r.last(t)
			if strings.Contains(record.Error, sharedSecret) {
				t.Errorf("the error has the secret: %s", record.Error)
			}
			if record.Verdict.Outcome != webhook.Failed || !strings.HasPrefix(record.Error, "forwarding: ") || !strings.Contains(record.Error, tt.want) {
				t.Errorf("recorded as %+v, %q; want an error with %q", record.Verdict, record.Error, tt.want)
			}
		})
	}
}

// A body of 101 Switching Protocols is the connection itself, which neither a
// time-out nor a context ends.
func TestForwardDoesNotHangOnSwitchingProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		hangUp := sync.OnceFunc(func() { close(held) })
		transport := webhooktest.RoundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 101, Body: struct {
				io.Reader
				io.Closer
			}{
				readerFunc(func([]byte) (int, error) { <-held; return 0, io.EOF }),
				closerFunc(func() error { hangUp(); return nil }),
			}}, nil
		})
		giveUp := time.AfterFunc(time.Hour, func() {
			t.Error("still waiting after an hour")
			hangUp()
		})
		answer, _ := forward(t.Context(), transport, "http://app.example/", nil, payload)
		if giveUp.Stop() && answer.Status != 502 {
			t.Errorf("answered %d, want 502", answer.Status)
		}
		select {
		case <-held:
		default:
			t.Error("the connection was not closed")
		}
	})
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// THREATS row 20.
func TestForwardCutsABodyAt64KiB(t *testing.T) {
	for _, tt := range []struct {
		size      int64
		truncated bool
	}{{64<<10 - 1, false}, {64 << 10, false}, {64<<10 + 1, true}, {1 << 30, true}} {
		t.Run(fmt.Sprintf("of %d bytes", tt.size), func(t *testing.T) {
			var sent int64
			done := make(chan struct{})
			url := behind(t, func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				sent, _ = io.CopyN(w, zeros{}, tt.size)
			})
			before := webhooktest.Heap(true)
			answer, record := forward(t.Context(), plainTransport(t), url, nil, payload)
			if grown := webhooktest.Heap(false) - before; grown > 8<<20 {
				t.Errorf("the heap grew by %d KiB", grown>>10)
			}
			<-done
			if answer.Status != 200 || int64(len(answer.Body)) != min(tt.size, 64<<10) || answer.Truncated != tt.truncated {
				t.Errorf("answered %d with %d bytes, truncated=%t", answer.Status, len(answer.Body), answer.Truncated)
			}
			if record.Forward.Truncated != tt.truncated || len(record.Forward.Body) != len(answer.Body) {
				t.Errorf("recorded %d bytes, truncated=%t", len(record.Forward.Body), record.Forward.Truncated)
			}
			if sent > 64<<20 {
				t.Errorf("%d MiB of the answer were drained", sent>>20)
			}
		})
	}
}

func TestForwardKeepsCredentialsOfTheURLOutOfRecords(t *testing.T) {
	for _, url := range []string{"http://user:hunter2@127.0.0.1:1/?token=hunter2", "http://user:hunter2@127.0.0.1:x/", "ftp://user:hunter2@127.0.0.1/"} {
		transports := map[string]http.RoundTripper{
			"net/http's": plainTransport(t),
			"one that quotes the URL": webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, errors.New("no route to " + r.URL.String())
			}),
		}
		for name, transport := range transports {
			if _, record := forward(t.Context(), transport, url, nil, payload); record.Error == "" || strings.Contains(record.Error, "hunter2") {
				t.Errorf("%s with %s transport: %q", url, name, record.Error)
			}
		}
	}
}

// net/http sends a request with an Idempotency-Key again by itself when a
// connection that it kept breaks.
func TestForwardRepeatsNothing(t *testing.T) {
	for _, name := range []string{"X-Other", "Idempotency-Key", "X-Idempotency-Key"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				transport := plainTransport(t)
				transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
					here, there := net.Pipe()
					go func() {
						defer func() { _ = there.Close() }()
						for in := bufio.NewReader(there); ; {
							r, err := http.ReadRequest(in)
							if err != nil {
								return
							}
							if _, err := io.Copy(io.Discard, r.Body); err != nil || requests.Add(1) == 2 {
								return // the second is taken and not answered
							}
							_, _ = io.WriteString(there, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
						}
					}()
					return here, nil
				}
				h := webhook.Header{{Name: name, Value: "1"}}
				for _, want := range []int{200, 502} {
					if answer, record := forward(t.Context(), transport, "http://app.example/", h, payload); answer.Status != want {
						t.Errorf("answered %d (%s), want %d", answer.Status, record.Error, want)
					}
					synctest.Wait() // for the connection to be idle
				}
				if got := requests.Load(); got != 2 {
					t.Errorf("the app got %d requests for two", got)
				}
			})
		})
	}
}
