package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// triggerPlan is what is delivered, and when.
type triggerPlan struct {
	definition webhook.Definition
	given      content // of the payload
	delivery   *deliver.Delivery
	schedule   deliver.Schedule // at speed 1
	factor     float64          // that the pauses are divided by
}

// plan settles everything. What cannot be sent is told here, before anything
// is.
func (o *triggerOptions) plan(ctx context.Context, env *Env, cfg config.Config, eventType string) (*triggerPlan, error) {
	t := &triggerPlan{}
	own, files, err := o.settings.catalog(env, cfg)
	if err != nil {
		return nil, err
	}
	if t.definition, err = o.find(own, eventType); err != nil {
		return nil, err
	}
	if t.schedule, t.factor, err = o.schedule(t.definition.Platform); err != nil {
		return nil, err
	}
	if t.delivery, err = o.delivery(env, cfg, t.definition); err != nil {
		return nil, err
	}
	if t.given, err = o.payload.take(ctx, env, t.definition); err != nil {
		return nil, err
	}
	if t.delivery.Event, err = o.payload.event(env, t.definition, t.given, ""); err != nil {
		return nil, err
	}
	if _, err = t.delivery.Request(env.Now()); err != nil || o.noLint {
		return t, err
	}
	return t, lintBeforeSending(env, files, &t.delivery.Event)
}

// find looks the event up: --platform and --form say where, else it is an
// outbound event of WorkSkedge, or one that Worksome has.
func (o *triggerOptions) find(own *webhook.Overlay, name string) (webhook.Definition, error) {
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
func (o *triggerOptions) schedule(p webhook.Platform) (s deliver.Schedule, factor float64, err error) {
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
	factor, err = speed(o.speed)
	return s, factor, err
}

// speed reads a factor: 60x, 2.5x or 60; max is without bound.
func speed(text string) (float64, error) {
	if text == "max" {
		return math.Inf(1), nil
	}
	factor, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(factor >= 1) || math.IsInf(factor, 0) { // NaN is not at least 1 either
		return 0, fmt.Errorf("--speed %q: write a factor of 1 or more, such as 60x or 2.5x, or max", text)
	}
	return factor, nil
}

// compressed says what a speed makes of the platform's pauses.
func compressed(s deliver.Schedule, factor float64) string {
	if math.IsInf(factor, 0) {
		return fmt.Sprintf("the schedule is compressed: no pauses in place of up to %s", span(s.Total()))
	}
	return fmt.Sprintf("the schedule is compressed %g times: up to %s of pauses become %s", factor, span(s.Total()), span(s.Faster(factor).Total()))
}

// span writes a length of time without units that are zero: "1m", "7h21m".
func span(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(100 * time.Millisecond)
	} else {
		d = d.Round(time.Millisecond)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
