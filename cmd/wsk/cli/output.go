package cli

import (
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// outputFlags are --format and --json.
type outputFlags struct {
	format string
	json   bool
	known  []string
}

// add declares the flags; the first of formats is the default.
func (o *outputFlags) add(cmd *cobra.Command, formats ...string) {
	o.known = formats
	f := cmd.Flags()
	f.StringVar(&o.format, "format", formats[0], "print the result as `FORMAT`: "+list(formats))
	f.BoolVar(&o.json, "json", false, "short for --format json")
	complete(cmd, "format", formats...)
}

// choose settles the format.
func (o *outputFlags) choose(cmd *cobra.Command) error {
	if !slices.Contains(o.known, o.format) {
		return webhook.Unknown("format", o.format, o.known)
	}
	if o.json {
		if cmd.Flags().Changed("format") && o.format != "json" {
			return errors.New("--json and --format " + o.format + " contradict each other")
		}
		o.format = "json"
	}
	return nil
}

// text reports whether the result is for people.
func (o *outputFlags) text() bool { return o.format == "text" }

// palette settles the colour for stdout or stderr: --color, then NO_COLOR and
// CLICOLOR_FORCE, then whether the stream is a terminal.
func palette(env *Env, cfg config.Config, terminal bool) (ui.Palette, error) {
	switch choice := cfg.Text("color"); choice {
	case "on":
		return ui.Palette{Color: true}, nil
	case "off":
		return ui.Palette{}, nil
	case "auto":
	default:
		return ui.Palette{}, webhook.Unknown("colour mode", choice, []string{"auto", "on", "off"})
	}
	if env.getenv("NO_COLOR") != "" {
		return ui.Palette{}, nil
	}
	if force := env.getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return ui.Palette{Color: true}, nil
	}
	return ui.Palette{Color: terminal && env.getenv("TERM") != "dumb"}, nil
}

// writeJSON writes one value as one line, with nothing in it that a terminal
// would obey.
func writeJSON(w io.Writer, v any) error {
	line, err := webhook.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// checkedWriter remembers the first error, so that a full disk behind stdout
// does not pass for success.
type checkedWriter struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (c *checkedWriter) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}

// failed is the first error. A write that nobody ever read has none.
func (c *checkedWriter) failed() error {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	return c.err
}

// list joins words as people do: "a, b or c".
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " or " + words[1]
	default:
		return words[0] + ", " + list(words[1:])
	}
}

// complete gives a flag's values to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is declared a line above
	}
}
