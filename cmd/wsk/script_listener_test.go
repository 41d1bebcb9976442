package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

type stateKey struct{}

// state is what one script has started.
type state struct {
	listeners map[string]*running
	servers   map[string]*peer
}

func newState() *state {
	return &state{listeners: map[string]*running{}, servers: map[string]*peer{}}
}

func stateOf(ts *testscript.TestScript) *state { return ts.Value(stateKey{}).(*state) }

type running struct {
	cmd    *exec.Cmd
	out    *lockedBuffer
	err    *lockedBuffer
	copied chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// listener starts "wsk ARGS" in the background, waits for its first line, and sets
// $NAME to the URL in that line, which is the ready record or text: "listener NAME
// listen --port 0 --secret s --json".
func listener(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: listener NAME args...")
	}
	program, err := exec.LookPath("wsk")
	ts.Check(err)
	r := &running{cmd: exec.Command(program, args[1:]...), out: &lockedBuffer{}, err: &lockedBuffer{}, copied: make(chan struct{})}
	r.cmd.Dir = ts.MkAbs(".")
	r.cmd.Env = environment(ts)
	r.cmd.Stderr = r.err
	pipe, err := r.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	ts.Defer(func() { _ = r.cmd.Process.Kill() })
	reader := bufio.NewReader(pipe)
	first, err := reader.ReadString('\n')
	if err != nil {
		_ = r.cmd.Wait()
		ts.Fatalf("the listener printed nothing: %v\n%s", err, r.err)
	}
	_, _ = r.out.Write([]byte(first))
	go func() {
		_, _ = io.Copy(r.out, reader)
		close(r.copied)
	}()
	ts.Setenv(args[0], readyURL(first))
	stateOf(ts).listeners[args[0]] = r
}

func readyURL(line string) string {
	var ready struct{ Type, URL string }
	if json.Unmarshal([]byte(line), &ready) == nil && ready.Type == "ready" {
		return ready.URL
	}
	for word := range strings.FieldsSeq(line) {
		if strings.HasPrefix(word, "http://") {
			return word
		}
	}
	return ""
}

// environment returns the environment of the script for a process in the background.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"HOME", "PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "WSK_SECRET", "WEBHOOK_SECRET",
		"WSK_URL", "WSK_API_KEY", "WSK_PROFILE", "GORACE", "NO_COLOR", "CLICOLOR_FORCE", "WORK", "TMPDIR",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// stopped waits for a listener to end, checks its exit code, and writes its output
// to NAME.out and NAME.err. "stopped NAME CODE" waits for it to end by itself,
// "stopped NAME CODE int" interrupts it first, and "stopped NAME -1 kill" kills it.
func stopped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: stopped NAME CODE [int|kill]")
	}
	r := stateOf(ts).listeners[args[0]]
	if r == nil {
		ts.Fatalf("no listener %s", args[0])
	}
	if len(args) > 2 {
		ts.Check(r.cmd.Process.Signal(map[string]os.Signal{"int": syscall.SIGINT, "kill": syscall.SIGKILL}[args[2]]))
	}
	<-r.copied
	_ = r.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(r.out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), []byte(r.err.String()), 0o600))
	ts.Logf("[%s stdout]\n%s[%s stderr]\n%s", args[0], r.out, args[0], r.err)
	if got := r.cmd.ProcessState.ExitCode(); args[1] != strconv.Itoa(got) {
		ts.Fatalf("%s ended with %d, want %s", args[0], got, args[1])
	}
}
