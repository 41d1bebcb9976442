//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// server is a wsk server that is started again when it ends.
type server struct {
	wsk  string
	args []string // with PORT for the port
	env  []string

	mu    sync.Mutex
	url   string // of the first line; the port stays the same
	port  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended
	wants bool          // it was killed, or stopped, on purpose
	said  *tail
}

// start starts the server, and waits until it is ready.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	port := s.port
	if port == "" {
		port = "0"
	}
	args := make([]string, len(s.args))
	for i, arg := range s.args {
		args[i] = strings.ReplaceAll(arg, "PORT", port)
	}
	cmd := exec.Command(s.wsk, args...)
	cmd.Env, s.said = s.env, &tail{}
	cmd.Stderr = s.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		_ = cmd.Wait()
		return fmt.Errorf("%s did not start: %s", s.args[0], s.said)
	}
	var ready struct{ URL string }
	if err := json.Unmarshal(first, &ready); err != nil {
		return fmt.Errorf("%s: %q: %w", s.args[0], first, err)
	}
	s.url = ready.URL
	_, rest, _ := strings.Cut(strings.TrimPrefix(ready.URL, "http://"), ":")
	s.port, _, _ = strings.Cut(rest, "/")
	s.cmd, s.ended, s.wants = cmd, make(chan struct{}), false
	go func(ended chan struct{}) {
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait()
		close(ended)
	}(s.ended)
	return nil
}

// stop ends the server with a signal, and waits until it has ended.
func (s *server) stop(signal os.Signal) {
	s.mu.Lock()
	s.wants = true
	cmd, ended := s.cmd, s.ended
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(signal) // it may have ended
	<-ended
}

// restart kills the server, and starts it again.
func (s *server) restart() error {
	s.stop(os.Kill)
	return s.start()
}

// check returns an error if the server has ended by itself.
func (s *server) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
		if !s.wants {
			return fmt.Errorf("%s ended by itself: %s: %s", s.args[0], s.cmd.ProcessState, s.said)
		}
	default:
	}
	return nil
}

// memory returns the resident memory of the server, in bytes.
func (s *server) memory() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// run runs wsk to its end, and passes its output to read. It is no error that ctx
// ended.
func run(ctx context.Context, wsk string, env []string, read func(io.Reader) error, args ...string) error {
	cmd := exec.CommandContext(ctx, wsk, args...)
	said := &tail{}
	cmd.Env, cmd.Stderr = env, said
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	reading := read(out)
	if err := errors.Join(reading, cmd.Wait()); err != nil && ctx.Err() == nil {
		return fmt.Errorf("wsk %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return nil
}

func discard(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// tail keeps the last 2,000 bytes that are written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	t.end = bytes.Clone(t.end[max(0, len(t.end)-2000):])
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

// address returns the URL of the server.
func (s *server) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}
