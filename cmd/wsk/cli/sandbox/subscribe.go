package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

func newSubscribe(env *command.Env) *cobra.Command {
	var flags askFlags
	var sub sandbox.Subscription
	var remove string
	cmd := &cobra.Command{
		Use:   "subscribe [URL]",
		Short: "Deliver a running sandbox's events to a URL, or list who gets them",
		Long: `Deliver what happens from now on to URL. Without a URL, list the subscriptions.
Deliveries are signed with the secret that holds here, else with the company's.`,
		Example: `  wsk sandbox subscribe http://127.0.0.1:3000
  wsk sandbox subscribe http://127.0.0.1:3000 --events project --form compact
  wsk sandbox subscribe http://127.0.0.1:3000 --api-key "$WSK_API_KEY"
  wsk sandbox subscribe
  wsk sandbox subscribe --remove sub_4k2j7q9x1m5n8b3v`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringArrayVar(&sub.Events, "events", nil, "deliver only events that match `GLOB`, 'work_order.*', or a category, work_order; repeatable")
	f.StringVar((*string)(&sub.Form), "form", "", "the envelope's `FORM`: outbound or compact (default outbound)")
	f.StringVar(&sub.APIKey, "api-key", "", "the subscriber's own API `KEY`: what is changed with it is not delivered")
	f.StringVar(&sub.Company, "company", "", "the events of the company `ID` (default: the first)")
	f.StringVar(&remove, "remove", "", "end the subscription `ID`")
	command.CompleteFlag(cmd, "form", string(webhook.Outbound), string(webhook.Compact))
	flags.add(cmd, env, func(ctx context.Context, s *asker, args []string) error {
		switch {
		case remove != "" && len(args) > 0:
			return fmt.Errorf("--remove and a URL contradict each other: %s", cmd.UseLine())
		case remove != "":
			raw, err := s.ask(ctx, http.MethodDelete, "subscriptions?id="+url.QueryEscape(remove), nil, new(struct{}))
			return s.told(raw, err, func() string { return remove + " gets nothing any more" })
		case len(args) == 0:
			var found []sandbox.SubscriptionStatus
			return s.list(ctx, "subscription", "subscriptions", nil, nil, &found, nil, func() error { return s.subscriptions(found) })
		}
		sub.URL = args[0]
		secrets, _, err := flags.settings.Keys(env, s.cfg)
		if err != nil {
			return err
		}
		if len(secrets) > 0 {
			sub.Secret = secrets[0].Reveal()
		}
		var answer sandbox.SubscribeResult
		raw, err := s.post(ctx, "subscriptions", sub, &answer)
		return s.told(raw, err, func() string { return webhook.RedactURL(sub.URL) + " is subscribed as " + answer.ID })
	}, "ndjson")
	flags.settings.Secret()
	return cmd
}

func (s *asker) subscriptions(subscriptions []sandbox.SubscriptionStatus) error {
	t := ui.Table{Width: s.env.Columns}
	for _, sub := range subscriptions {
		t.Row(ui.Cell{Text: sub.ID, Paint: s.p.Quiet}, ui.Cell{Text: string(sub.Form)}, ui.Cell{Text: ui.Or(sub.Events)}, ui.Cell{Text: sub.URL})
	}
	if len(subscriptions) == 0 {
		fmt.Fprintln(s.env.Err, "nobody is subscribed: wsk sandbox subscribe URL")
	}
	return t.Write(s.env.Out)
}
