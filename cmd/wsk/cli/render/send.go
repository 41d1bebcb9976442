package render

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// deliver sends what was rendered, with Work Market's one retry.
func (o *options) deliver(ctx context.Context, env *command.Env, cfg *config.Config, p ui.Palette, event string, request webhook.Request) error {
	target, err := redirected(request.URL, o.to)
	if err != nil {
		return err
	}
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
	j, err := o.journal.OpenOptional(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // what was put is on disk
	schedule := deliver.PlatformSchedule(webhook.WorkMarket)
	v := &command.DeliveryView{Env: env, P: p, Text: o.output.Text(), Plan: &command.DeliveryPlan{Schedule: schedule, Factor: factor}}
	d := deliver.Delivery{
		URL: target, Method: request.Method, Header: request.Header, Timeout: timeout,
		Event: webhook.Event{Platform: webhook.WorkMarket, Form: webhook.Template, Type: event, Raw: request.Body},
	}
	client := deliver.Client{Transport: env.Transport, Now: env.Now, NewID: env.RecordID, UserAgent: command.UserAgent()}
	v.Begin(&d)
	record, err := client.Deliver(ctx, d, schedule.Faster(factor), func(s deliver.Step) {
		command.StoreRecord(ctx, env, j, &s.Record)
		v.Step(s)
	})
	if err != nil {
		return err
	}
	v.End(record)
	return v.Result()
}

// redirected puts another scheme and host into a URL, and a path before its
// own.
func redirected(target, to string) (string, error) {
	if to == "" {
		return target, nil
	}
	if err := deliver.CheckURL(to); err != nil {
		return "", fmt.Errorf("--to: %w", err)
	}
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	other, err := url.Parse(to)
	if err != nil {
		return "", err
	}
	rest := u.EscapedPath()
	if u.RawQuery != "" {
		rest += "?" + u.RawQuery
	}
	base := url.URL{Scheme: other.Scheme, User: other.User, Host: other.Host}
	return base.String() + strings.TrimSuffix(other.EscapedPath(), "/") + rest, nil
}
