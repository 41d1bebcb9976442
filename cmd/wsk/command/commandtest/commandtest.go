// Package commandtest provides a fixed [command.Env] for tests: a clock that
// does not move, buffers for streams, a terminal if a test asks for one, and no
// network.
package commandtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

// Now is the time of the fixed clock, in Unix seconds.
const Now = 1764000000

// Fake is an Env whose output and environment a test can look at and change.
type Fake struct {
	*command.Env
	Stdout, Stderr bytes.Buffer
	Vars           map[string]string // the environment; HOME is a temporary folder
}

// New returns an Env in a temporary folder, with empty input and no terminal.
func New(t *testing.T) *Fake {
	t.Helper()
	dir := t.TempDir()
	f := &Fake{Vars: map[string]string{"HOME": dir}}
	f.Env = &command.Env{
		In: strings.NewReader(""), Out: &f.Stdout, Err: &f.Stderr, Dir: dir,
		Now:    func() time.Time { return time.Unix(Now, 0) },
		NewID:  func() string { return "id" },
		Jitter: func() float64 { return 0 },
		Lookup: func(name string) (string, bool) { text, ok := f.Vars[name]; return text, ok },
		Transport: RoundTrip(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("no network here")
		}),
		Listen: func(context.Context, string) (net.Listener, error) { return nil, errors.New("no listener here") },
	}
	return f
}

// RoundTrip is a function as an [http.RoundTripper].
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls r.
func (r RoundTrip) RoundTrip(q *http.Request) (*http.Response, error) { return r(q) }
