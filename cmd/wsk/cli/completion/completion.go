// Package completion implements wsk completion, which prints shell completion scripts.
package completion

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Shells lists the supported shells.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Write writes the completion script of a shell.
func Write(root *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return webhook.Unknown("shell", shell, Shells())
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Long: `Print the script that completes wsk's commands, flags, events and values in
bash, zsh, fish or powershell.`,
		Example: `  source <(wsk completion bash)
  wsk completion zsh > "${fpath[1]}/_wsk"
  wsk completion fish > ~/.config/fish/completions/wsk.fish`,
		Args:      command.ExactArgs(1, "SHELL"),
		ValidArgs: Shells(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return Write(cmd.Root(), args[0], env.Out)
		},
	}
}
