package cli

import (
	"errors"
	"fmt"
	"io/fs"
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

// settingFlags are the flags that a file and the environment can give as
// well. A command declares those that it takes.
type settingFlags struct {
	cmd     *cobra.Command
	secrets []string
	files   []string
	texts   map[string]*string // by setting
}

func newSettingFlags(cmd *cobra.Command) *settingFlags {
	return &settingFlags{cmd: cmd, texts: map[string]*string{}}
}

// text declares a flag for a setting.
func (s *settingFlags) text(key, usage string) {
	s.texts[key] = s.cmd.Flags().String(strings.ReplaceAll(key, "_", "-"), "", usage)
}

// secret declares --secret and --secret-file.
func (s *settingFlags) secret() {
	f := s.cmd.Flags()
	f.StringArrayVar(&s.secrets, "secret", nil,
		"the signing secret `VALUE`; repeat it for rotation. With nothing after it, it is taken from $WSK_SECRET, $WEBHOOK_SECRET or the profile, else asked for. A value on the command line can be seen by ps")
	f.StringArrayVar(&s.files, "secret-file", nil, "read a signing secret from `FILE`; repeatable")
}

// schemas declares --schemas.
func (s *settingFlags) schemas() {
	s.text("schemas", "schemas of your own in `DIR`, PLATFORM/FORM/EVENT.json; they go before the catalog's")
}

// catalog is the catalog with the schemas of --schemas before it; files is nil
// where there are none.
func (s *settingFlags) catalog(env *Env, cfg config.Config) (*webhook.Overlay, fs.FS, error) {
	dir := cfg.Path("schemas", env.Dir)
	if dir == "" {
		return nil, nil, nil
	}
	root, err := os.OpenRoot(dir) // a link may not lead out of it
	if err != nil {
		return nil, nil, fmt.Errorf("schemas, from the %s: %w", cfg.Value("schemas").Place(), err)
	}
	own, err := webhook.NewOverlay(root.FS())
	return own, root.FS(), err
}

// completeEvents completes an event's name, one's own events included.
func (s *settingFlags) completeEvents(env *Env, p webhook.Platform, f webhook.Form) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var own *webhook.Overlay
		if cfg, err := s.load(env); err == nil {
			own, _, _ = s.catalog(env, cfg) // a broken folder completes the catalog alone
		}
		var names []string
		for _, d := range own.Events(p, f) {
			names = append(names, d.Type)
		}
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
}

// begin is how a command with a result begins: it reads the configuration and
// settles the format.
func (s *settingFlags) begin(env *Env, output *outputFlags) (config.Config, error) {
	cfg, err := s.load(env)
	if err == nil {
		err = output.choose(s.cmd)
	}
	return cfg, err
}

// load reads the configuration under the flags that were given.
func (s *settingFlags) load(env *Env) (config.Config, error) {
	flags, profile := map[string][]string{}, ""
	s.cmd.Flags().Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if text, ok := s.texts[key]; ok {
			flags[key] = []string{*text}
		}
		switch key {
		case "color":
			flags[key] = []string{f.Value.String()}
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

var errNoSecret = errors.New("no secret: give --secret, --secret-file, $WSK_SECRET or $WEBHOOK_SECRET, or a secret in .wsk.yaml")

// keys returns the secrets that hold, with the value that each came from. None
// is no error here; a blank one is.
func (s *settingFlags) keys(env *Env, cfg config.Config) ([]webhook.Secret, []config.Value, error) {
	var values []config.Value
	for _, text := range s.secrets {
		if text != askForSecret {
			values = append(values, config.Value{Text: text, From: config.FromFlag, Name: "--secret"})
			continue
		}
		found, err := standing(env, cfg)
		if err != nil {
			return nil, nil, err
		}
		values = append(values, found...)
	}
	for _, path := range s.files {
		text, err := config.ReadSecretFile(env.path(path))
		if err != nil {
			return nil, nil, err
		}
		values = append(values, config.Value{Text: text, From: config.FromFlag, Name: "--secret-file " + path})
	}
	if len(values) == 0 {
		values = cfg.Values("secret")
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

// standing is what a --secret with nothing after it means: what is configured,
// else what the person types.
func standing(env *Env, cfg config.Config) ([]config.Value, error) {
	if found := cfg.Values("secret"); len(found) > 0 {
		return found, nil
	}
	if !env.InTTY {
		return nil, fmt.Errorf("%w (--secret stands alone, and %w)", errNoSecret, errNoTerminal)
	}
	fmt.Fprint(env.Err, "signing secret: ")
	text, err := env.ReadPassword()
	fmt.Fprintln(env.Err)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	return []config.Value{{Text: text, From: config.FromFlag, Name: "--secret"}}, nil
}

// duration reads a setting that is a length of time: "90s", "5m", or plain
// seconds.
func duration(v config.Value, key string) (time.Duration, error) {
	if seconds, err := strconv.ParseUint(v.Text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(v.Text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s %q is no length of time: write 300s, 5m or plain seconds (from the %s)", key, v.Text, v.Place())
	}
	return d, nil
}

// tolerance reads the setting of that name; "off" takes every age.
func tolerance(cfg config.Config) (time.Duration, error) {
	v := cfg.Value("tolerance")
	if v.Text == "off" {
		return webhook.AnyAge, nil
	}
	d, err := duration(v, "tolerance")
	if err == nil && d < time.Second {
		err = fmt.Errorf("tolerance %q is less than a second: use off to take every age", v.Text)
	}
	return d, err
}

// retries reads the setting of that name.
func retries(cfg config.Config) (int, error) {
	v := cfg.Value("retries")
	n, err := strconv.ParseUint(v.Text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("retries %q is not a number of attempts (from the %s)", v.Text, v.Place())
	}
	return int(n), nil
}

// platformNamed reads --platform.
func platformNamed(name string) (webhook.Platform, error) {
	var known []string
	for _, p := range webhook.Platforms() {
		if string(p) == name {
			return p, nil
		}
		known = append(known, string(p))
	}
	return "", webhook.Unknown("platform", name, known)
}

// schemeOf settles the scheme: what is configured, else the platform's own.
func schemeOf(cfg config.Config, p webhook.Platform) (webhook.Scheme, error) {
	name := cfg.Text("scheme")
	if name == "" {
		return webhook.SchemeFor(p), nil
	}
	s, err := webhook.SchemeNamed(name)
	return s.On(p), err
}

// scopeOf reads --platform and --form; an empty one stands for any.
func scopeOf(platform, form string) (webhook.Platform, webhook.Form, error) {
	if platform != "" {
		if _, err := platformNamed(platform); err != nil {
			return "", "", err
		}
	}
	if form != "" && !slices.Contains(formNames(), form) {
		return "", "", webhook.Unknown("form", form, formNames())
	}
	return webhook.Platform(platform), webhook.Form(form), nil
}
