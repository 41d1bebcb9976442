package render

import (
	"context"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/webhook"
)

// sending is how --send sends a request.
type sending struct {
	to      string // "": where the template says
	factor  float64
	timeout time.Duration
}

// sending reads the flags of --send, without it as well: a wrong one is reported.
func (o *options) sending(cfg *config.Config) (s sending, err error) {
	if o.to != "" {
		if s.to, err = command.ParseURL("--to", o.to); err != nil {
			return s, err
		}
	}
	if s.factor, err = command.ParseSpeed(o.speed); err != nil {
		return s, err
	}
	s.timeout, err = command.ParseDuration(cfg.Timeout, "timeout")
	return s, err
}

// deliver sends the request, with Work Market's one retry.
func (o *options) deliver(ctx context.Context, env *command.Env, s sending, event string, request webhook.Request) error {
	target := request.URL
	if s.to != "" {
		var err error
		if target, err = render.Retarget(target, s.to); err != nil {
			return err
		}
	}
	command.WarnPlainHTTP(env, target)
	if err := command.ConfirmRemote(ctx, env, "send", target, "1 request", o.yes); err != nil {
		return err
	}
	recorder, err := o.journal.Recorder(ctx, env)
	if err != nil {
		return err
	}
	defer recorder.Close()
	schedule := deliver.PlatformSchedule(webhook.WorkMarket)
	v := &command.DeliveryView{Env: env, P: o.output.Palette, Format: o.output.Format, Plan: &command.DeliveryPlan{Schedule: schedule, Factor: s.factor}}
	defer v.Close()
	d := deliver.Delivery{
		URL: target, Method: request.Method, Header: request.Header, Timeout: s.timeout, Unsigned: true,
		Event: webhook.Event{Platform: webhook.WorkMarket, Form: webhook.Template, Type: event, Raw: request.Body},
	}
	v.Begin(d)
	id := ""
	record, err := env.Client().Deliver(ctx, d, schedule.Faster(s.factor), func(step deliver.Step) {
		id = recorder.Store(ctx, &step.Record)
		v.Step(step)
	})
	if err := command.Unrecorded(ctx, err); err != nil {
		return err
	}
	v.End(record, id)
	return v.Result()
}
