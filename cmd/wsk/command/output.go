package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

func StatusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// WriteFile writes a result to stdout for "-", else to a file that is there whole
// or not at all, and that its owner alone can read.
func WriteFile(env *Env, name string, write func(io.Writer) error) error {
	if name == "-" {
		w := bufio.NewWriterSize(env.Out, 64<<10)
		return errors.Join(write(w), w.Flush())
	}
	path := env.Path(name)
	file, err := os.CreateTemp(filepath.Dir(path), ".wsk-*") // with mode 0600
	if err != nil {
		return WritingError(name, err)
	}
	w := bufio.NewWriterSize(file, 64<<10)
	err = write(w)
	if fault := errors.Join(w.Flush(), file.Sync(), file.Close()); fault != nil && err == nil {
		err = WritingError(name, fault)
	}
	if err == nil {
		if err = os.Rename(file.Name(), path); err != nil {
			err = WritingError(name, err)
		}
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len([]rune(s))))
}

// Output are --format and --json.
type Output struct {
	Format string
	json   bool
	known  []string
}

// Add declares the flags; the first of formats is the default.
func (o *Output) Add(cmd *cobra.Command, formats ...string) {
	o.known = formats
	f := cmd.Flags()
	f.StringVar(&o.Format, "format", formats[0], "print the result as `FORMAT`: "+JoinOr(formats))
	f.BoolVar(&o.json, "json", false, "short for --format json")
	CompleteFlag(cmd, "format", formats...)
}

// Choose settles the format.
func (o *Output) Choose(cmd *cobra.Command) error {
	if !slices.Contains(o.known, o.Format) {
		return webhook.Unknown("format", o.Format, o.known)
	}
	if o.json {
		if cmd.Flags().Changed("format") && o.Format != "json" {
			return errors.New("--json and --format " + o.Format + " contradict each other")
		}
		o.Format = "json"
	}
	return nil
}

// String reports whether the result is for people.
func (o *Output) Text() bool { return o.Format == "text" }

// Palette settles the colour for stdout or stderr: --color, then NO_COLOR and
// CLICOLOR_FORCE, then whether the stream is a terminal.
func Palette(env *Env, cfg *config.Config, terminal bool) (ui.Palette, error) {
	switch choice := cfg.Color.Text; choice {
	case "on":
		return ui.Palette{Color: true}, nil
	case "off":
		return ui.Palette{}, nil
	case "auto":
	default:
		return ui.Palette{}, webhook.Unknown("colour mode", choice, []string{"auto", "on", "off"})
	}
	if env.Getenv("NO_COLOR") != "" {
		return ui.Palette{}, nil
	}
	if force := env.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return ui.Palette{Color: true}, nil
	}
	return ui.Palette{Color: terminal && env.Getenv("TERM") != "dumb"}, nil
}

// WriteJSON writes one value as one line, with nothing in it that a terminal
// would obey.
func WriteJSON(w io.Writer, v any) error {
	line, err := webhook.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// CheckedWriter remembers the first error, so that a full disk behind stdout
// does not pass for success.
type CheckedWriter struct {
	W   io.Writer
	mu  sync.Mutex
	err error
}

func (c *CheckedWriter) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.W.Write(b)
	c.err = err
	return n, err
}

// Failed is the first error. A write that nobody ever read has none.
func (c *CheckedWriter) Failed() error {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	return c.err
}

// JoinOr joins words as people do: "a, b or c".
func JoinOr(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " or " + words[1]
	default:
		return words[0] + ", " + JoinOr(words[1:])
	}
}

// CompleteFlag gives a flag's values to the shell.
func CompleteFlag(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is declared a line above
	}
}

// WritingError names the file as it was typed, once.
func WritingError(name string, err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		err = fault.Err
	}
	return fmt.Errorf("writing %s: %w", name, err)
}

// Thousands writes a number as people do: 5,000.
func Thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
