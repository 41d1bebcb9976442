package listen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// receiver returns the receiver that the flags and settings describe: what a request
// must prove, and what handles it.
func (o *options) receiver(env *command.Env, cfg *config.Config) (receive.Config, error) {
	c := receive.Config{SkipVerify: o.skipVerify, MaxBody: o.maxBody, DedupWindow: o.dedupWindow, Now: env.Now, NewID: env.RecordID}
	if o.maxBody <= 0 {
		return c, errors.New("--max-body must be greater than 0")
	}
	if err := command.CheckMaxConnections(o.maxConnections); err != nil {
		return c, err
	}
	if o.dedupWindow <= 0 {
		return c, errors.New("--dedup-window must be greater than 0")
	}
	if o.failFirst < 0 || o.delay < 0 || o.exitAfter < 0 || o.timeout < 0 {
		return c, errors.New("--fail-first, --delay, --exit-after and --timeout must not be negative")
	}
	c.Wants = o.wants
	var err error
	if c.Platform, err = command.ParsePlatform(o.platform); err != nil {
		return c, err
	}
	if c.Check, err = o.check(); err != nil {
		return c, err
	}
	if o.forwardTo != "" && o.forwardRetries == 0 { // otherwise the storage's forwarder forwards
		c.App = receive.Forward(env.Transport, o.forwardTo)
	}
	if c.Platform == webhook.WorkMarket {
		c.Unsigned, err = o.senderProof()
	} else {
		c.Verifier, err = o.verifier(env, cfg, c.Platform)
	}
	if err != nil {
		return c, err
	}
	if o.skipVerify {
		fmt.Fprintln(env.Err, "wsk: warning: --skip-verify accepts every request, whoever sent it")
	}
	if c.Unsigned != nil { // the catalog does not describe the requests of templates
		return c, nil
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return c, err
	}
	linter, err := lint.New(lint.Config{Catalog: catalog})
	if err != nil {
		return c, err
	}
	c.Check = linting(linter, o.strict, c.Check)
	return c, nil
}

// diagnosis returns what explains why a request is refused.
func diagnosis(v webhook.Verifier) func(webhook.Request, webhook.Reason) *webhook.Diagnosis {
	limiter := &diagnose.Limiter{}
	return func(r webhook.Request, reason webhook.Reason) *webhook.Diagnosis {
		return limiter.Refusal(v, r, reason)
	}
}

// checkEvents returns an error for a value of --events or --expect that no event can
// match.
func (o *options) checkEvents(env *command.Env, cfg *config.Config, c receive.Config, expected []string) error {
	if c.Unsigned != nil {
		for _, glob := range slices.Concat(o.events, expected) {
			if ok, _ := path.Match(glob, ""); !ok {
				return fmt.Errorf("%q in --events or --expect: Work Market's requests name no event; '*' matches them all", glob)
			}
		}
		return nil
	}
	if err := o.settings.CheckEvents(env, cfg, "--events", o.events, nil); err != nil {
		return err
	}
	if err := o.settings.CheckEvents(env, cfg, "--expect", expected, nil); err != nil {
		return err
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return err
	}
	selected := slices.DeleteFunc(command.EventTypes(catalog), func(name string) bool { return !o.wants(webhook.Event{Type: name}) })
	for _, glob := range expected {
		if webhook.CheckGlob("event", glob, selected) != nil {
			return fmt.Errorf("--expect %s: --events leaves that out, so it would never be counted", glob)
		}
	}
	return nil
}

// wants reports whether --events selects an event.
func (o *options) wants(e webhook.Event) bool {
	for _, glob := range o.events {
		if ok, _ := path.Match(glob, e.Type); ok { // checkEvents checked the glob
			return true
		}
	}
	return len(o.events) == 0
}

