package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Listen opens a port of a server. Its errors say what to do about them.
func Listen(ctx context.Context, env *Env, host string, port uint16) (net.Listener, error) {
	l, err := env.Listen(ctx, net.JoinHostPort(host, strconv.Itoa(int(port))))
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use: stop what listens there, or choose another with --port; --port 0 picks a free one", port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d needs privileges: choose one above 1023", port)
	}
	return nil, fmt.Errorf("--host %s: %w", host, hostFault(err))
}

// hostFault returns in plain words why a server cannot listen on an address.
func hostFault(err error) error {
	var name *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &name):
		return errors.New("no address has this name: write an IP address of this machine, such as 127.0.0.1")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("this machine does not have the address: write one that it has, such as 127.0.0.1, or 0.0.0.0 for all")
	case errors.As(err, &number):
		return number
	}
	return err
}

// Ready is the first line of a server's JSON stream.
type Ready struct {
	Type    string `json:"type"`
	Address string `json:"address"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	URL     string `json:"url"`
	Scheme  string `json:"scheme,omitempty"`
}

// NewReady returns the ready line of a server. It warns on stderr about an address
// that other machines can reach.
func NewReady(env *Env, address string) (Ready, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return Ready{}, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return Ready{}, err
	}
	if !deliver.IsLoopback("http://" + address) {
		fmt.Fprintln(env.Err, "wsk: warning: listening on "+address+", which other machines can reach")
	}
	return Ready{Type: "ready", Address: address, Host: host, Port: number, URL: "http://" + address}, nil
}

// Server is an HTTP server that stops as soon as the requests in progress are
// answered. Clients open connections in advance, and [http.Server.Shutdown]
// would wait five seconds for one that has carried no request.
type Server struct {
	http   *http.Server
	failed chan error

	mu     sync.Mutex
	unused map[net.Conn]bool // no request yet
}

// MaxConnections adds the flag of a server that limits its connections.
func MaxConnections(cmd *cobra.Command, to *int) {
	cmd.Flags().IntVar(to, "max-connections", receive.DefaultMaxConnections, "accept up to `N` connections at a time; more wait")
}

// CheckMaxConnections returns an error unless n can be a limit.
func CheckMaxConnections(n int) error {
	if n < 1 {
		return errors.New("--max-connections must be greater than 0")
	}
	return nil
}

// StartServer serves h on l with the time-outs and the limits of a receiver.
func StartServer(l net.Listener, h http.Handler, maxConnections int) *Server {
	l = receive.LimitListener(l, maxConnections)
	s := &Server{http: receive.NewServer(h), failed: make(chan error, 1), unused: map[net.Conn]bool{}}
	s.http.ConnState = func(c net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.unused, c); state == http.StateNew {
			s.unused[c] = true
		}
	}
	go func() { s.failed <- s.http.Serve(l) }()
	return s
}

// Failed receives the error of a server that can no longer accept connections.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop stops the server. Requests in progress have five seconds.
func (s *Server) Stop(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.mu.Lock()
	for c := range s.unused {
		_ = c.Close() // no request is lost
	}
	s.mu.Unlock()
	if err := s.http.Shutdown(grace); err != nil {
		s.Close() // cut off requests that take longer
	}
}

// Close stops the server and aborts the requests in progress.
func (s *Server) Close() { _ = s.http.Close() }

// PrintSummary prints the last line of a server for people. It begins a new line
// after the ^C of a terminal.
func PrintSummary(ctx context.Context, env *Env, text string) {
	if env.ErrTTY && ctx.Err() != nil {
		fmt.Fprintln(env.Err)
	}
	fmt.Fprintln(env.Err, text)
}

// OutcomeCounts counts the requests to a server by outcome.
type OutcomeCounts struct {
	mu     sync.Mutex
	counts map[webhook.Outcome]int
}

// Add counts one request.
func (o *OutcomeCounts) Add(outcome webhook.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.counts == nil {
		o.counts = map[webhook.Outcome]int{}
	}
	o.counts[outcome]++
}

// Move counts a request as another outcome, which may come before it is added.
func (o *OutcomeCounts) Move(from, to webhook.Outcome) {
	o.Add(to)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts[from]--
}

// All returns a copy of the counts that are not zero.
func (o *OutcomeCounts) All() map[webhook.Outcome]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[webhook.Outcome]int{}
	maps.Copy(all, o.counts)
	maps.DeleteFunc(all, func(_ webhook.Outcome, n int) bool { return n <= 0 })
	return all
}

// FormatCounts writes the counts that are not zero in a given order, or none.
func FormatCounts[K ~string](counts map[K]int, none string, order ...K) string {
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
