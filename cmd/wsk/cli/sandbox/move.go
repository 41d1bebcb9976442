package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
)

func newAdvance(env *command.Env) *cobra.Command {
	var flags askFlags
	cmd := &cobra.Command{
		Use:   "advance DURATION",
		Short: "Move the clock of retries and limits on, so that what waits is due",
		Long: `Move the clock of retries and limits on. Attempts that are due then are made
before it answers. Timestamps stay those of the real time, so that signatures
are taken by receivers.`,
		Example: "  wsk sandbox advance 6h\n  wsk sandbox advance 1m --json",
		Args:    command.ExactArgs(1, "DURATION"),
	}
	flags.add(cmd, env, func(ctx context.Context, s *asker, args []string) error {
		var answer sandbox.AdvanceResult
		raw, err := s.post(ctx, "advance", sandbox.AdvanceRequest{Duration: args[0]}, &answer)
		return s.told(raw, err, func() string {
			return fmt.Sprintf("the clock is at %s; %s became due", answer.Clock.Local().Format(time.DateTime), ui.Plural(answer.Due, "attempt"))
		})
	})
	return cmd
}

func newReset(env *command.Env) *cobra.Command {
	var flags askFlags
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Empty a running sandbox, as it was at its first start; keys stay",
		Example: "  wsk sandbox reset",
		Args:    command.ExactArgs(0, ""),
	}
	flags.add(cmd, env, func(ctx context.Context, s *asker, _ []string) error {
		raw, err := s.post(ctx, "reset", struct{}{}, new(struct{}))
		return s.told(raw, err, func() string { return "records, deliveries and added subscriptions are gone; the keys are the same" })
	})
	return cmd
}

func newPayroll(env *command.Env) *cobra.Command {
	var flags askFlags
	var company string
	cmd := &cobra.Command{
		Use:   "payroll",
		Short: "Mark all locked timesheets as processed, as a payroll run does",
		Long: `Mark all locked timesheets as processed. Each raises timesheet.processed, and
two or more raise timesheets.processed.batch as well.`,
		Example: "  wsk sandbox payroll",
		Args:    command.ExactArgs(0, ""),
	}
	cmd.Flags().StringVar(&company, "company", "", "of the company `ID` (default: the first)")
	flags.add(cmd, env, func(ctx context.Context, s *asker, _ []string) error {
		var answer sandbox.ProcessResult
		raw, err := s.post(ctx, "timesheets/process", sandbox.ProcessRequest{Company: company}, &answer)
		return s.told(raw, err, func() string { return ui.Plural(answer.Processed, "timesheet") + " processed" })
	})
	return cmd
}
