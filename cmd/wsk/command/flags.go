package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// exclusive is the annotation of a flag with the groups of flags of which only
// one may be given.
const exclusive = "wsk_exclusive"

// Exclusive makes flags contradict each other, any two of them.
func Exclusive(cmd *cobra.Command, flags ...string) {
	cmd.MarkFlagsMutuallyExclusive(flags...) // so that the shell offers only one
	group := strings.Join(flags, " ")
	for _, name := range flags {
		f := cmd.Flags().Lookup(name)
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[exclusive] = append(f.Annotations[exclusive], group)
	}
}

// CheckFlags returns an error for two flags that contradict each other, and for the
// name of a file or an address that is empty: what a script's variable would have
// named must not be left out unnoticed.
func CheckFlags(cmd *cobra.Command) (err error) {
	given := map[string]string{} // by group: a flag of it
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && namesPlace(f) && isEmpty(f.Value) {
			err = fmt.Errorf("--%s is empty: is a variable not set?", f.Name)
		}
		for _, group := range f.Annotations[exclusive] {
			if other := given[group]; other != "" && err == nil {
				err = fmt.Errorf("--%s and --%s contradict each other: give one of them", other, f.Name)
			}
			given[group] = f.Name
		}
	})
	return err
}

// namesPlace reports whether the value of a flag is a file or an address, by its
// usage.
func namesPlace(f *pflag.Flag) bool {
	value, _ := pflag.UnquoteUsage(f)
	return slices.Contains([]string{"FILE", "DIR", "PATH", "URL", "ADDRESS"}, value)
}

func isEmpty(v pflag.Value) bool {
	if list, ok := v.(pflag.SliceValue); ok {
		return slices.Contains(list.GetSlice(), "")
	}
	return v.String() == ""
}

// FlagError returns the words for an error of the parser of flags.
func FlagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1:
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		err = webhook.Unknown("flag", "--"+unknown.GetSpecifiedName(), known)
	case errors.As(err, &invalid):
		err = fmt.Errorf("--%s %.60q is not %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid.GetFlag()))
	}
	return fmt.Errorf("%w; %q lists the flags", err, cmd.CommandPath()+" --help")
}

// wanted is what the value of a flag should have been, by its type.
func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return "true or false"
	case durationType:
		return "a duration: write " + durationForms
	case "uint16":
		return "a number from 0 to 65535"
	}
	return "a whole number"
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
