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

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ListenError says what to do about an address that cannot be had.
func ListenError(err error, host string, port uint16) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d is in use: stop what listens there, or choose another with --port; --port 0 picks a free one", port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %d needs privileges: choose one above 1023", port)
	}
	return fmt.Errorf("listening on %s: %w", host, err)
}

// Ready is the first line of a stream.
type Ready struct {
	Type    string `json:"type"`
	Address string `json:"address"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	URL     string `json:"url"`
	Scheme  string `json:"scheme,omitempty"`
}

// WriteReady is the ready line of a server, and warns of one that others reach.
func WriteReady(env *Env, address string) (Ready, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return Ready{}, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return Ready{}, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		fmt.Fprintln(env.Err, "wsk: warning: listening on "+address+", which other machines can reach")
	}
	return Ready{Type: "ready", Address: address, Host: host, Port: number, URL: "http://" + address}, nil
}

// WriteDetail writes a line under a record's own, if there is anything to say.
func WriteDetail(b *strings.Builder, p ui.Palette, columns int, label, text string) {
	if text != "" {
		indent := strings.Repeat(" ", detailIndent+len(label))
		fmt.Fprintf(b, "%s%s%s\n", indent[:detailIndent], p.Quiet(label), ui.Wrap(ui.Clean(text), indent, columns))
	}
}

// Server is an HTTP server that ends as soon as what is being answered is.
type Server struct {
	*http.Server

	mu     sync.Mutex
	silent map[net.Conn]bool // on which nothing was asked yet
}

func NewServer(h http.Handler) *Server {
	s := &Server{Server: receive.Server(h), silent: map[net.Conn]bool{}}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.silent, c); state == http.StateNew {
			s.silent[c] = true
		}
	}
	return s
}

// Stop ends the server; what is being answered has five seconds. Clients
// open connections to have them, and net/http would wait as long for one on
// which nothing was asked.
func (s *Server) Stop(ctx context.Context) {
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

// PrintSummary is a server's last line for people. Ctrl-C leaves a terminal in the
// middle of one.
func PrintSummary(ctx context.Context, env *Env, text string) {
	if env.ErrTTY && ctx.Err() != nil {
		fmt.Fprintln(env.Err)
	}
	fmt.Fprintln(env.Err, text)
}

// OutcomeCounts counts what came to a server.
type OutcomeCounts struct {
	mu     sync.Mutex
	counts map[webhook.Outcome]int
}

func (o *OutcomeCounts) Add(outcome webhook.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.counts == nil {
		o.counts = map[webhook.Outcome]int{}
	}
	o.counts[outcome]++
}

// All is a copy of the counts.
func (o *OutcomeCounts) All() map[webhook.Outcome]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[webhook.Outcome]int{}
	maps.Copy(all, o.counts)
	return all
}

// FormatCounts writes those of a count that are there, in an order.
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