// verifier returns how signatures are verified. Accepting unverified requests
// requires --skip-verify.
func (o *options) verifier(env *command.Env, cfg *config.Config, platform webhook.Platform) (webhook.Verifier, error) {
	v := webhook.Verifier{URL: o.notifyURL}
	if len(o.requireHeader)+len(o.requireQuery) > 0 {
		return v, fmt.Errorf("--require-header and --require-query are for --platform workmarket: %s signs its requests", platform)
	}
	var err error
	if v.Scheme, err = command.SchemeOf(cfg, platform); err != nil {
		return v, err
	}
	if v.Tolerance, err = command.Tolerance(cfg); err != nil {
		return v, err
	}
	secrets, _, err := o.settings.Keys(env, cfg)
	switch {
	case err != nil:
		return v, err
	case o.skipVerify:
		return v, nil
	case len(secrets) == 0:
		return v, fmt.Errorf("%w; --skip-verify accepts requests unverified", command.ErrNoSecret)
	}
	// A secret that the scheme cannot use, and a URL that it needs, are errors now
	// rather than at the first request.
	for _, s := range secrets {
		if _, err := v.Scheme.Digest(webhook.Message{URL: v.URL}, s); err != nil {
			return v, err
		}
	}
	v.Secrets = secrets
	return v, nil
}

// senderProof returns what a request of Work Market, which does not sign, must contain.
func (o *options) senderProof() (*receive.Unsigned, error) {
	required := len(o.requireHeader)+len(o.requireQuery) > 0
	switch {
	case o.strict:
		return nil, errors.New("--strict checks events against the catalog, which does not describe Work Market's templates: leave it out")
	case required && o.skipVerify:
		return nil, errors.New("--skip-verify contradicts --require-header and --require-query: it accepts every request")
	case !required && !o.skipVerify:
		return nil, errors.New("workmarket does not sign: name what proves the sender with --require-header 'Authorization: …' or --require-query token=…, or accept every request with --skip-verify")
	}
	u := &receive.Unsigned{}
	var err error
	if u.Header, err = command.ParseHeaders(o.requireHeader); err != nil {
		return nil, fmt.Errorf("--require-header: %w", err)
	}
	for _, p := range u.Header {
		if p.Value == "" {
			return nil, fmt.Errorf("--require-header %s has no value, so it proves nothing", p.Name)
		}
	}
	for _, text := range o.requireQuery {
		name, value, _ := strings.Cut(text, "=")
		if name == "" || value == "" {
			return nil, errors.New("--require-query: write NAME=VALUE, neither of them empty")
		}
		u.Query = append(u.Query, webhook.Pair{Name: name, Value: value})
	}
	return u, nil
}

// check returns what answers verified requests, unless an app does.
func (o *options) check() (receive.App, error) {
	answer := receive.Always(http.StatusOK)
	if o.respond != 0 {
		answer = receive.Always(o.respond)
	}
	switch {
	case o.respond != 0 && o.forwardTo != "":
		return nil, errors.New("--respond and --forward-to contradict each other: only one can give the answer")
	case o.respond != 0 && (o.respond < 200 || o.respond > 599):
		return nil, fmt.Errorf("--respond %d: give a status from 200 to 599", o.respond)
	case o.forwardTo != "":
		var err error
		if o.forwardTo, err = command.ParseURL("--forward-to", o.forwardTo); err != nil {
			return nil, err
		}
	}
	if o.failFirst > 0 {
		answer = receive.FailFirst(o.failFirst, receive.DefaultMemory, answer)
	}
	if o.delay > 0 {
		answer = receive.Delay(o.delay, answer)
	}
	return answer, nil
}

// linting returns an App that records the findings of lint before it calls next. With
// strict it answers 422 to a body that has errors or is not an event of a platform.
func linting(l *lint.Linter, strict bool, next receive.App) receive.App {
	checkers := sync.Pool{New: func() any { return l.NewChecker() }}
	return func(ctx context.Context, e *webhook.Event, r *webhook.Record) webhook.Response {
		if r.Event == "" && !strict {
			return next(ctx, e, r)
		}
		checker, _ := checkers.Get().(*lint.Checker)
		result := checker.Check(r.Request.Body)
		for _, f := range result.Findings {
			r.Verdict.Findings = append(r.Verdict.Findings, webhook.Finding{Severity: f.Severity.String(), Rule: f.Rule, Pointer: f.Pointer, Message: f.Message})
		}
		count := result.Errors()
		checkers.Put(checker)
		if strict && count > 0 {
			r.Verdict.Outcome, r.Verdict.Reason = webhook.Refused, "lint"
			return receive.Status(http.StatusUnprocessableEntity)
		}
		return next(ctx, e, r)
	}
}
