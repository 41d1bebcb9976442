package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

// noArgs and the like refuse what a command does not take, in wsk's words.
func ExactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return fmt.Errorf("%s is missing: %s", what, cmd.UseLine())
		case len(args) > n:
			return fmt.Errorf("unexpected argument %q: %s", args[n], cmd.UseLine())
		}
		return nil
	}
}

// MaxArgs takes n arguments or fewer.
func MaxArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return fmt.Errorf("unexpected argument %q: %s", args[n], cmd.UseLine())
		}
		return nil
	}
}

// AskForSecret is what a --secret with nothing after it stands for. No
// argument of a process can hold it.
const AskForSecret = "\x00"
