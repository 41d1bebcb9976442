// Package version implements wsk version.
package version

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &command.Output{}
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and Go version",
		Example: "  wsk version\n  wsk version --json",
		Args:    command.ExactArgs(0, ""),
	}
	o.Add(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.Choose(cmd); err != nil {
			return err
		}
		if !o.Text() {
			return command.WriteJSON(env.Out, command.ReadBuild())
		}
		return Write(env)
	}
	return cmd
}

// Write writes the version for people.
func Write(env *command.Env) error {
	b := command.ReadBuild()
	_, err := fmt.Fprintf(env.Out, "wsk %s\ncommit %s\n%s %s\n", b.Version, b.Commit, b.Go, b.Platform)
	return err
}
