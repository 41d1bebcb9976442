package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// AskForSecret is the value of a --secret without a value. No argument of a
// process can hold it.
const AskForSecret = "\x00"

// Names returns typed names, such as platforms, as flags have them.
func Names[T ~string](typed []T) []string {
	names := make([]string, len(typed))
	for i, name := range typed {
		names[i] = string(name)
	}
	return names
}

// PlatformNames lists the values of --platform.
func PlatformNames() []string { return Names(webhook.DefaultCatalog().Platforms()) }

// FormNames lists the values of --form.
func FormNames() []string { return Names(webhook.DefaultCatalog().Forms()) }

// ParseHeaders reads the values of -H, "Name: value".
func ParseHeaders(lines []string) (webhook.Header, error) {
	var h webhook.Header
	for _, line := range lines {
		pair, err := webhook.ParsePair(line)
		if err != nil {
			return nil, err
		}
		h = append(h, pair)
	}
	return h, nil
}

// Settings holds the flags of settings, which files and the environment can set as
// well. A command declares those that it uses.
type Settings struct {
	Cmd     *cobra.Command
	secrets []string
	files   []string
	texts   map[string]*string // by setting
}

// NewSettings returns the setting flags of a command, none of them declared yet.
func NewSettings(cmd *cobra.Command) *Settings {
	return &Settings{Cmd: cmd, texts: map[string]*string{}}
}

// String declares a flag for a setting.
func (s *Settings) String(key, usage string) {
	s.texts[key] = s.Cmd.Flags().String(strings.ReplaceAll(key, "_", "-"), "", usage)
}

// Duration declares a flag for a setting that is a duration.
func (s *Settings) Duration(key, usage string) {
	text := new(durationText)
	s.texts[key] = (*string)(text)
	s.Cmd.Flags().Var(text, key, usage)
}

// Secret declares --secret and --secret-file.
func (s *Settings) Secret() {
	f := s.Cmd.Flags()
	f.StringArrayVar(&s.secrets, "secret", nil,
		"the signing secret `VALUE`; repeat it for rotation. Without VALUE it is read from $WSK_SECRET, $WEBHOOK_SECRET or the profile, else from the terminal. ps shows a VALUE on the command line to other users")
	f.StringArrayVar(&s.files, "secret-file", nil, "read a signing secret from `FILE`; repeatable")
}

// Scheme declares --scheme. The usage is followed by the names of the schemes.
func (s *Settings) Scheme(usage string) {
	var names []string
	for _, known := range webhook.Schemes() {
		names = append(names, known.Name())
	}
	s.String("scheme", usage+": "+ui.Or(names))
	CompleteFlag(s.Cmd, "scheme", names...)
}

// Schemas declares --schemas.
func (s *Settings) Schemas() {
	s.String("schemas", "custom schemas in `DIR`, PLATFORM/FORM/EVENT.json; they precede the catalog's")
}

// Catalog returns the event catalog, with the custom schemas of --schemas in
// front of it.
func (s *Settings) Catalog(env *Env, cfg *config.Config) (*webhook.Catalog, error) {
	dir := cfg.Schemas.Path(env.Dir)
	if dir == "" {
		return webhook.DefaultCatalog(), nil
	}
	info, err := os.Stat(dir)
	var root *os.Root
	switch {
	case err == nil && !info.IsDir(): // opening a named pipe would wait
		err = errors.New("it is not a folder")
	case err == nil:
		root, err = os.OpenRoot(dir) // a symlink must not lead outside
	}
	if err != nil {
		return nil, fmt.Errorf("reading schemas %s: %w (from the %s)", cfg.Schemas.Text, config.Cause(err), cfg.Schemas.Place())
	}
	catalog, err := webhook.NewCatalog(root.FS())
	if err != nil {
		err = fmt.Errorf("%w (from the %s)", err, cfg.Schemas.Place())
	}
	return catalog, errors.Join(err, root.Close())
}

// CompleteEvents completes an event's name, custom events included.
func (s *Settings) CompleteEvents(env *Env, p webhook.Platform, f webhook.Form) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		catalog := webhook.DefaultCatalog()
		if cfg, err := s.Load(env); err == nil {
			if custom, err := s.Catalog(env, cfg); err == nil { // a broken folder completes the built-in events
				catalog = custom
			}
		}
		var names []string
		for _, d := range catalog.Events(p, f) {
			names = append(names, d.Type)
		}
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
}

// RunE returns the RunE of a command with a result: it reads the configuration,
// chooses the format and the colors of the output, and calls run.
func (s *Settings) RunE(env *Env, output *Output, run func(ctx context.Context, cfg *config.Config, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		cfg, err := s.Load(env)
		if err == nil {
			err = output.Choose(cmd)
		}
		if err == nil {
			output.Palette, err = Palette(env, cfg, env.OutTTY)
		}
		if err != nil {
			return err
		}
		return run(cmd.Context(), cfg, args)
	}
}

// Load reads the configuration, with the flags that were given.
func (s *Settings) Load(env *Env) (*config.Config, error) {
	flags, profile := map[string]string{}, ""
	s.Cmd.Flags().Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if text, ok := s.texts[key]; ok {
			flags[key] = *text
		}
		switch key {
		case "color":
			flags[key] = f.Value.String()
		case "profile":
			profile = f.Value.String()
		}
	})
	cfg, err := config.Load(config.Input{Dir: env.Dir, Lookup: env.Lookup, Flags: flags, Profile: profile})
	if err != nil {
		return cfg, err
	}
	for _, f := range cfg.Files {
		if f.Warning != "" {
			fmt.Fprintln(env.Err, "wsk: warning: "+ui.Clean(f.Warning))
		}
	}
	return cfg, nil
}

