package verify

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/webhook"
)

type signOptions struct {
	settings *command.Settings
	output   command.Output

	file      string
	platform  string
	timestamp string
	id        string
	notifyURL string
	explain   bool
}

// NewSign returns the command wsk sign.
func NewSign(env *command.Env) *cobra.Command {
	o := &signOptions{}
	cmd := &cobra.Command{
		Use:   "sign [-f FILE|-] --secret VALUE [--timestamp T] [--scheme NAME]",
		Short: "Print the headers that sign a body",
		Long: `Print the headers that sign a body, one per line, ready for curl -H @FILE. The
body is signed byte for byte: a newline at its end counts.`,
		Example: `  wsk sign -f body.json --secret s3cret
  wsk sign -f body.json --secret s3cret --timestamp 1764000000 --explain
  wsk sign -f body.json --secret > signed
  curl -H @signed --data-binary @body.json http://127.0.0.1:3000`,
		Args: command.ExactArgs(0, ""),
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "-", "the body to sign: `FILE`, or - for stdin")
	f.StringVar(&o.timestamp, "timestamp", "", "sign at `T`, Unix seconds (default: now)")
	f.StringVar(&o.id, "id", "", "the webhook `ID`; scheme standard-webhooks signs it (default there: a new one)")
	f.BoolVar(&o.explain, "explain", false, "show what is signed, and how openssl signs the same")
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	command.Scheme(cmd, o.settings, &o.platform, &o.notifyURL)
	o.output.Add(cmd, "text", "json")
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, _ []string) error {
		return sign(ctx, env, cfg, o)
	})
	return cmd
}

// signed is the JSON that sign prints.
type signed struct {
	Scheme    string         `json:"scheme"`
	Timestamp string         `json:"timestamp,omitempty"`
	ID        string         `json:"id,omitempty"`
	Signature string         `json:"signature"`
	Headers   webhook.Header `json:"headers"`
}

// sign reads a body and writes the headers that sign it.
func sign(ctx context.Context, env *command.Env, cfg *config.Config, o *signOptions) error {
	secrets, _, err := o.settings.Keys(env, cfg)
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return command.ErrNoSecret
	}
	platform, err := command.ParsePlatform(o.platform)
	if err != nil {
		return err
	}
	scheme, err := command.SchemeOf(cfg, platform)
	if err != nil {
		return err
	}
	m := webhook.Message{ID: o.id, URL: o.notifyURL, Timestamp: o.timestamp}
	if m.Timestamp == "" {
		m.Timestamp = webhook.FormatTimestamp(env.Now())
	}
	if _, ok := m.Time(); !ok {
		return fmt.Errorf("timestamp %q must be Unix seconds: digits alone, without sign or leading zero", o.timestamp)
	}
	if m.ID == "" && scheme.Name() == webhook.StandardWebhooks {
		m.ID = "msg_" + env.NewID()
	}
	if m.Body, err = env.Read(ctx, o.file); err != nil {
		return err
	}
	if o.explain && o.output.Text() {
		return command.ExplainSignature(env.Out, o.output.Palette, &scheme, m, secrets[0])
	}
	headers, err := scheme.Headers(m, secrets[0])
	if err != nil {
		return err
	}
	if o.output.Text() {
		for _, h := range headers {
			fmt.Fprintf(env.Out, "%s: %s\n", h.Name, h.Value)
		}
		return nil
	}
	out := signed{Scheme: scheme.Name(), ID: m.ID, Signature: headers.Get(scheme.SignatureHeader()), Headers: headers}
	if scheme.TimestampHeader() != "" {
		out.Timestamp = m.Timestamp
	}
	return command.WriteJSON(env.Out, out)
}
