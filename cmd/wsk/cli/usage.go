package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printUsage writes how cmd is typed, and what it takes. It is a function and
// not a cobra template, because text/template looks methods up by name: with it
// in the binary the linker keeps every exported method, megabytes of them.
func printUsage(cmd *cobra.Command) error {
	// The flags come first: asking for them is what tells cmd of its parents'.
	local, inherited := cmd.LocalFlags(), cmd.InheritedFlags()
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s", usageLine(cmd))
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n\nExamples:\n%s", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		writeCommands(&b, cmd)
	}
	writeFlags(&b, "Flags:", local)
	writeFlags(&b, "Flags of every command:", inherited)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\n\"%s COMMAND --help\" says more about a command.", cmd.CommandPath())
	}
	_, err := fmt.Fprintln(cmd.OutOrStderr(), b.String())
	return err
}

func usageLine(cmd *cobra.Command) string {
	if cmd.Runnable() {
		return cmd.UseLine()
	}
	return cmd.CommandPath() + " COMMAND"
}

// writeCommands lists the commands below cmd by their groups, where it has any.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	for _, group := range cmd.Groups() {
		fmt.Fprintf(w, "\n\n%s", group.Title)
		for _, c := range cmd.Commands() {
			// To cobra its own help command is not an available one.
			if c.GroupID == group.ID && (c.IsAvailableCommand() || c.Name() == "help") {
				writeCommand(w, c)
			}
		}
	}
	if len(cmd.Groups()) > 0 {
		return
	}
	fmt.Fprint(w, "\n\nCommands:")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			writeCommand(w, c)
		}
	}
}

func writeCommand(w io.Writer, c *cobra.Command) {
	fmt.Fprintf(w, "\n  %-*s %s", c.NamePadding(), c.Name(), c.Short)
}

func writeFlags(w io.Writer, title string, flags *pflag.FlagSet) {
	if flags.HasAvailableFlags() {
		fmt.Fprintf(w, "\n\n%s\n%s", title, strings.TrimRightFunc(flags.FlagUsagesWrapped(80), unicode.IsSpace))
	}
}
