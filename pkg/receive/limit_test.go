package receive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// slowBody is a body of which a part has arrived: it says so, and waits.
type slowBody struct {
	io.Reader
	arrived func()
	once    sync.Once
	rest    chan struct{} // closed when the rest arrives
}

func (b *slowBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		b.once.Do(b.arrived)
		<-b.rest
	}
	return n, err
}

// THREATS row 59: 400 bodies of 1 MiB, all but the last byte of which have arrived.
func TestNewServerLimitsTheMemoryOfUnfinishedBodies(t *testing.T) { // alone: it looks at the whole heap
	r := newReceiver(t, nil)
	h := receive.NewServer(r).Handler
	before := webhooktest.Heap(true)
	rest := make(chan struct{})
	var reached, ended sync.WaitGroup // reached: it waits, or it is answered
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 400 {
		reached.Add(1)
		ended.Go(func() {
			arrived := sync.OnceFunc(reached.Done)
			body := &slowBody{Reader: io.LimitReader(noughts{}, 1<<20-1), arrived: arrived, rest: rest}
			request := httptest.NewRequest(http.MethodPost, "/", body)
			request.ContentLength = 1 << 20
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			arrived()
			mu.Lock()
			defer mu.Unlock()
			statuses[w.Code]++
		})
	}
	reached.Wait()
	if grown := webhooktest.Heap(true) - before; grown > 64<<20 {
		t.Errorf("they take %d MiB", grown>>20)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post(header("evt_1", payload, clock), payload))
	wantAnswer(t, w, 200, taken)
	close(rest)
	ended.Wait()
	if statuses[503] < 300 || statuses[503] == 400 || statuses[503]+statuses[401] != 400 {
		t.Errorf("answers %v, want 503 to most and 401 to the others", statuses)
	}
	large := strings.Replace(payload, "wo_1", strings.Repeat("x", 900<<10), 1)
	for n := range 40 { // what they took is free again
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(header(fmt.Sprint("large_", n), large, clock), large))
		if w.Code != http.StatusOK {
			t.Fatalf("large event %d is answered %d %s", n, w.Code, w.Body)
		}
	}
}

type noughts struct{}

func (noughts) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNewServerReadsABodyLargerThanItsLimitWhenItIsAlone(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.MaxBody = 40 << 20 })
	large := strings.Replace(payload, "wo_1", strings.Repeat("x", 30<<20), 1)
	w := httptest.NewRecorder()
	receive.NewServer(r).Handler.ServeHTTP(w, post(header("evt_1", large, clock), large))
	wantAnswer(t, w, 200, taken)
}

func TestLimitListenerAcceptsSoManyConnections(t *testing.T) {
	t.Parallel()
	inner := make(dials)
	l := receive.LimitListener(inner, 2)
	accepted, failed := make(chan net.Conn, 9), make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				failed <- err
				return
			}
			accepted <- c
		}
	}()
	dial := func() {
		a, b := net.Pipe()
		t.Cleanup(func() { _ = errors.Join(a.Close(), b.Close()) })
		inner <- a
	}
	dial()
	dial()
	first, second := <-accepted, <-accepted
	a, b := net.Pipe()
	defer func() { _ = errors.Join(a.Close(), b.Close()) }()
	select {
	case inner <- a:
		t.Fatal("a third one was accepted")
	default: // nobody asks for one
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil { // frees one place, once
		t.Error(err)
	}
	dial()
	<-accepted
	if err := l.Close(); err != nil { // also while it waits for a place
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
	_ = second.Close() // a pipe
}

// dials is a listener whose connections are sent to it.
type dials chan net.Conn

func (p dials) Accept() (net.Conn, error) { return <-p, nil }
func (p dials) Close() error              { return nil }
func (p dials) Addr() net.Addr            { return nil }

// A flood of large bodies that fail the verification is read at a rate that leaves
// room for others. Each has its answer at once; then its connection rests.
func TestHandlerRestsAfterLargeRefusedBodies(t *testing.T) {
	large := `{"data":"` + strings.Repeat("x", 1<<20-11) + `"}`
	for _, tt := range []struct {
		name, body string
		n          int
		secret     string
		rested     time.Duration
	}{
		{"16 MiB at once", large, 16, "wrong", 0},
		{"40 MiB, at 16 MiB a second", large, 40, "wrong", 1500 * time.Millisecond},
		{"small ones are refused as fast as they come", payload, 5000, "wrong", 0},
		{"and large ones that are verified", large, 40, sharedSecret, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, func(c *receive.Config) { c.Now = time.Now })
				began := time.Now()
				for n := range tt.n {
					stamp := strconv.FormatInt(time.Now().Unix(), 10)
					h := signedWith(strconv.Itoa(n), tt.body, stamp)
					want := http.StatusOK
					if tt.secret != sharedSecret {
						h.Set(webhook.HeaderSignature, webhooktest.HexHMAC(tt.secret, stamp))
						want = http.StatusUnauthorized
					}
					if got := r.answerTo(post(h, tt.body)); got.Code != want && n == 0 {
						t.Fatalf("answered %d, want %d", got.Code, want)
					}
				}
				if rested := time.Since(began); rested != tt.rested {
					t.Errorf("rested for %s, want %s", rested, tt.rested)
				}
			})
		})
	}
	t.Run("for a second at most, and not after the sender left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.Now = time.Now })
			ctx, leave := context.WithCancel(t.Context())
			refused := func() time.Duration {
				h := signedWith("a", large, strconv.FormatInt(time.Now().Unix(), 10))
				h.Set(webhook.HeaderSignature, strings.Repeat("0", 64))
				began := time.Now()
				r.answerTo(post(h, large).WithContext(ctx))
				return time.Since(began)
			}
			var wait sync.WaitGroup
			var mu sync.Mutex
			var longest time.Duration
			for range 100 {
				wait.Go(func() {
					took := refused()
					mu.Lock()
					defer mu.Unlock()
					longest = max(longest, took)
				})
			}
			wait.Wait()
			if longest != time.Second {
				t.Errorf("the longest rest of 100 at once is %s, want 1s", longest)
			}
			leave()
			if got := refused(); got != 0 {
				t.Errorf("rested for %s after the sender had left", got)
			}
		})
	})
}
