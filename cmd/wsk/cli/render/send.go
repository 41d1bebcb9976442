package render

import (
	"context"
	"fmt"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/webhook"
)

// deliver sends the request, with Work Market's one retry.
func (o *options) deliver(ctx context.Context, env *command.Env, cfg *config.Config, event string, request webhook.Request) error {
	target := request.URL
	if o.to != "" {
		if err := deliver.CheckURL(o.to); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
		var err error
		if target, err = render.Retarget(target, o.to); err != nil {
			return err
		}
	}
	command.WarnPlainHTTP(env, target)
	factor, err := command.ParseSpeed(o.speed)
	if err != nil {
		return err
	}
	timeout, err := command.ParseDuration(cfg.Timeout, "timeout")
	if err != nil {
		return err
	}
	if err := command.ConfirmRemote(ctx, env, "send", target, "1 request", o.yes); err != nil {
		return err
	}
	recorder, err := o.journal.Recorder(ctx, env)
	if err != nil {
		return err
	}
	defer recorder.Close()
	schedule := deliver.PlatformSchedule(webhook.WorkMarket)
	v := &command.DeliveryView{Env: env, P: o.output.Palette, Format: o.output.Format, Plan: &command.DeliveryPlan{Schedule: schedule, Factor: factor}}
	defer v.Close()
	d := deliver.Delivery{
		URL: target, Method: request.Method, Header: request.Header, Timeout: timeout, Unsigned: true,
		Event: webhook.Event{Platform: webhook.WorkMarket, Form: webhook.Template, Type: event, Raw: request.Body},
	}
	v.Begin(d)
	id := ""
	record, err := env.Client().Deliver(ctx, d, schedule.Faster(factor), func(s deliver.Step) {
		id = recorder.Store(ctx, &s.Record)
		v.Step(s)
	})
	if err := command.Unrecorded(ctx, err); err != nil {
		return err
	}
	v.End(record, id)
	return v.Result()
}
