package cli

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// server is an HTTP server that ends as soon as what is being answered is.
type server struct {
	*http.Server

	mu     sync.Mutex
	silent map[net.Conn]bool // on which nothing was asked yet
}

func newServer(h http.Handler) *server {
	s := &server{Server: receive.Server(h), silent: map[net.Conn]bool{}}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.silent, c); state == http.StateNew {
			s.silent[c] = true
		}
	}
	return s
}

// shutDown ends the server; what is being answered has five seconds. Clients
// open connections to have them, and net/http would wait as long for one on
// which nothing was asked.
func (s *server) shutDown(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.mu.Lock()
	for c := range s.silent {
		_ = c.Close() // it holds nothing
	}
	s.mu.Unlock()
	if err := s.Shutdown(grace); err != nil {
		_ = s.Close() // a request that does not end is cut off
	}
}

// farewell is a server's last line for people. Ctrl-C leaves a terminal in the
// middle of one.
func farewell(ctx context.Context, env *Env, text string) {
	if env.ErrTTY && ctx.Err() != nil {
		fmt.Fprintln(env.Err)
	}
	fmt.Fprintln(env.Err, text)
}

// outcomes counts what came to a server.
type outcomes struct {
	mu     sync.Mutex
	counts map[webhook.Outcome]int
}

func (o *outcomes) add(outcome webhook.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.counts == nil {
		o.counts = map[webhook.Outcome]int{}
	}
	o.counts[outcome]++
}

// all is a copy of the counts.
func (o *outcomes) all() map[webhook.Outcome]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[webhook.Outcome]int{}
	maps.Copy(all, o.counts)
	return all
}

// tallied writes those of a count that are there, in an order.
func tallied[K ~string](counts map[K]int, none string, order ...K) string {
	var parts []string
	for _, k := range order {
		if n := counts[k]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+string(k))
		}
	}
	if len(parts) == 0 {
		return none
	}
	return strings.Join(parts, ", ")
}
