package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/webhook"
)

// editItem opens the one item's payload in the person's editor. What was JSON
// before has to be JSON after.
func editItem(ctx context.Context, env *command.Env, items []replay.Item) error {
	if len(items) != 1 {
		return fmt.Errorf("--edit takes one payload, and there are %d: name one", len(items))
	}
	if !env.InTTY || !env.ErrTTY {
		return fmt.Errorf("--edit: %w", command.ErrNoTerminal)
	}
	item := &items[0]
	if err := item.Check(); err != nil {
		return fmt.Errorf("%s: %w", item.Name(), err)
	}
	edited, err := editBytes(ctx, env, item.Event.Raw)
	if err != nil {
		return fmt.Errorf("--edit: %w", err)
	}
	if bytes.Equal(edited, item.Event.Raw) {
		return nil
	}
	if webhook.CheckJSON(item.Event.Raw) == nil {
		if err := webhook.CheckJSON(edited); err != nil {
			return fmt.Errorf("--edit: the payload is no JSON any more: %w", err)
		}
	}
	item.Event.Raw = edited
	if event, err := webhook.ParseEvent(edited); err == nil {
		item.Event = event
	}
	return nil
}

// editBytes gives bytes to $VISUAL or $EDITOR, in a file that only this person
// can read and that is gone afterwards, and returns what they have become.
func editBytes(ctx context.Context, env *command.Env, raw []byte) (edited []byte, err error) {
	name := env.Getenv("VISUAL")
	if name == "" {
		name = env.Getenv("EDITOR")
	}
	words := strings.Fields(name) // "code --wait"
	if len(words) == 0 {
		return nil, errors.New("no editor: set $VISUAL or $EDITOR")
	}
	file, err := os.CreateTemp("", "wsk-*.json") // made with mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, words[0], append(words[1:], file.Name())...)
	c.Stdin, c.Stdout, c.Stderr, c.Dir = env.In, env.Err, env.Err, env.Dir
	if env.Environ != nil {
		c.Env = env.Environ()
	}
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("running %s: %w", words[0], err)
	}
	return os.ReadFile(file.Name())
}
