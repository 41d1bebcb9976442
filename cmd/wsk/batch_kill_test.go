package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
)

// counting is an endpoint that counts what arrives, line by line.
type counting struct {
	*httptest.Server

	mu       sync.Mutex
	counts   map[string]int
	arrivals []time.Time
	before   func() // called when a request has arrived
	after    func() // called when it was answered
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	c := &counting{counts: map[string]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it did not arrive whole
		}
		c.mu.Lock()
		c.counts[string(body)]++
		c.arrivals = append(c.arrivals, time.Now())
		before, after := c.before, c.after
		c.mu.Unlock()
		if before != nil {
			before()
		}
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		if after != nil {
			after()
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *counting) hooks(before, after func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.after = before, after
}

func (c *counting) count(line string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[line]
}

// batchFile writes n lines and returns the file's name and the lines.
func batchFile(t *testing.T, dir, name string, n int) (path string, lines []string) {
	t.Helper()
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{"file":"%s","n":%d}}`, name, i+1))
	}
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, lines
}

// wskBatch is "wsk send --batch" with its own home folder.
func wskBatch(t *testing.T, dir, file, url string, args ...string) (cmd *exec.Cmd, out, problems *bytes.Buffer) {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), program, append([]string{
		"send", "--batch", file, "--url", url, "--api-key", "k", "--secret", "s", "--no-lint", "--json",
	}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	out, problems = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, problems
	return cmd, out, problems
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(text []byte) (int, error) { return w(text) }

type batchSummary struct {
	Lines, Accepted, Refused, Unknown, Pending int

	UnknownLines []int `json:"unknown_lines"`
}

func summaryOf(t *testing.T, out *bytes.Buffer) batchSummary {
	t.Helper()
	var s batchSummary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatalf("the summary %q: %v", out, err)
	}
	return s
}

// TestSendBatch_killed_sends_each_line_once kills the batch 50 times, from
// inside the endpoint before and after it answers and at random moments, and
// resumes it until it is done.
func TestSendBatch_killed_sends_each_line_once(t *testing.T) {
	t.Parallel()
	const kills, size = 50, 700
	dir := t.TempDir()
	c := newCounting(t)
	file, lines := batchFile(t, dir, "staff.ndjson", size)
	rng := rand.New(rand.NewPCG(38, 38))
	for i := range kills {
		cmd, _, problems := wskBatch(t, dir, file, c.URL, "--resume", "--rate", "1000/s")
		gone := make(chan struct{})
		kill := sync.OnceFunc(func() { _ = cmd.Process.Kill() })
		var seen atomic.Int64
		at, pause := 1+rng.Int64N(5), time.Duration(rng.IntN(8000))*time.Microsecond
		started := make(chan struct{})
		when := func(do func()) func() {
			return func() {
				<-started
				if seen.Add(1) == at {
					do()
				}
			}
		}
		switch i % 3 {
		case 0:
			c.hooks(when(func() { kill(); <-gone }), nil) // so there is no answer
		case 1:
			c.hooks(nil, when(kill))
		default:
			c.hooks(when(func() { time.AfterFunc(pause, kill) }), nil)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		close(started)
		_ = cmd.Wait()
		close(gone)
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
			t.Fatalf("run %d ended by itself: %s\n%s", i, cmd.ProcessState, problems)
		}
	}
	c.hooks(nil, nil)
	cmd, out, problems := wskBatch(t, dir, file, c.URL, "--resume", "--rate", "1000/s")
	_ = cmd.Run() // unknown lines make it 3
	s := summaryOf(t, out)
	if s.Lines != size || s.Accepted != size-s.Unknown || s.Refused+s.Pending > 0 || s.Unknown > kills || s.Unknown < kills/4 || len(s.UnknownLines) != s.Unknown {
		t.Errorf("the summary is %+v\n%s", s, problems)
	}
	for i, line := range lines {
		switch n := c.count(line); {
		case n > 1, n == 0 && !slices.Contains(s.UnknownLines, i+1):
			t.Errorf("line %d arrived %d times", i+1, n)
		}
	}
	cmd, out, problems = wskBatch(t, dir, file, c.URL, "--resume", "--rate", "1000/s", "--retry-unknown")
	if err := cmd.Run(); err != nil || summaryOf(t, out).Accepted != size {
		t.Errorf("with --retry-unknown: %v, %s\n%s", err, out, problems)
	}
	for i, line := range lines {
		if n := c.count(line); n == 0 || n > 1 && !slices.Contains(s.UnknownLines, i+1) {
			t.Errorf("line %d arrived %d times in the end", i+1, n)
		}
	}
}

// TestSendBatch_processes_share_a_limit runs two processes with two files, one key
// and one journal.
func TestSendBatch_processes_share_a_limit(t *testing.T) {
	t.Parallel()
	const size, rate = 30, 20
	dir := t.TempDir()
	c := newCounting(t)
	j, err := journal.Open(t.Context(), filepath.Join(dir, "wsk", "journal.db"), journal.Options{})
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, name := range []string{"a.ndjson", "b.ndjson"} {
		file, _ := batchFile(t, dir, name, size)
		cmd, _, problems := wskBatch(t, dir, file, c.URL, "--rate", fmt.Sprintf("%d/s", rate))
		wait.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, problems)
			}
		})
	}
	wait.Wait()
	if len(c.counts) != 2*size || len(c.arrivals) != 2*size {
		t.Errorf("%d lines arrived in %d requests, want %d", len(c.counts), len(c.arrivals), 2*size)
	}
	for i := range len(c.arrivals) - rate {
		if gap := c.arrivals[i+rate].Sub(c.arrivals[i]); gap < time.Second {
			t.Errorf("%d requests within %s", rate+1, gap)
		}
	}
}

// TestSendBatch_locks_its_file starts a second one on the same file and
// target, and then sends Ctrl-C to the first.
func TestSendBatch_locks_its_file(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := newCounting(t)
	file, _ := batchFile(t, dir, "staff.ndjson", 3)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	c.hooks(func() { close(arrived); <-goOn }, nil)
	refused := filepath.Join(dir, "refused.ndjson")
	first, out, problems := wskBatch(t, dir, file, c.URL, "--failed-to", refused)
	interrupted := make(chan struct{})
	noted := sync.OnceFunc(func() { close(interrupted) })
	first.Stderr = writerFunc(func(text []byte) (int, error) {
		n, err := problems.Write(text)
		if strings.Contains(problems.String(), "waiting for the answer to the last request") {
			noted()
		}
		return n, err
	})
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-arrived
	second, _, said := wskBatch(t, dir, file, c.URL, "--resume")
	if err := second.Run(); second.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), "is being sent by another process") {
		t.Errorf("the second: %v\n%s", err, said)
	}
	if err := first.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-interrupted // before the answer, or it could be done before the signal has arrived
	c.hooks(nil, nil)
	close(goOn)
	_ = first.Wait()
	if s := summaryOf(t, out); first.ProcessState.ExitCode() != 130 || s.Unknown != 0 || s.Accepted < 1 {
		t.Errorf("the first: %s, %+v\n%s", first.ProcessState, s, problems)
	}
	if !strings.Contains(problems.String(), "the same command with --resume sends the rest") {
		t.Errorf("the first does not name the next step:\n%s", problems)
	}
	if raw, err := os.ReadFile(refused); err != nil || len(raw) > 0 {
		t.Errorf("the refused lines: %q, %v; want an empty file", raw, err)
	}
	third, out, problems := wskBatch(t, dir, file, c.URL, "--resume")
	if err := third.Run(); err != nil || summaryOf(t, out).Accepted != 3 {
		t.Errorf("the third: %v, %s\n%s", err, out, problems)
	}
	if len(c.arrivals) != 3 || len(c.counts) != 3 {
		t.Errorf("%d requests for %d lines, want 3 for 3", len(c.arrivals), len(c.counts))
	}
}
