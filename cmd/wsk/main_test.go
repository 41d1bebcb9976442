package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"modernc.org/sqlite"
)

var update = flag.Bool("update", false, "rewrite the golden files of the scripts")

// TestMain makes the test binary run as wsk, so that scripts can run it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wsk": func() {
		setPragmas(os.Getenv("WSK_TEST_PRAGMAS"))
		main()
	}})
}

// setPragmas changes every connection to a SQLite file, so that tests can plant
// the faults that they must find.
func setPragmas(pragmas string) {
	if pragmas == "" {
		return
	}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		_, err := conn.ExecContext(context.Background(), pragmas, nil)
		return err
	})
}

// TestScripts runs the scripts in testdata/script. Their additional commands are
// in script_*_test.go; -update rewrites the files that they compare with cmp.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/home/.config")
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/home/.local/state")
			// Without this, every program built with -race waits a second before it exits.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			e.Values[stateKey{}] = newState()
			return os.MkdirAll(e.WorkDir+"/home", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     code,
			"document": document,
			"listener": listener,
			"stopped":  stopped,
			"server":   server,
			"requests": requests,
			"served":   served,
			"post":     post,
			"raw":      raw,
			"bytes":    makeBytes,
			"output":   output,
		},
		UpdateScripts: *update,
	})
}

// code runs a command and checks its exit code: "code 2 wsk send".
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// document checks that stdout is one JSON object, and has each of the members:
// "document records total".
func document(ts *testscript.TestScript, neg bool, args []string) {
	var got map[string]json.RawMessage
	text := ts.ReadFile("stdout")
	if err := json.Unmarshal([]byte(text), &got); neg || err != nil {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	for _, name := range args {
		if got[name] == nil {
			ts.Fatalf("the document has no member %s", name)
		}
	}
}
