package render

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/render"
)

type initOptions struct {
	contentType string
	out         string
	force       bool
}

func newInit(env *command.Env) *cobra.Command {
	o := &initOptions{}
	cmd := &cobra.Command{
		Use:   "init EVENT [--content-type json|xml|form] [-o FILE]",
		Short: "Write a template for an event, with all its variables",
		Example: `  wsk render init "Check In" > check-in.yaml
  wsk render init accepted --content-type xml -o accepted.yaml`,
		Args: command.ExactArgs(1, "EVENT"),
	}
	f := cmd.Flags()
	f.StringVar(&o.contentType, "content-type", "json", "the `TYPE` of the body: "+ui.Or(render.StarterTypes()))
	f.StringVarP(&o.out, "output", "o", "-", "write to `FILE`, complete or not at all; - is stdout")
	f.BoolVar(&o.force, "force", false, "replace FILE if it exists")
	command.CompleteFlag(cmd, "content-type", render.StarterTypes()...)
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		var events []string
		for _, d := range render.Events() {
			if len(args) == 0 && strings.HasPrefix(d.Type, typed) {
				events = append(events, d.Type+"\t"+render.Title(d))
			}
		}
		return events, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		text, err := render.Starter(args[0], o.contentType)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(env.Path(o.out)); o.out != "-" && err == nil && !o.force {
			return fmt.Errorf("%s exists: choose another name, or replace it with --force", o.out)
		}
		return command.WriteFile(env, o.out, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	return cmd
}
