// Package config implements wsk config: it shows the settings with their origins, and
// trusts a project's file.
package config

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// New returns the command.
func New(env *command.Env) *cobra.Command {
	return command.NewGroup(&cobra.Command{
		Use:   "config",
		Short: "Show the configuration, or trust a project's file",
		Long: `A value comes from the first of these that has it: a flag, the profile that
--profile names, the environment, .wsk.yaml in the working folder or above, the
user's config.yaml, a default. A profile chosen by $WSK_PROFILE or by a file has
the rank of the file that holds it.

` + settingsHelp(),
	}, newShow(env), newTrust(env))
}

func settingsHelp() string {
	text := "The settings, and the environment variables that set them:\n"
	for _, s := range config.Settings {
		text += fmt.Sprintf("\n  %-10s %-29s %s", s.Key, ui.Or(s.Env), s.Help)
	}
	return text + `

In a file, a secret or api_key may be env:NAME or file:PATH, and profiles:
holds a block of settings for each profile.`
}

func newShow(env *command.Env) *cobra.Command {
	o := &command.Output{}
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Print every setting and where it came from, secrets masked",
		Example: "  wsk config show\n  wsk config show --profile staging --json",
		Args:    command.ExactArgs(0, ""),
	}
	settings := command.NewSettings(cmd)
	o.Add(cmd, "text", "json")
	cmd.RunE = settings.RunE(env, o, func(_ context.Context, cfg *config.Config, _ []string) error {
		return showConfig(env, cfg, o)
	})
	return cmd
}

func showConfig(env *command.Env, cfg *config.Config, o *command.Output) error {
	if !o.Text() {
		return command.WriteJSON(env.Out, struct {
			Profile  string         `json:"profile,omitempty"`
			Settings []config.Shown `json:"settings"`
			Files    []*config.File `json:"files"`
		}{cfg.Profile, cfg.Show(), cfg.Files})
	}
	p := o.Palette
	var t ui.Table
	for _, s := range cfg.Show() {
		from := ui.Cell{Text: s.From, Paint: p.Quiet}
		if s.Refused {
			from = ui.Cell{Text: s.From + ", refused", Paint: p.Warn}
		}
		t.Row(ui.Cell{Text: s.Key, Paint: p.Name}, ui.Cell{Text: s.Value}, from)
	}
	if err := t.Write(env.Out); err != nil {
		return err
	}
	for _, f := range cfg.Files {
		if f.Kind == config.FromProject && !f.Trusted {
			fmt.Fprintf(env.Err, "\n%s is not trusted: it chooses no profile, and its secret, scheme, tolerance and references are refused. Review it, then run \"wsk config trust\".\n", ui.Clean(f.Path))
		}
	}
	return nil
}

func newTrust(env *command.Env) *cobra.Command {
	o := &command.Output{}
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Trust the project's .wsk.yaml as it is now",
		Long: `Trust the project's .wsk.yaml as it is now: let it choose a profile, a secret, a
scheme and a tolerance, follow its env: and file: references, and let keys,
secrets and credential headers go to the scheme, host and port that it names.
The file's path and digest are stored; the trust ends when the file changes.`,
		Example: "  cat .wsk.yaml && wsk config trust",
		Args:    command.ExactArgs(0, ""),
	}
	settings := command.NewSettings(cmd)
	o.Add(cmd, "text", "json")
	cmd.RunE = settings.RunE(env, o, func(_ context.Context, cfg *config.Config, _ []string) error {
		file, err := cfg.Trust()
		switch {
		case err != nil:
			return err
		case !o.Text():
			return command.WriteJSON(env.Out, struct {
				Path   string `json:"path"`
				Digest string `json:"digest"`
			}{file.Path, file.Digest})
		}
		_, err = fmt.Fprintf(env.Out, "trusted %s (SHA-256 %s…)\n", ui.Clean(file.Path), file.Digest[:16])
		return err
	})
	return cmd
}