// ErrNoSecret is the error of a command that needs a secret and has none.
var ErrNoSecret = errors.New("no secret: give --secret, --secret-file, $WSK_SECRET or $WEBHOOK_SECRET, or a secret in .wsk.yaml")

// Keys returns the signing secrets with the setting that each came from. Having none
// is not an error; a blank one is.
func (s *Settings) Keys(env *Env, cfg *config.Config) ([]webhook.Secret, []config.Value, error) {
	var values []config.Value
	for _, text := range s.secrets {
		if text != AskForSecret {
			values = append(values, config.Value{Text: text, From: config.FromFlag, Name: "--secret"})
			continue
		}
		found, err := impliedSecrets(env, cfg)
		if err != nil {
			return nil, nil, err
		}
		values = append(values, found...)
	}
	for _, path := range s.files {
		text, err := config.ReadSecretFile(env.Path(path))
		if err != nil {
			return nil, nil, fmt.Errorf("--secret-file %s: %w", path, err)
		}
		values = append(values, config.Value{Text: text, From: config.FromFlag, Name: "--secret-file " + path})
	}
	if len(values) == 0 {
		values = cfg.Secrets
	}
	if err := cfg.CheckTrust("secret", values...); err != nil {
		return nil, nil, err
	}
	var secrets []webhook.Secret
	for _, v := range values {
		text, err := cfg.Credential(v)
		if err != nil {
			return nil, nil, err
		}
		secret, err := webhook.NewSecret(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", v.Place(), err)
		}
		secrets = append(secrets, secret)
	}
	return secrets, values, nil
}

// impliedSecrets returns what a --secret without a value means: the configured
// secrets, else the one that is typed on the terminal.
func impliedSecrets(env *Env, cfg *config.Config) ([]config.Value, error) {
	if found := cfg.Secrets; len(found) > 0 {
		return found, nil
	}
	if !env.InTTY {
		return nil, fmt.Errorf("%w (--secret has no value, and %w)", ErrNoSecret, ErrNoTerminal)
	}
	fmt.Fprint(env.Err, "signing secret: ")
	text, err := env.ReadPassword()
	fmt.Fprintln(env.Err)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	return []config.Value{{Text: text, From: config.FromFlag, Name: "--secret"}}, nil
}

// Tolerance reads the setting tolerance; "off" accepts every age.
func Tolerance(cfg *config.Config) (time.Duration, error) {
	v := cfg.Tolerance
	if err := cfg.CheckTrust("tolerance", v); err != nil {
		return 0, err
	}
	if v.Text == "off" {
		return webhook.AnyAge, nil
	}
	d, err := ParseDuration(v, "tolerance")
	if err == nil && d < time.Second {
		err = fmt.Errorf("tolerance %q is less than a second: use off to accept every age", v.Text)
	}
	return d, err
}

// Retries reads the setting retries.
func Retries(cfg *config.Config) (int, error) {
	v := cfg.Retries
	n, err := strconv.ParseUint(v.Text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("retries %q is not a number of attempts (from the %s)", v.Text, v.Place())
	}
	return int(n), nil
}

// ParsePlatform reads --platform.
func ParsePlatform(name string) (webhook.Platform, error) {
	known := PlatformNames()
	if !slices.Contains(known, name) {
		return "", webhook.Unknown("platform", name, known)
	}
	return webhook.Platform(name), nil
}

// SchemeName returns the name of the configured scheme, or "". A scheme decides
// what a signature covers, so it must be trusted.
func SchemeName(cfg *config.Config) (string, error) {
	return cfg.Scheme.Text, cfg.CheckTrust("scheme", cfg.Scheme)
}

// SchemeOf returns the configured scheme, else the platform's.
func SchemeOf(cfg *config.Config, p webhook.Platform) (webhook.Scheme, error) {
	name, err := SchemeName(cfg)
	if err != nil {
		return webhook.Scheme{}, err
	}
	if name == "" {
		return webhook.SchemeFor(p), nil
	}
	s, err := webhook.SchemeNamed(name)
	return s.On(p), err
}

// ScopeOf reads --platform and --form; an empty one means any.
func ScopeOf(platform, form string) (webhook.Platform, webhook.Form, error) {
	if platform != "" {
		if _, err := ParsePlatform(platform); err != nil {
			return "", "", err
		}
	}
	if form != "" && !slices.Contains(FormNames(), form) {
		return "", "", webhook.Unknown("form", form, FormNames())
	}
	return webhook.Platform(platform), webhook.Form(form), nil
}

// Scheme declares --scheme, --platform and --notification-url.
func Scheme(cmd *cobra.Command, s *Settings, platform, notifyURL *string, platforms ...string) {
	s.Scheme("the signing scheme `NAME` (default: the platform's)")
	cmd.Flags().StringVar(platform, "platform", "workskedge", "the platform `NAME`; worksome signs by scheme body in the header Signature")
	cmd.Flags().StringVar(notifyURL, "notification-url", "", "the `URL` that scheme square signs over")
	CompleteFlag(cmd, "platform", append([]string{"workskedge", "worksome"}, platforms...)...)
}
