package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
)

const replayPayload = `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{}}`

// replayFake is a terminal with a payload in p.json; what is sent is kept.
func replayFake(t *testing.T, typed string) (f *fake, sent *[]string) {
	t.Helper()
	f = newFake(t)
	f.InTTY, f.ErrTTY, f.In = true, true, strings.NewReader(typed)
	replayFile(t, f, "p.json", replayPayload)
	sent = &[]string{}
	f.Transport = commandtest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		*sent = append(*sent, string(body))
		return &http.Response{StatusCode: 200, Body: http.NoBody}, err
	})
	return f, sent
}

// replayFile puts a file into the working folder.
func replayFile(t *testing.T, f *fake, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReplay_asks_before_it_sends_to_another_machine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		typed string
		extra []string
		code  int
		sent  int
		asked string
	}{
		"yes":                {"y\n", nil, exitYes, 1, "replay 1 delivery to https://erp.example.com/hook ? [y/N] "},
		"the word":           {"Yes\n", nil, exitYes, 1, "replay 1 delivery to "},
		"no":                 {"n\n", nil, exitNo, 0, "nothing was sent"},
		"enter alone":        {"\n", nil, exitNo, 0, "nothing was sent"},
		"the end of input":   {"", nil, exitNo, 0, "nothing was sent"},
		"several":            {"y\n", []string{"p.json"}, exitYes, 2, "replay 2 deliveries to "},
		"a load test":        {"n\n", []string{"--rate", "max"}, exitNo, 0, "replay 1 delivery as a load test to "},
		"--yes":              {"", []string{"--yes"}, exitYes, 1, ""},
		"a load with --yes":  {"", []string{"--yes", "--rate", "max"}, exitYes, 1, ""},
		"several with --yes": {"", []string{"--yes", "p.json", "p.json"}, exitYes, 3, ""},
		"any other answer":   {"maybe\n", nil, exitNo, 0, "nothing was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, sent := replayFake(t, test.typed)
			args := append([]string{"replay", "p.json", "--to", "https://erp.example.com/hook", "--secret", "hush-hush", "--no-journal"}, test.extra...)
			if code := f.run(t, args...); code != test.code || len(*sent) != test.sent {
				t.Errorf("exit code %d with %d sent, want %d with %d: %s", code, len(*sent), test.code, test.sent, &f.Stderr)
			}
			const target = "→ POST https://erp.example.com/hook\n"
			if !strings.Contains(f.Stderr.String(), test.asked) || test.asked == "" && f.Stderr.String() != target {
				t.Errorf("stderr %q, want %q in it", &f.Stderr, test.asked)
			}
			if strings.Contains(f.Stdout.String()+f.Stderr.String(), "hush") {
				t.Error("the secret was shown")
			}
		})
	}
}

func TestReplay_interrupted_at_the_question(t *testing.T) {
	t.Parallel()
	f, sent := replayFake(t, "")
	r, w := io.Pipe() // never written to
	defer func() { _ = w.Close() }()
	f.In = r
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	f.Err = writes(func(b []byte) {
		if strings.Contains(string(b), "[y/N]") {
			cancel()
		}
	})
	if code := Main(ctx, f.Env, []string{"replay", "p.json", "--to", "https://erp.example.com", "--secret", "s"}); code != exitInterrupted || len(*sent) > 0 {
		t.Errorf("exit code %d, %d sent", code, len(*sent))
	}
}

// writes receives what is written.
type writes func([]byte)

func (w writes) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestReplay_interrupted_prints_the_results(t *testing.T) {
	t.Parallel()
	f, _ := replayFake(t, "")
	ids := 0
	f.NewID = func() string { ids++; return fmt.Sprint("id", ids) }
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	f.Transport = commandtest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		if n++; n == 2 {
			cancel()
			return nil, r.Context().Err()
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	args := []string{"replay", "p.json", "p.json", "p.json", "--to", "http://127.0.0.1:1", "--secret", "s"}
	if code := Main(ctx, f.Env, args); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, &f.Stderr)
	}
	if !strings.Contains(f.Stdout.String(), "1 delivery: 1 passed\n") || n != 2 {
		t.Errorf("%d sent, and it printed\n%s", n, &f.Stdout)
	}
	// Both are in the journal, the one that was cut off too.
	f.Transport = commandtest.RoundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	f.run(t, "replay", "--direction", "sent", "--to", "http://127.0.0.1:1", "--secret", "s")
	if want := "2 deliveries: 1 fixed, 1 still passing\n"; !strings.HasSuffix(f.Stdout.String(), want) {
		t.Errorf("the journal's replay printed\n%s%swant %s", &f.Stdout, &f.Stderr, want)
	}
}

func TestReplay_edit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		args   string
		code   int
		want   string // what is sent
		said   string
	}{
		"changed":       {`sed s/erp/mended/ "$1" > new && cat new > "$1"`, "p.json", exitYes, strings.Replace(replayPayload, "erp", "mended", 1), ""},
		"left as it is": {`true`, "p.json", exitYes, replayPayload, ""},
		"broken":        {`echo { > "$1"`, "p.json", exitUsage, "", "--edit: the payload is no longer JSON: line 2"},
		"given up":      {`exit 1`, "p.json", exitUsage, "", "--edit: running sh: exit status 1"},
		"private":       {`ls -l "$1" | grep -q '^-rw-------'`, "p.json", exitYes, replayPayload, ""},
		"too many":      {`true`, "p.json p.json", exitUsage, "", "--edit opens one payload, but there are 2"},
		"a load test":   {`true`, "p.json --rate max", exitUsage, "", "--edit is not for a load test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, sent := replayFake(t, "")
			replayFile(t, f, "edit.sh", "echo \"$1\" > edited\n"+test.script+"\n")
			f.Vars["EDITOR"] = "sh " + filepath.Join(f.Dir, "edit.sh")
			args := append([]string{"replay", "--edit", "--to", "http://127.0.0.1:1", "--secret", "s", "--no-journal"}, strings.Fields(test.args)...)
			code := f.run(t, args...)
			if code != test.code || strings.Join(*sent, "\n") != test.want || !strings.Contains(f.Stderr.String(), test.said) {
				t.Errorf("exit code %d, sent %q: %s", code, *sent, &f.Stderr)
			}
			if path, err := os.ReadFile(filepath.Join(f.Dir, "edited")); err == nil {
				if _, err := os.Stat(strings.TrimSpace(string(path))); !os.IsNotExist(err) {
					t.Errorf("the file %s is still there", path)
				}
			}
		})
	}
	f, _ := replayFake(t, "")
	if code := f.run(t, "replay", "p.json", "--edit", "--to", "http://127.0.0.1:1", "--secret", "s"); code != exitUsage || !strings.Contains(f.Stderr.String(), "set $VISUAL or $EDITOR") {
		t.Errorf("without an editor: exit code %d: %s", code, &f.Stderr)
	}
}
