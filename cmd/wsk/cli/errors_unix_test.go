//go:build unix

package cli

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe that no program writes to is refused, or waits until the command is
// interrupted.
func TestErrors_of_named_pipes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{
		"send work_order.created -f PIPE --url http://127.0.0.1:1 --secret s --no-journal":        exitInterrupted,
		"send --batch PIPE --url http://127.0.0.1:1 --secret s":                                   exitUsage,
		"send work_order.created --url http://127.0.0.1:1 --secret-file PIPE --no-journal":        exitUsage,
		"send work_order.created --url http://127.0.0.1:1 --secret s --journal PIPE":              exitUsage,
		"send work_order.created --url http://127.0.0.1:1 --secret s --no-journal --schemas PIPE": exitUsage,
		"trigger work_order.created -f PIPE --to http://127.0.0.1:1 --secret s --no-journal":      exitInterrupted,
		"replay PIPE --to http://127.0.0.1:1 --secret s --no-journal":                             exitInterrupted,
		"lint PIPE": exitInterrupted, "lint --fix PIPE": exitInterrupted, "render PIPE": exitUsage,
		"render t.yaml --vars PIPE": exitInterrupted, "render t.yaml --attach PIPE": exitInterrupted,
		"sandbox --config PIPE": exitUsage, "sandbox --data PIPE": exitUsage,
		"verify -f PIPE --secret s": exitInterrupted, "sign -f PIPE --secret s": exitInterrupted,
		"journal import PIPE": exitInterrupted, "journal list --journal PIPE": exitUsage,
	} {
		t.Run(strings.ReplaceAll(line, "/", ""), func(t *testing.T) {
			t.Parallel()
			f := withFiles(t)
			if err := syscall.Mkfifo(filepath.Join(f.Dir, "PIPE"), 0o600); err != nil {
				t.Skip(err)
			}
			ctx, interrupt := context.WithCancel(t.Context())
			if want == exitInterrupted {
				interrupt()
			}
			defer interrupt()
			code := Main(ctx, f.Env, strings.Fields(line))
			said := f.Stderr.String()
			if code != want || want == exitUsage && !strings.Contains(said, "PIPE") || rawErrors.MatchString(said) {
				t.Errorf("exit code %d, want %d: %s", code, want, said)
			}
		})
	}
}
