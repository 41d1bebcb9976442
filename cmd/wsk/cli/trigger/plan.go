package trigger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/wskdev/wsk/cmd/wsk/ui"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// plan settles everything. What cannot be sent is told here, before anything
// is.
func (o *options) plan(ctx context.Context, env *command.Env, cfg *config.Config, eventType string) (*command.DeliveryPlan, error) {
	t := &command.DeliveryPlan{}
	own, files, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return nil, err
	}
	if t.Definition, err = o.find(own, eventType); err != nil {
		return nil, err
	}
	if t.Schedule, t.Factor, err = o.schedule(t.Definition.Platform); err != nil {
		return nil, err
	}
	if t.Delivery, err = o.delivery(env, cfg, t.Definition); err != nil {
		return nil, err
	}
	if t.Given, err = o.payload.Read(ctx, env, t.Definition); err != nil {
		return nil, err
	}
	if t.Delivery.Event, err = o.payload.Event(env, t.Definition, t.Given, ""); err != nil {
		return nil, err
	}
	if _, err = t.Delivery.Request(env.Now()); err != nil || o.noLint {
		return t, err
	}
	return t, command.LintBeforeSending(env, files, &t.Delivery.Event)
}

// find looks the event up: --platform and --form say where, else it is an
// outbound event of WorkSkedge, or one that Worksome has.
func (o *options) find(own *webhook.Overlay, name string) (webhook.Definition, error) {
	platforms := []string{string(webhook.WorkSkedge), string(webhook.Worksome)}
	forms := []string{string(webhook.Outbound), string(webhook.Compact)}
	form := webhook.Form(o.form)
	switch {
	case o.platform != "" && o.platform != platforms[0] && o.platform != platforms[1]:
		return webhook.Definition{}, webhook.Unknown("platform", o.platform, platforms)
	case form != "" && form != webhook.Outbound && form != webhook.Compact:
		return webhook.Definition{}, webhook.Unknown("form", o.form, forms)
	case o.platform == platforms[1] && form != "":
		return webhook.Definition{}, errors.New("--form is for workskedge: worksome has one form")
	case o.platform == platforms[1]:
		return own.Lookup(webhook.Worksome, webhook.WorksomeForm, name)
	case form == "":
		form = webhook.Outbound
	}
	d, err := own.Lookup(webhook.WorkSkedge, form, name)
	if err == nil {
		return d, nil
	}
	other, worksomeErr := own.Lookup(webhook.Worksome, webhook.WorksomeForm, name)
	if worksomeErr == nil && o.platform == "" && o.form == "" {
		return other, nil
	}
	return d, elsewhere(own, form, name, err, worksomeErr)
}

// elsewhere says where a name is known that the form asked for does not have.
func elsewhere(own *webhook.Overlay, form webhook.Form, name string, err, worksomeErr error) error {
	has := func(f webhook.Form) bool {
		_, err := own.Lookup(webhook.WorkSkedge, f, name)
		return err == nil
	}
	var here, there *webhook.UnknownError
	switch {
	case form == webhook.Outbound && has(webhook.Compact):
		return fmt.Errorf("%w (--form compact has %s)", err, name)
	case form == webhook.Compact && has(webhook.Outbound):
		return fmt.Errorf("%w (--form outbound has %s)", err, name)
	case has(webhook.Inbound):
		return fmt.Errorf("%w (the platform receives %s: wsk send sends it there)", err, name)
	case worksomeErr == nil:
		return fmt.Errorf("%w (--platform worksome has %s)", err, name)
	case errors.As(err, &here) && here.Nearest == "" && errors.As(worksomeErr, &there) && there.Nearest != "":
		return worksomeErr
	}
	return err
}

// schedule reads --retries and --speed. The pauses are those at speed 1.
func (o *options) schedule(p webhook.Platform) (s deliver.Schedule, factor float64, err error) {
	s = deliver.PlatformSchedule(p)
	switch o.retries {
	case "platform":
	case "none":
		s = nil
	default:
		n, err := strconv.ParseUint(o.retries, 10, 16)
		if err != nil {
			return nil, 0, fmt.Errorf("--retries %q: write platform, none or a number", o.retries)
		}
		last := s[len(s)-1]
		for len(s) < int(n) {
			s = append(s, last)
		}
		s = s[:n]
	}
	factor, err = command.ParseSpeed(o.speed)
	return s, factor, err
}

// compressed says what a speed makes of the platform's pauses.
func compressed(s deliver.Schedule, factor float64) string {
	if math.IsInf(factor, 0) {
		return fmt.Sprintf("the schedule is compressed: no pauses in place of up to %s", ui.Duration(s.Total()))
	}
	return fmt.Sprintf("the schedule is compressed %g times: up to %s of pauses become %s", factor, ui.Duration(s.Total()), ui.Duration(s.Faster(factor).Total()))
}
