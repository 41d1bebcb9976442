package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultMaxConnections is how many connections wsk listen and wsk sandbox accept
// at a time by default.
const DefaultMaxConnections = 1024

const (
	// freeBody is how many bytes of its body each request has of its own. Most
	// events are smaller.
	freeBody = 16 << 10

	// sharedBodies is how many bytes the bodies of all requests in progress have
	// beyond that, together.
	sharedBodies = 16 << 20
)

// errBusy is the error of reading a body for which there is no memory now.
var errBusy error = &webhook.Refusal{
	Reason: webhook.ReceiverBusy, Detail: "the bodies of other requests take all the memory for bodies",
}

// bodies limits the memory of the bodies of all requests in progress.
type bodies struct {
	mu   sync.Mutex
	used int64 // beyond freeBody of each request
}

// take reserves n more bytes for a request that has held bytes already. A request
// that is alone may be larger than the limit, so that every body that the receiver
// accepts can be read at some time.
func (b *bodies) take(held, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if others := b.used - held; others > 0 && b.used+n > sharedBodies {
		return false
	}
	b.used += n
	return true
}

func (b *bodies) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
}

// limit returns a handler whose requests share the memory for bodies. What a
// request has read counts until it is answered.
func (b *bodies) limit(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &limitedBody{ReadCloser: r.Body, shared: b}
		defer func() { b.release(body.held) }()
		limited := *r // the server goes on with its own
		limited.Body = body
		h.ServeHTTP(w, &limited)
	})
}

// limitedBody is the body of a request.
type limitedBody struct {
	io.ReadCloser
	shared *bodies
	read   int64
	held   int64 // of what the requests share
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - freeBody - b.held; more > 0 {
		if !b.shared.take(b.held, more) {
			return 0, errBusy
		}
		b.held += more
	}
	return n, err
}

// Close releases what the request holds of the memory for bodies.
func (b *limitedBody) Close() error {
	b.shared.release(b.held)
	b.held = 0
	return b.ReadCloser.Close()
}

const (
	// refusedRate is how many bytes of large bodies that fail the verification are
	// read in a second, after as many at once: the work of reading and hashing them
	// must not delay the other senders.
	refusedRate = 16 << 20

	// longestRest is how long a connection rests at most after such a body.
	longestRest = time.Second
)

// pace spreads work over time.
type pace struct {
	mu   sync.Mutex
	paid time.Time // when the work so far is paid for
}

// take returns how long to rest after n bytes.
func (p *pace) take(now time.Time, n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paid.Before(now) {
		p.paid = now
	}
	n = min(n, 4*refusedRate) // a larger one rests no longer
	p.paid = p.paid.Add(time.Duration(n) * time.Second / refusedRate)
	rest := p.paid.Sub(now) - time.Second // of which the first is free
	if rest > longestRest {
		p.paid, rest = p.paid.Add(longestRest-rest), longestRest
	}
	return max(rest, 0)
}

// serveGrace is how long the requests in progress have once the context of Serve has
// ended. Kubernetes kills a process 30 seconds after it has asked it to end.
const serveGrace = 20 * time.Second

// Serve serves h on l with the limits of [NewServer], and accepts at most
// [DefaultMaxConnections] at a time. When ctx ends, it accepts no more, lets the requests
// in progress end within 20 seconds, and returns nil. Otherwise the error is that of the
// server.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := NewServer(h)
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveGrace)
		defer cancel()
		err := server.Shutdown(grace)
		if err != nil {
			err = errors.Join(fmt.Errorf("requests in progress did not end within %s: %w", serveGrace, err), server.Close())
		}
		stopped <- err
	})
	err := server.Serve(LimitListener(l, DefaultMaxConnections))
	if stop() { // the server ended before ctx
		return err
	}
	return <-stopped
}

// LimitListener returns a listener that accepts at most n connections at a time
// of l, at least one. Others wait until one is closed.
func LimitListener(l net.Listener, n int) net.Listener {
	return &limitListener{Listener: l, places: make(chan struct{}, max(n, 1)), closed: make(chan struct{})}
}

type limitListener struct {
	net.Listener
	places chan struct{}
	close  sync.Once
	closed chan struct{}
}

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *limitListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
