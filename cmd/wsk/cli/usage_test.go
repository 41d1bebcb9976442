package cli

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "tool COMMAND", Run: run, DisableFlagsInUseLine: true}
	root.SetUsageFunc(printUsage)
	root.PersistentFlags().String("color", "auto", "colour: `WHEN` is auto, on or off")
	root.AddGroup(&cobra.Group{ID: "a", Title: "First:"}, &cobra.Group{ID: "b", Title: "Then:"})
	root.SetHelpCommandGroupID("b")
	group := &cobra.Command{Use: "things", Short: "Look at things", GroupID: "a"}
	leaf := &cobra.Command{Use: "show NAME", Short: "Show one", Example: "  tool things show x", Run: run, DisableFlagsInUseLine: true}
	leaf.Flags().Bool("all", false, "show all of it")
	leaf.Flags().Bool("secretly", false, "hidden")
	if err := leaf.Flags().MarkHidden("secretly"); err != nil {
		t.Fatal(err)
	}
	group.AddCommand(leaf, &cobra.Command{Use: "lost", Hidden: true, Run: run})
	root.AddCommand(group, &cobra.Command{Use: "gone", GroupID: "b", Hidden: true, Run: run})
	root.InitDefaultHelpCmd()

	for _, tc := range []struct {
		cmd  *cobra.Command
		want string
	}{
		{root, `Usage:
  tool COMMAND

First:
  things      Look at things

Then:
  help        Help about any command

Flags:
      --color WHEN   colour: WHEN is auto, on or off (default "auto")

"tool COMMAND --help" says more about a command.
`},
		{group, `Usage:
  tool things COMMAND

Commands:
  show        Show one

Flags of every command:
      --color WHEN   colour: WHEN is auto, on or off (default "auto")

"tool things COMMAND --help" says more about a command.
`},
		{leaf, `Usage:
  tool things show NAME

Examples:
  tool things show x

Flags:
      --all   show all of it

Flags of every command:
      --color WHEN   colour: WHEN is auto, on or off (default "auto")
`},
	} {
		var out bytes.Buffer
		tc.cmd.SetOut(&out)
		if err := tc.cmd.Usage(); err != nil || out.String() != tc.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.cmd.CommandPath(), err, out.String(), tc.want)
		}
	}
}
