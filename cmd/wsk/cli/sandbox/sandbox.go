// Package sandbox implements wsk sandbox: WorkSkedge on loopback, and the commands that
// ask a running one.
package sandbox

import (
	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/webhook"
)

// sandboxPort is where a sandbox listens unless told otherwise.
const sandboxPort = 4000

type options struct {
	settings *command.Settings
	output   command.Output

	host          string
	port          uint16
	data          string
	config        string
	subscribe     []string
	requireScheme string
	noLimits      bool
	speed         string
	allowTargets  bool
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "sandbox [--port N] [--data FILE] [--subscribe URL]… [-- CMD…]",
		Short: "Run the platform on this machine: no account, real answers",
		Long: `Run WorkSkedge on this machine. Events are POSTed to /webhooks/inbound and are
checked, kept and answered as on the platform: API key, signature, timestamp,
limits of 50 a minute and 1,000 an hour, required fields, what an event makes on
the way, and errors that name the field. What they change is delivered, signed,
to whoever is subscribed, by the platform's retry schedule, and never to the API
key that did it.

Without --api-key and --secret it makes up a pair and prints it. State is lost
at the end, unless --data names a file: then it goes on from there, deliveries
that wait included; limits are counted anew. --config sets up companies:

  companies:
    - id: comp_1
      api_keys: [{key: key_1, secret: s3cret, name: erp}]
      subscriptions:
        - {url: "http://127.0.0.1:3000", events: [work_order, project.closed],
           form: outbound, secret: s3cret, api_key: key_1}
      skills: [Concrete, Framing]
      employees: [{emp_number: EMP-1, name: Ann, email: a@example.com,
                   employee_type: site_lead}]
      work_types: [{code: REG, name: Regular Time, billable: true,
                    requires_work_order: true, default: true}]
      custom_fields: {work_order: [permit_number]}

The other commands ask a sandbox that runs. After -- stands a command that runs
while the sandbox is up, with $WSK_URL, $WSK_API_KEY and $WSK_SECRET set; when
it ends, the sandbox ends, with 1 if it failed.`,
		Example: `  wsk sandbox
  wsk sandbox --data box.db --subscribe http://127.0.0.1:3000
  wsk sandbox --config companies.yaml --speed 60x
  wsk sandbox --port 0 --no-limits -- npm test
  wsk sandbox advance 6h`,
		Args: func(cmd *cobra.Command, args []string) error {
			if before := cmd.ArgsLenAtDash(); before > 0 || before < 0 && len(args) > 0 {
				return command.UnknownCommand(cmd, args[0])
			}
			return nil
		},
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := o.settings.Begin(env, &o.output)
		if err != nil {
			return err
		}
		return runSandbox(cmd.Context(), env, cfg, o, args)
	}
	cmd.AddCommand(newStatus(env), newRecords(env), newDeliveries(env), newResend(env),
		newAdvance(env), newReset(env), newSubscribe(env), newPayroll(env))
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.host, "host", "127.0.0.1", "the `ADDRESS` to listen on; another than this machine's lets others send")
	f.Uint16Var(&o.port, "port", sandboxPort, "the port `N` to listen on; 0 picks a free one")
	f.StringVar(&o.data, "data", "", "keep the state in `FILE`, over restarts and crashes")
	f.StringVar(&o.config, "config", "", "set up the companies of `FILE`, in YAML")
	o.settings = command.NewSettings(cmd)
	o.settings.String("api_key", "the `KEY` that events are sent with (default: one that is made up)")
	o.settings.Secret()
	f.StringArrayVar(&o.subscribe, "subscribe", nil, "deliver all events to `URL`, signed with the same secret; repeatable")
	f.StringVar(&o.requireScheme, "require-scheme", "", "take signatures by scheme `NAME` alone: timestamp.body or body (default: both readings of the page)")
	o.settings.String("tolerance", "how far a timestamp may lie from now, a `DURATION`, or off (default 300s)")
	f.BoolVar(&o.noLimits, "no-limits", false, "take any number of requests")
	f.StringVar(&o.speed, "speed", "1x", "shorten the pauses between attempts by `FACTOR`, 60x or 2.5x, or max for none")
	o.settings.String("timeout", "the limit of one attempt of a delivery, a `DURATION` (default 30s)")
	f.BoolVar(&o.allowTargets, "allow-targets", false, "deliver to public addresses as well; private ones never")
	o.settings.Schemas()
	o.output.Add(cmd, "text", "json", "ndjson")
	command.CompleteFlag(cmd, "require-scheme", webhook.TimestampBody, webhook.BodyOnly)
	command.CompleteFlag(cmd, "speed", "60x", "max")
}
