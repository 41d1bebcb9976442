package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// setup settles what the sandbox is like.
func (o *options) setup(ctx context.Context, env *command.Env, cfg *config.Config) (sandbox.Config, error) {
	c := sandbox.Config{
		RequireScheme: o.requireScheme, AllowTargets: o.allowTargets, Now: env.Now, NewID: env.NewID,
		Warn: func(text string) { fmt.Fprintln(env.Err, "wsk: warning: "+ui.Clean(text)) },
	}
	var err error
	if c.Companies, err = o.companies(ctx, env, cfg); err != nil {
		return c, err
	}
	if o.data != "" {
		c.Data = env.Path(o.data)
	}
	if o.noLimits {
		c.Limits = []deliver.Limit{}
	}
	if c.Tolerance, err = command.Tolerance(cfg); err != nil {
		return c, err
	}
	if c.Timeout, err = command.ParseDuration(cfg.Timeout, "timeout"); err != nil {
		return c, err
	}
	if c.Speed, err = command.ParseSpeed(o.speed); err != nil {
		return c, err
	}
	catalog, err := o.settings.Catalog(env, cfg)
	if err != nil {
		return c, err
	}
	if c.Linter, err = lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Catalog: catalog}); err != nil {
		return c, err
	}
	return c, nil
}

// companies are those of --config, or one with the key and the secret that hold
// for every command. --subscribe adds to the first.
func (o *options) companies(ctx context.Context, env *command.Env, cfg *config.Config) ([]sandbox.Company, error) {
	list := []sandbox.Company{{}}
	var err error
	if o.config != "" {
		list, err = o.configured(ctx, env)
	} else {
		list[0].Keys, err = o.key(env, cfg)
	}
	if err != nil {
		return nil, err
	}
	for _, target := range o.subscribe {
		list[0].Subscriptions = append(list[0].Subscriptions, sandbox.Subscription{URL: target})
	}
	return list, nil
}

// configured reads the companies of --config.
func (o *options) configured(ctx context.Context, env *command.Env) ([]sandbox.Company, error) {
	for _, name := range []string{"api-key", "secret", "secret-file"} {
		if o.settings.Cmd.Flags().Changed(name) {
			return nil, fmt.Errorf("--config and --%s contradict each other: the file says the keys and their secrets", name)
		}
	}
	raw, err := env.Read(ctx, o.config)
	if err != nil {
		return nil, err
	}
	list, err := sandbox.ReadCompanies(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.config, err)
	}
	return list, nil
}

// key is the API key with its secret; what is not given is made up.
func (o *options) key(env *command.Env, cfg *config.Config) ([]sandbox.Key, error) {
	key, err := cfg.Credential(cfg.APIKey)
	if err != nil {
		return nil, err
	}
	if _, err := webhook.ParsePair(webhook.HeaderAPIKey + ": " + key); err != nil {
		return nil, errors.New("the API key holds a line break or a control character")
	}
	if o.settings.Cmd.Flags().Changed("api-key") && key == "" {
		return nil, errors.New("--api-key is empty: leave it out for one that is made up")
	}
	secrets, _, err := o.settings.Keys(env, cfg)
	switch {
	case err != nil:
		return nil, err
	case len(secrets) > 1:
		return nil, errors.New("there is more than one secret, and a sandbox signs and verifies with one: give --secret once")
	case len(secrets) == 0:
		return []sandbox.Key{{Key: key}}, nil
	}
	return []sandbox.Key{{Key: key, Secret: secrets[0].Reveal()}}, nil
}
