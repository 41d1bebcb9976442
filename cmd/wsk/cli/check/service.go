package check

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/deliver"
)

// service is a program that is checked while it runs.
type service struct {
	cmd   *exec.Cmd
	said  *lastLines
	ended chan struct{} // closed when it has
	err   error         // of its end
}

const (
	portPause    = 25 * time.Millisecond // between two looks at a port
	stopPatience = 5 * time.Second       // before a service that does not stop is killed
)

// startService starts a service and returns when the URL's port is open.
func startService(ctx context.Context, env *command.Env, argv []string, target string, patience time.Duration) (*service, error) {
	address, err := addressOf(target)
	if err != nil {
		return nil, err
	}
	if portOpen(ctx, address) {
		return nil, fmt.Errorf("something listens on %s already, and it would be checked in place of %s: stop it, or choose another port", address, argv[0])
	}
	s := &service{said: &lastLines{}, ended: make(chan struct{})}
	s.cmd = exec.Command(argv[0], argv[1:]...) //nolint:noctx // stop ends it, and what it has started
	s.cmd.Dir, s.cmd.Env = env.Dir, env.Environ()
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.WaitDelay = stopPatience
	ownGroup(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", argv[0], err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !portOpen(limited, address) {
		select {
		case <-s.ended:
			return nil, fmt.Errorf("%s ended before it opened %s: %s%s", argv[0], address, ending(s.err), s.said)
		default:
		}
		if deliver.Wait(limited, portPause) != nil {
			s.stop()
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%s did not open %s within %s; --start-timeout gives it longer%s", argv[0], address, patience, s.said)
		}
	}
	return s, nil
}

// addressOf is the host and port that a URL leads to.
func addressOf(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

func portOpen(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close() // it was only knocked at
	}
	return err == nil
}

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// stop asks the service to end, and makes it end when it does not.
func (s *service) stop() {
	interruptGroup(s.cmd)
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
	}
	killGroup(s.cmd) // what it has left behind as well
	<-s.ended
}

// How much is kept of what a service says.
const (
	keptLines = 20
	keptBytes = 16 << 10
)

// lastLines keeps the end of what is written to it.
type lastLines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lastLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	if over := len(l.text) - keptBytes; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(b), nil
}

// String is the last lines, each on a line of its own behind the error, or "".
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(string(bytes.TrimRight(l.text, "\r\n")), "\n")
	lines = lines[max(0, len(lines)-keptLines):]
	if len(lines) == 1 && strings.TrimSpace(lines[0]) == "" {
		return "; it said nothing"
	}
	return "; it said:\n  " + strings.Join(lines, "\n  ")
}
