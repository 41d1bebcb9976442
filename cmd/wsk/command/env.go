// Package command holds what the commands of wsk share: the [Env] that they run
// in, groups of flags, reading input, writing output, and the kinds of error
// that decide the exit code.
package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
	In        io.Reader
	Out, Err  io.Writer
	InTTY     bool // whether In, Out and Err are terminals
	OutTTY    bool
	ErrTTY    bool
	InHasData func() bool // whether bytes wait on In; it takes at most 100 ms. Nil: never
	OutWaits  bool        // whether the reader of Out may stop reading: Out is a terminal, a pipe or a socket
	Columns   int         // the width of the terminal behind Out; 0 where there is none
	Dir       string      // the working folder

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
		InHasData: func() bool { return hasData(in, stdinWait) },
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

// stdinWait is how long a command looks for bytes on a pipe that no flag tells
// it to read. A pipe that nobody writes to, as CI systems leave behind, has
// none.
const stdinWait = 100 * time.Millisecond

// restOf returns how many bytes follow the position in a regular file.
func restOf(f *os.File, info os.FileInfo) int64 {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return info.Size() - at
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// CheckStdin returns an error when bytes wait on stdin and no flag is set to
// read them: a command that ignored them would succeed with something else.
// instead is what the command uses if stdin is empty.
func (e *Env) CheckStdin(flag, instead string) error {
	if e.InHasData == nil || !e.InHasData() {
		return nil
	}
	return fmt.Errorf("stdin has data and %s was not given: give %s to read it, or redirect stdin from /dev/null to use %s", flag, flag, instead)
}

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
