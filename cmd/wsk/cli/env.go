package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wskdev/wsk/pkg/deliver"
)

// Env is the world as a command sees it.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool // whether In, Out and Err are terminals
	OutTTY   bool
	ErrTTY   bool
	Columns  int    // the width of the terminal behind Out; 0 where there is none
	Dir      string // the working folder

	Now     func() time.Time
	NewID   func() string  // a fresh name; what it names is put before it
	Jitter  func() float64 // in [0,1), for the pauses between attempts
	Lookup  func(name string) (string, bool)
	Environ func() []string // for commands that are started

	Transport    http.RoundTripper
	Listen       func(ctx context.Context, address string) (net.Listener, error)
	ReadPassword func() (string, error) // from the terminal, without echo
}

// System returns the real world.
func System() *Env {
	env := &Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Now:    time.Now,
		NewID:  func() string { return strings.ToLower(rand.Text()) },
		Jitter: mathrand.Float64,
		Lookup: os.LookupEnv, Environ: os.Environ,
		Transport: deliver.NewTransport(),
		Listen: func(ctx context.Context, address string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", address)
		},
		ReadPassword: func() (string, error) {
			text, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(text), err
		},
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		env.Columns = width
	}
	env.Dir, _ = os.Getwd() // gone: then no project file is found, and the rest works
	return env
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// getenv returns a variable or "".
func (e *Env) getenv(name string) string {
	text, _ := e.Lookup(name)
	return text
}

// recordID names a record.
func (e *Env) recordID() string { return "rec_" + e.NewID() }

var errNoTerminal = errors.New("there is no terminal to ask on")
