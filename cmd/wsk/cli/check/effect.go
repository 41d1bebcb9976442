package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// effectTimeout limits the run time of --effect-cmd.
const effectTimeout = 10 * time.Second

// effectOf runs a shell command and returns the number that it prints.
func effectOf(ctx context.Context, env *command.Env, shell string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, effectTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", shell)
	c.WaitDelay = time.Second
	c.Dir, c.Env = env.Dir, env.Environ()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 0, fmt.Errorf("--effect-cmd did not end within %s", effectTimeout)
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.As(err, &exit):
		return 0, fmt.Errorf("--effect-cmd ended with %w: %s", exit, oneLine(stderr.String()))
	case err != nil:
		return 0, fmt.Errorf("running --effect-cmd: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("--effect-cmd printed %q: it must print a whole number and nothing else", oneLine(string(out)))
	}
	return n, nil
}

// oneLine shortens the output of a command for an error.
func oneLine(text string) string { return ui.Short(strings.Join(strings.Fields(text), " "), 200) }
