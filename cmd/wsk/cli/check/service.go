package check

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
)

const portPause = 25 * time.Millisecond // between two attempts to connect

// startService starts the service after -- and returns when the port of the URL is
// open.
func startService(ctx context.Context, env *command.Env, argv []string, target string, patience time.Duration) (*command.Process, error) {
	address, err := addressOf(target)
	if err != nil {
		return nil, err
	}
	if portOpen(ctx, address) {
		return nil, fmt.Errorf("another program listens on %s and would be checked instead of %s: stop it, or choose another port", address, argv[0])
	}
	output := &lastLines{}
	service, err := command.StartService(env, argv, output)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !portOpen(limited, address) {
		select {
		case <-service.Ended():
			return nil, fmt.Errorf("%s ended before it opened %s: %s%s", argv[0], address, exitText(service.Err()), output)
		default:
		}
		if deliver.Wait(limited, portPause) != nil {
			service.Stop()
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%s did not open %s within %s; allow more time with --start-timeout%s", argv[0], address, ui.Duration(patience), output)
		}
	}
	return service, nil
}

// addressOf returns the host and port of a URL.
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
		_ = conn.Close() // only to see whether the port is open
	}
	return err == nil
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// How much is kept of the output of a service.
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

// String returns the last lines, as they follow an error.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(string(bytes.TrimRight(l.text, "\r\n")), "\n")
	lines = lines[max(0, len(lines)-keptLines):]
	if len(lines) == 1 && strings.TrimSpace(lines[0]) == "" {
		return "; it printed nothing"
	}
	return "; it printed:\n  " + strings.Join(lines, "\n  ")
}
