package send

import (
	"fmt"
	"io"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// preview shows the request that would be sent.
func (o *options) preview(env *command.Env, p ui.Palette, d deliver.Delivery) error {
	at := env.Now()
	request, err := d.Request(at)
	if err != nil {
		return err
	}
	switch {
	case o.explain && o.output.Text():
		return command.ExplainSignature(env.Out, p, &d.Scheme, d.Message(at), d.Secret)
	case o.curl && o.output.Text():
		_, err = fmt.Fprintln(env.Out, ui.Curl(request))
		return err
	case o.output.Text():
		_, err = io.WriteString(env.Out, ui.Wire(request, p))
		return err
	}
	return webhook.NewEncoder(env.Out).Encode(webhook.Record{
		ID: env.RecordID(), Time: at, Direction: webhook.Sent, Platform: d.Event.Platform, Form: d.Event.Form,
		Event: d.Event.Type, WebhookID: d.WebhookID, Scheme: d.Scheme.Name(), Request: request,
	})
}
