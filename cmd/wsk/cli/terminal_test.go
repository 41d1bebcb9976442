package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// fake runs command lines in a fixed environment.
type fake struct{ *commandtest.Fake }

func newFake(t *testing.T) *fake {
	t.Helper()
	return &fake{commandtest.New(t)}
}

func (f *fake) run(t *testing.T, args ...string) int {
	t.Helper()
	f.Stdout.Reset()
	f.Stderr.Reset()
	return Main(t.Context(), f.Env, args)
}

const signedAt = "X-Webhook-Timestamp: 1764000000\n"

func TestSecret_without_a_value_is_read_from_the_terminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.InTTY = true
	asked := 0
	f.ReadPassword = func() (string, error) { asked++; return "typed secret", nil }
	body := filepath.Join(f.Dir, "body")
	if err := os.WriteFile(body, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := f.run(t, "sign", "-f", body, "--secret"); code != exitYes {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
	secret, _ := webhook.NewSecret("typed secret")
	want, _ := webhook.Sign([]byte("{}"), f.Now(), secret)
	if got := f.Stdout.String(); got != signedAt+want[1].Name+": "+want[1].Value+"\n" {
		t.Errorf("printed %q", got)
	}
	if asked != 1 || f.Stderr.String() != "signing secret: \n" {
		t.Errorf("asked %d times, with %q", asked, &f.Stderr)
	}
	if strings.Contains(f.Stdout.String()+f.Stderr.String(), "typed secret") {
		t.Error("the secret was shown")
	}
}

func TestSecret_without_a_value_prefers_the_environment(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.InTTY = true
	f.ReadPassword = func() (string, error) { t.Error("asked"); return "", io.EOF }
	f.Vars["WEBHOOK_SECRET"] = "from environment"
	if code := f.run(t, "send", "work_order.created", "--secret", "--dry-run"); code != exitYes {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
}

func TestSecret_typed_blank_is_refused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.InTTY = true
	f.ReadPassword = func() (string, error) { return " ", nil }
	if code := f.run(t, "listen", "--secret"); code != exitUsage || !strings.Contains(f.Stderr.String(), "empty or blank") {
		t.Errorf("exit code %d: %s", code, &f.Stderr)
	}
}

func TestMain_interrupted_while_reading(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	r, w := io.Pipe() // never written to
	defer func() { _ = w.Close() }()
	f.In = r
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := Main(ctx, f.Env, []string{"sign", "--secret", "s"}); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, &f.Stderr)
	}
	if f.Stderr.String() != "wsk: interrupted\n" {
		t.Errorf("stderr %q", &f.Stderr)
	}
}

func TestMain_reports_a_failed_write(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.Out = brokenWriter{}
	if code := f.run(t, "version"); code != exitUsage || !strings.Contains(f.Stderr.String(), "writing the result: disk full") {
		t.Errorf("exit code %d: %s", code, &f.Stderr)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// A reader that closes a list has what it needs. The failure of any other
// command must be reported.
func TestMain_whose_reader_leaves(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{
		"events list": exitYes, "events show project.closed --form inbound": exitYes, "version --json": exitYes, "completion bash": exitYes,
		"": exitYes, "events": exitYes, "help": exitYes, "send --help": exitYes, "help send": exitYes, "sign --secret s": exitYes,
		"check --list": exitYes, "lint --rules": exitYes, "sandbox --rules": exitYes, "render init Accepted": exitYes,
		"send work_order.created --secret s --dry-run":                         exitUsage,
		"send work_order.created --secret s --url http://127.0.0.1:1":          exitUsage,
		"verify --secret s --timestamp 1764000000 --signature 00":              exitUsage,
		"trigger work_order.created --secret s --to http://127.0.0.1:1 --json": exitUsage,
	} {
		f := newFake(t)
		f.Out = writeError{fmt.Errorf("write: %w", syscall.EPIPE)}
		f.receiver(time.Millisecond, 200, "")
		if code := f.run(t, strings.Fields(line)...); code != want {
			t.Errorf("%q: exit code %d, want %d", line, code, want)
		}
		const said = "wsk: writing the result: the reader of stdout closed it\n"
		if got := strings.HasSuffix(f.Stderr.String(), said); got != (want == exitUsage) {
			t.Errorf("%q: stderr %q", line, &f.Stderr)
		}
	}
	root := NewRoot(newFake(t).Env)
	for _, path := range lists {
		if cmd, _, err := root.Find(strings.Fields(path)[1:]); err != nil || cmd.CommandPath() != path && path != "wsk help" {
			t.Errorf("there is no command %q", path)
		}
	}
}

type writeError struct{ err error }

func (w writeError) Write([]byte) (int, error) { return 0, w.err }

func TestMain_shows_no_credential_in_errors(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for _, args := range [][]string{
		{"send", "work_order.created", "--secret", "hush-hush", "--url", "http://user:hush-hush@127.0.0.1:1/x?token=hush-hush"},
		{"send", "work_order.created", "--secret", "hush-hush", "--url", "ftp://user:hush-hush@127.0.0.1"},
		{"send", "work_order.created", "--secret", "hush-hush", "--url", "http://user:hush-hush@[::1"},
		{"send", "work_order.created", "--secret", "hush-hush", "--api-key", "hush-hush\n", "--url", "http://127.0.0.1:1"},
		{"listen", "--secret", "hush-hush", "--scheme", "standard-webhooks"},
		{"verify", "--secret", "hush-hush", "--signature", "x", "--timestamp", "1"},
	} {
		if code := f.run(t, args...); code == exitYes {
			t.Errorf("%q passed", args)
		}
		if text := f.Stdout.String() + f.Stderr.String(); strings.Contains(text, "hush") {
			t.Errorf("%q shows the secret: %s", args, text)
		}
	}
}

func TestVerify_wraps_lines_on_a_narrow_terminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.OutTTY, f.Columns = true, 60
	f.Vars["NO_COLOR"] = "1"
	f.In = strings.NewReader("{}\n")
	if code := f.run(t, "verify", "--secret", "s", "--timestamp", "1764000000", "--signature", strings.Repeat("0", 64)); code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.Stderr)
	}
	for line := range strings.Lines(f.Stdout.String()) {
		if strings.HasPrefix(line, " ") && len([]rune(line)) > 61 {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
}

func TestJoinSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"listen --secret s", "listen --secret=s"},
		{"listen --secret", "listen --secret=\x00"},
		{"listen --secret --port 0", "listen --secret=\x00 --port 0"},
		{"listen --secret a --secret b", "listen --secret=a --secret=b"},
		{"listen --secret -- cmd --secret x", "listen --secret=\x00 -- cmd --secret x"},
		{"listen --secret=x y", "listen --secret=x y"},
		{"listen --secret-file f", "listen --secret-file f"},
	} {
		if got := strings.Join(joinSecrets(strings.Split(c.in, " ")), " "); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
	if got := joinSecrets([]string{"sign", "--secret", ""}); got[1] != "--secret=" {
		t.Errorf("an empty secret became %q", got[1])
	}
}
