package command

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// NewGroup returns a command that only holds others. Without one it prints its
// help; an unknown one is an error that names the nearest.
func NewGroup(group *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	group.Args = cobra.ArbitraryArgs
	group.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return UnknownCommand(cmd, args[0])
	}
	group.AddCommand(commands...)
	return group
}

// UnknownCommand returns the error for a name that is not a command below cmd.
func UnknownCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	return webhook.Unknown("command", name, known)
}

// ExactArgs accepts exactly n arguments; what names the one that may be missing.
func ExactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return fmt.Errorf("%s is missing: %s", what, cmd.UseLine())
		}
		return MaxArgs(n)(cmd, args)
	}
}

// MaxArgs accepts n arguments or fewer.
func MaxArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return fmt.Errorf("unexpected argument %q: %s", args[n], cmd.UseLine())
		}
		return nil
	}
}

// CompleteFlag lets the shell complete a flag's values.
func CompleteFlag(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is declared a line above
	}
}

// Output holds the flags --format and --json, and the colors of stdout.
type Output struct {
	Format  string
	Palette ui.Palette // set by [Settings.RunE]

	json  bool
	known []string
}

// Add declares the flags. The first of formats is the default.
func (o *Output) Add(cmd *cobra.Command, formats ...string) {
	o.known = formats
	f := cmd.Flags()
	f.StringVar(&o.Format, "format", formats[0], "print the result as `FORMAT`: "+ui.Or(formats))
	f.BoolVar(&o.json, "json", false, "short for --format json")
	CompleteFlag(cmd, "format", formats...)
}

// AddStream declares the flags of a server, whose result is a stream of records: one
// document would only be there at its end.
func (o *Output) AddStream(cmd *cobra.Command) {
	o.Add(cmd, "text", "json", "ndjson")
	cmd.Flags().Lookup("format").Usage = "print the result as `FORMAT`: text, or json or ndjson for one record a line"
}

// Choose sets Format from the two flags, and returns an error for an unknown
// format or two that differ.
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

// Text reports whether the result is for people.
func (o *Output) Text() bool { return o.Format == "text" }
