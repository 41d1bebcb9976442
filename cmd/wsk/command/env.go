// Package command holds what the commands of wsk share: the [Env] that they run
// in, groups of flags, reading input, writing output, and the kinds of error
// that decide the exit code.
package command

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wskdev/wsk/pkg/deliver"
)

// Env is everything that a command uses of its process and its machine.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool // whether In, Out and Err are terminals
	OutTTY   bool
	ErrTTY   bool
	OutWaits bool   // whether the reader of Out may stop reading: Out is a terminal, a pipe or a socket
	Columns  int    // the width of the terminal behind Out; 0 where there is none
	Dir      string // the working folder

	Now     func() time.Time
	NewID   func() string  // a new random name, to be prefixed by its kind
	Jitter  func() float64 // in [0,1), for the pauses between attempts
	Lookup  func(name string) (string, bool)
	Environ func() []string // for commands that are started

	Transport    http.RoundTripper
	Listen       func(ctx context.Context, address string) (net.Listener, error)
	ReadPassword func() (string, error) // from the terminal, without echo
}

// NewEnv returns the Env of a process with these streams, working folder and
// environment.
func NewEnv(in, out, err *os.File, dir string, lookup func(string) (string, bool), environ func() []string) *Env {
	env := &Env{
		In: in, Out: out, Err: err, Dir: dir, Lookup: lookup, Environ: environ,
		InTTY: isTerminal(in), OutTTY: isTerminal(out), ErrTTY: isTerminal(err),
		Now:       time.Now,
		NewID:     func() string { return strings.ToLower(rand.Text()) },
		Jitter:    mathrand.Float64,
		Transport: deliver.NewTransport(),
		Listen: func(ctx context.Context, address string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", address)
		},
		ReadPassword: func() (string, error) {
			text, err := term.ReadPassword(int(in.Fd()))
			return string(text), err
		},
	}
	if info, err := out.Stat(); err == nil {
		env.OutWaits = env.OutTTY || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
	}
	if width, _, err := term.GetSize(int(out.Fd())); err == nil {
		env.Columns = width
	}
	return env
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Getenv returns a variable, or "" if it is not set.
func (e *Env) Getenv(name string) string {
	text, _ := e.Lookup(name)
	return text
}

// RecordID returns a new id for a record. Ids grow with time, so that new ones are
// neighbours in a journal's index.
func (e *Env) RecordID() string {
	random := e.NewID()
	return "rec_" + strconv.FormatInt(e.Now().UnixMilli(), 32) + random[:min(len(random), 16)]
}

// Client returns what sends the requests of a command.
func (e *Env) Client() deliver.Client {
	return deliver.Client{Transport: e.Transport, Now: e.Now, NewID: e.RecordID, UserAgent: UserAgent()}
}

// ErrNoTerminal is the error for a secret that cannot be read from a terminal.
var ErrNoTerminal = errors.New("there is no terminal to ask for one")
