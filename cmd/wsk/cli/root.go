// Package cli assembles the commands of wsk into a tree and maps each error to
// an exit code. Every command is a package below this one, with a constructor
// New that declares its flags and a function that reads, asks the packages
// under pkg, and writes.
//
// A command receives its streams, clock and environment in an Env of package
// command. [Main] runs a command line and returns the exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/cli/check"
	"github.com/wskdev/wsk/cmd/wsk/cli/completion"
	"github.com/wskdev/wsk/cmd/wsk/cli/config"
	"github.com/wskdev/wsk/cmd/wsk/cli/demo"
	"github.com/wskdev/wsk/cmd/wsk/cli/events"
	"github.com/wskdev/wsk/cmd/wsk/cli/journal"
	"github.com/wskdev/wsk/cmd/wsk/cli/lint"
	"github.com/wskdev/wsk/cmd/wsk/cli/listen"
	"github.com/wskdev/wsk/cmd/wsk/cli/render"
	"github.com/wskdev/wsk/cmd/wsk/cli/replay"
	"github.com/wskdev/wsk/cmd/wsk/cli/sandbox"
	"github.com/wskdev/wsk/cmd/wsk/cli/send"
	"github.com/wskdev/wsk/cmd/wsk/cli/trigger"
	"github.com/wskdev/wsk/cmd/wsk/cli/verify"
	"github.com/wskdev/wsk/cmd/wsk/cli/version"
	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, env *command.Env, args []string) int {
	out := command.NewCheckedWriter(env.Out)
	world := *env
	world.Out = out
	root := NewRoot(&world)
	root.SetArgs(joinSecrets(args))
	cmd, err := root.ExecuteContextC(ctx)
	if fault := out.Err(); fault != nil && exitCode(err) != exitInterrupted {
		err = writingError(cmd, fault)
	}
	if text := command.Message(err); text != "" {
		fmt.Fprintln(env.Err, "wsk: "+ui.CleanLines(text))
	}
	return exitCode(err)
}

// lists are the commands that only print: they do nothing, and their exit code
// judges nothing. A reader may close stdout after the lines that it needs.
var lists = []string{
	"wsk events list", "wsk events show", "wsk events example", "wsk events schema",
	"wsk journal list", "wsk journal show", "wsk journal export", "wsk journal path",
	"wsk sandbox status", "wsk sandbox records", "wsk sandbox deliveries",
	"wsk config show", "wsk render init", "wsk sign", "wsk completion", "wsk version", "wsk help",
	"wsk", "wsk events", "wsk journal", "wsk config", // these print their help
}

// writingError returns the error of a command whose output could not be written.
func writingError(cmd *cobra.Command, fault error) error {
	if !errors.Is(fault, syscall.EPIPE) {
		return fmt.Errorf("writing the result: %w", fault)
	}
	if slices.Contains(lists, cmd.CommandPath()) {
		return nil
	}
	for _, flag := range []string{"help", "list", "rules"} { // with these, any command only prints
		if given, err := cmd.Flags().GetBool(flag); err == nil && given {
			return nil
		}
	}
	return errors.New("writing the result: the reader of stdout closed it")
}

// more is the title of the group that help itself belongs to.
const more = "More:"

// NewRoot returns the tree of commands.
func NewRoot(env *command.Env) *cobra.Command {
	showVersion := false
	root := &cobra.Command{
		Use:   "wsk",
		Short: "The webhook workbench for WorkSkedge, Work Market and Worksome",
		Long: `wsk is the webhook workbench for WorkSkedge, Work Market and Worksome. It signs
and sends events, receives and verifies them, and explains why a signature
fails. Everything runs on your machine; no account is needed.`,
		Example: `  wsk demo                                     see an event make the round trip
  wsk listen --secret s3cret                   receive and verify on port 3000
  wsk send work_order.created -f order.json    sign an event and send it
  wsk verify -f body.json --timestamp 1764000000 --signature 5f2c…`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && showVersion:
				return version.Write(env)
			case len(args) == 0:
				return cmd.Help()
			}
			return fmt.Errorf(`%w; "wsk help" lists them`, command.UnknownCommand(cmd, args[0]))
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	// This is cobra's template, with flags wrapped for a terminal of 80 columns.
	root.SetUsageTemplate(strings.NewReplacer(".FlagUsages", ".FlagUsagesWrapped 80", "[command]", "COMMAND").Replace(root.UsageTemplate()))
	root.SetFlagErrorFunc(command.FlagError)
	global := root.PersistentFlags()
	global.BoolP("help", "h", false, "help for this command")
	global.String("color", "auto", "colour the text: `WHEN` is auto, on or off")
	global.String("profile", "", "use the settings of profile `NAME`")
	root.Flags().BoolVar(&showVersion, "version", false, "print the version, as wsk version does")
	command.CompleteFlag(root, "color", "auto", "on", "off")
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Send and receive:", []*cobra.Command{
			send.New(env), trigger.New(env), listen.New(env), replay.New(env), check.New(env),
			lint.New(env), render.New(env), sandbox.New(env), demo.New(env),
		}},
		{"Signatures:", []*cobra.Command{verify.New(env), verify.NewSign(env)}},
		{more, []*cobra.Command{events.New(env), journal.New(env), config.New(env), completion.New(env), version.New(env)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, c := range group.commands {
			c.GroupID = group.title
			root.AddCommand(c)
		}
	}
	visit(root, func(c *cobra.Command) {
		c.DisableFlagsInUseLine = true
		command.ExplainDurations(c)
		checkArgs := c.Args
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := command.CheckFlags(cmd)
			if err == nil && checkArgs != nil {
				err = checkArgs(cmd, args)
			}
			return err
		}
	})
	root.SetHelpCommandGroupID(more)
	checkHelpTopics(root)
	return root
}

// checkHelpTopics makes "wsk help" refuse what is no command. Cobra's own shows the
// help of the nearest command above it, with exit code 0.
func checkHelpTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Args = func(_ *cobra.Command, args []string) error {
			topic, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = command.UnknownCommand(topic, rest[0])
			}
			return err
		}
	}
}

func visit(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		visit(sub, do)
	}
}

// joinSecrets makes the value of --secret optional, which pflag cannot:
// "--secret VALUE" becomes "--secret=VALUE", and a --secret at the end or
// before another flag gets a value that makes wsk look for the secret
// elsewhere. What follows "--" stays as it is.
func joinSecrets(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return append(out, args[i:]...)
		case args[i] != "--secret":
			out = append(out, args[i])
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			i++
			out = append(out, "--secret="+args[i])
		default:
			out = append(out, "--secret="+command.AskForSecret)
		}
	}
	return out
}
