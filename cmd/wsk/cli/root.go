package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	"github.com/wskdev/wsk/pkg/webhook"
)

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, env *command.Env, args []string) int {
	out := &command.CheckedWriter{W: env.Out}
	world := *env
	world.Out = out
	root := NewRoot(&world)
	root.SetArgs(joinSecrets(args))
	err := root.ExecuteContext(ctx)
	if fault := out.Failed(); fault != nil && exitCode(err) != exitInterrupted {
		err = fmt.Errorf("writing the result: %w", fault)
	}
	if text := command.Message(err); text != "" {
		fmt.Fprintln(env.Err, "wsk: "+ui.CleanLines(text))
	}
	return exitCode(err)
}

// NewRoot returns the command tree over env.
func NewRoot(env *command.Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "wsk COMMAND",
		Short: "The webhook workbench for WorkSkedge, Work Market and Worksome",
		Long: `wsk is the webhook workbench for WorkSkedge, Work Market and Worksome. It signs
and sends events, receives and verifies them, and says why a signature fails.
Everything runs on your machine; no account is needed.`,
		Example: `  wsk demo                                     see an event make the round trip
  wsk listen --secret s3cret                   receive and verify on port 3000
  wsk send work_order.created -f order.json    sign an event and send it
  wsk verify -f body.json --timestamp 1764000000 --signature 5f2c…`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var known []string
			for _, c := range cmd.Commands() {
				known = append(known, c.Name())
			}
			return fmt.Errorf(`%w; "wsk help" lists them`, webhook.Unknown("command", args[0], known))
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetUsageFunc(printUsage)
	root.SetFlagErrorFunc(flagError)
	global := root.PersistentFlags()
	global.BoolP("help", "h", false, "help for this command")
	global.String("color", "auto", "colour the text: `WHEN` is auto, on or off")
	global.String("profile", "", "use the settings of profile `NAME`")
	command.CompleteFlag(root, "color", "auto", "on", "off")
	root.AddGroup(
		&cobra.Group{ID: "events", Title: "Send and receive:"},
		&cobra.Group{ID: "signatures", Title: "Signatures:"},
		&cobra.Group{ID: "more", Title: "More:"},
	)
	for _, c := range []struct {
		group string
		cmd   *cobra.Command
	}{
		{"events", send.New(env)}, {"events", trigger.New(env)}, {"events", listen.New(env)}, {"events", replay.New(env)}, {"events", check.New(env)}, {"events", lint.New(env)}, {"events", render.New(env)}, {"events", sandbox.New(env)}, {"events", demo.New(env)},
		{"signatures", verify.New(env)}, {"signatures", verify.NewSign(env)},
		{"more", events.New(env)}, {"more", journal.New(env)}, {"more", config.New(env)}, {"more", completion.New(env)}, {"more", version.New(env)},
	} {
		c.cmd.GroupID = c.group
		root.AddCommand(c.cmd)
	}
	visit(root, func(c *cobra.Command) { c.DisableFlagsInUseLine = true })
	root.SetHelpCommandGroupID("more")
	return root
}

func visit(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		visit(sub, do)
	}
}

// flagError names the nearest flag and where the flags are listed.
func flagError(cmd *cobra.Command, err error) error {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	var missing *pflag.NotExistError
	if errors.As(err, &missing) && len(missing.GetSpecifiedName()) > 1 {
		err = webhook.Unknown("flag", "--"+missing.GetSpecifiedName(), known)
	}
	return fmt.Errorf("%w; %q lists the flags", err, cmd.CommandPath()+" --help")
}

// joinSecrets lets --secret take a value and stand alone: "--secret VALUE"
// becomes "--secret=VALUE", and a --secret that is followed by nothing or by
// another flag asks for one. What follows "--" is left alone.
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
