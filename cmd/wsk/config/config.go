// Package config reads flags, the environment and the configuration files,
// and returns one plain [Config] in which each value knows its origin.
//
// A value comes from the first of these that has it: a flag, the profile that
// --profile names, the environment, the project's .wsk.yaml (in the working
// folder or the nearest one above), the user's config.yaml, a default. A profile
// that the environment or a file chooses has the rank of the file that holds
// it; there, its values precede the file's own.
//
// A project's file comes with a repository, so it is not trusted until its user
// trusts it: see [Config.CheckTrust], [Config.CheckTarget] and [Config.Trust].
//
// Viper reads the files. It merges its sources into one value without an
// origin, so precedence and trust are decided here.
package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Setting describes one thing that can be configured.
type Setting struct {
	Key     string   // its name in a file; a flag has hyphens for the underscores
	Env     []string // its variables; the first that is set counts
	Default string
	Secret  bool   // it is masked when shown, and may refer to env:NAME or file:PATH
	Help    string // one line for people
}

// Settings lists every setting in the order in which they are shown. Do not
// change it.
var Settings = []Setting{
	{Key: "url", Env: []string{"WSK_URL"}, Help: "the URL that send delivers to"},
	{Key: "api_key", Env: []string{"WSK_API_KEY"}, Secret: true, Help: "the platform's API key"},
	{Key: "secret", Env: []string{"WSK_SECRET", "WEBHOOK_SECRET"}, Secret: true, Help: "the signing secret; a list in a file"},
	{Key: "scheme", Env: []string{"WSK_SCHEME"}, Help: "the signing scheme"},
	{Key: "source", Env: []string{"WSK_SOURCE"}, Default: "custom", Help: "X-Webhook-Source: whose rules verify"},
	{Key: "origin", Env: []string{"WSK_ORIGIN"}, Default: "wsk", Help: "the source member of an envelope"},
	{Key: "tolerance", Env: []string{"WSK_TOLERANCE"}, Default: "300s", Help: "how far a timestamp may be from now"},
	{Key: "timeout", Env: []string{"WSK_TIMEOUT"}, Default: "30s", Help: "the time limit of one attempt"},
	{Key: "retries", Env: []string{"WSK_RETRIES"}, Default: "0", Help: "attempts after the first"},
	{Key: "schemas", Env: []string{"WSK_SCHEMAS"}, Help: "a folder of custom schemas"},
	{Key: "color", Env: []string{"WSK_COLOR"}, Default: "auto", Help: "auto, on or off"},
}

// Origin is the kind of place that a value came from.
type Origin string

// The origins, in order of precedence.
const (
	FromFlag    Origin = "flag"
	FromEnv     Origin = "environment"
	FromProject Origin = "project file"
	FromUser    Origin = "user file"
	FromDefault Origin = "default"
)

// Value is one value of a setting and where it came from. The zero Value means
// that the setting has none.
type Value struct {
	Text    string
	From    Origin
	Name    string // the flag, the variable or the path of the file; "" for a default
	Profile string // the profile within the file
}

// Place describes where the value came from, for people.
func (v Value) Place() string {
	place := string(v.From)
	if v.Name != "" {
		place += " " + v.Name
	}
	if v.Profile != "" {
		place += ", profile " + v.Profile
	}
	return place
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return v.Text == "" && v.From == "" }

// Path returns the value as the path of a file or folder. A relative one starts
// at the folder of the file that names it, otherwise at the working folder dir.
func (v Value) Path(dir string) string {
	if v.Text == "" || filepath.IsAbs(v.Text) {
		return v.Text
	}
	if v.From == FromProject || v.From == FromUser {
		dir = filepath.Dir(v.Name)
	}
	return filepath.Join(dir, v.Text)
}

// Config is the configuration of one run: the value of every setting, or the
// zero Value.
type Config struct {
	URL       Value
	APIKey    Value
	Secrets   []Value // several while a secret is rotated
	Scheme    Value
	Source    Value
	Origin    Value
	Tolerance Value
	Timeout   Value
	Retries   Value
	Schemas   Value
	Color     Value

	Profile string  // the chosen profile, or ""
	Files   []*File // the project's and the user's, those that exist

	refused string               // the profile that a project's file chooses, and may not
	values  map[string][][]Value // by setting: what each origin has, in order of precedence
	lookup  func(string) (string, bool)
}

// Input is what [Load] reads from.
type Input struct {
	Dir     string                           // the working folder
	Lookup  func(name string) (string, bool) // the environment
	Flags   map[string]string                // by setting: the flags that were given
	Profile string                           // --profile
}

// Load reads the files and resolves every setting. An error names the file and
// the place in it. References (env:NAME, file:PATH) are not followed: see
// [Config.Credential].
func Load(in Input) (*Config, error) {
	c := &Config{values: map[string][][]Value{}, lookup: in.Lookup}
	if err := c.readFiles(in.Dir); err != nil {
		return nil, err
	}
	if err := c.chooseProfile(in.Profile); err != nil {
		return nil, err
	}
	for _, s := range Settings {
		c.values[s.Key] = c.origins(s, in)
	}
	c.URL = c.first("url")
	c.APIKey = c.first("api_key")
	c.Secrets = c.all("secret")
	c.Scheme = c.first("scheme")
	c.Source = c.first("source")
	c.Origin = c.first("origin")
	c.Tolerance = c.first("tolerance")
	c.Timeout = c.first("timeout")
	c.Retries = c.first("retries")
	c.Schemas = c.first("schemas")
	c.Color = c.first("color")
	return c, nil
}

// readFiles reads the project's file and the user's, where they exist.
func (c *Config) readFiles(dir string) error {
	if path := findProject(dir); path != "" {
		file, err := readFile(path, FromProject)
		if err != nil {
			return err
		}
		if file != nil {
			trusted, err := readTrust(c.trustPath())
			if err != nil {
				return err
			}
			file.Trusted = trusted[file.Path] == file.Digest
			c.Files = append(c.Files, file)
		}
	}
	if path := c.userPath(); path != "" {
		file, err := readFile(path, FromUser)
		if err != nil {
			return err
		}
		if file != nil {
			c.Files = append(c.Files, file)
		}
	}
	return nil
}

// userPath returns the path of the user's file, or "" without a home.
func (c *Config) userPath() string { return c.xdg("XDG_CONFIG_HOME", ".config", "config.yaml") }

// trustPath returns the path of the list of trusted files, or "" without a home.
func (c *Config) trustPath() string { return c.xdg("XDG_STATE_HOME", ".local/state", "trusted.json") }

func (c *Config) xdg(variable, fallback, name string) string {
	if base, ok := c.lookup(variable); ok && filepath.IsAbs(base) {
		return filepath.Join(base, "wsk", name)
	}
	if home := c.home(); home != "" {
		return filepath.Join(home, fallback, "wsk", name)
	}
	return ""
}

func (c *Config) home() string {
	home, _ := c.lookup("HOME")
	return home
}

func (c *Config) chooseProfile(flag string) error {
	c.Profile = flag
	if c.Profile == "" {
		c.Profile, _ = c.lookup("WSK_PROFILE")
	}
	var known []string
	for _, f := range c.Files {
		switch {
		case c.Profile != "":
		case f.Trusted:
			c.Profile = f.profile
		default:
			c.refused = f.profile
		}
		for name := range f.profiles {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	if c.Profile != "" && !slices.Contains(known, c.Profile) {
		return webhook.Unknown("profile", c.Profile, slices.Compact(known))
	}
	return nil
}

// origins lists what each origin has for a setting, in order of precedence.
func (c *Config) origins(s Setting, in Input) [][]Value {
	var list [][]Value
	add := func(from Value, texts ...string) {
		var values []Value
		for _, text := range texts {
			if full, err := deliver.CompleteURL(text); err == nil && s.Key == "url" {
				text = full // what is no URL is reported by the command that uses it
			}
			from.Text = text
			values = append(values, from)
		}
		if len(values) > 0 {
			list = append(list, values)
		}
	}
	addProfile := func(f *File) {
		add(Value{From: f.Kind, Name: f.Path, Profile: c.Profile}, f.profiles[c.Profile][s.Key]...)
	}
	if text, ok := in.Flags[s.Key]; ok {
		add(Value{From: FromFlag, Name: "--" + strings.ReplaceAll(s.Key, "_", "-")}, text)
	}
	if in.Profile != "" {
		for _, f := range c.Files {
			addProfile(f)
		}
	}
	for _, name := range s.Env {
		// An empty variable counts as unset. A secret that is set and empty is
		// kept, and refused later: a pipeline that lost its secret must not get
		// another one from a file.
		if text, ok := c.lookup(name); ok && (text != "" || s.Key == "secret") {
			add(Value{From: FromEnv, Name: name}, text)
		}
	}
	for _, f := range c.Files {
		if in.Profile == "" {
			addProfile(f)
		}
		add(Value{From: f.Kind, Name: f.Path}, f.settings[s.Key]...)
	}
	if s.Default != "" {
		add(Value{From: FromDefault}, s.Default)
	}
	return list
}

// all returns every value of the first origin that has any.
func (c *Config) all(key string) []Value {
	if list := c.values[key]; len(list) > 0 {
		return list[0]
	}
	return nil
}

func (c *Config) first(key string) Value {
	if values := c.all(key); len(values) > 0 {
		return values[0]
	}
	return Value{}
}

// Shown is one line of "wsk config show".
type Shown struct {
	Key   string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`

	// Refused reports that no command uses the value, because the project's file
	// that has it is not trusted.
	Refused bool `json:"refused,omitempty"`
}

// gated are the settings by which something is signed or verified: the commands that
// use them ask CheckTrust before.
var gated = []string{"secret", "scheme", "tolerance"}

// Show lists every setting that has a value, with secrets masked. References
// are shown as they are written.
func (c *Config) Show() []Shown {
	var list []Shown
	for _, s := range Settings {
		for _, v := range c.all(s.Key) {
			text := v.Text
			switch {
			case s.Secret && !isReference(text):
				text = webhook.Redacted
			case s.Key == "url":
				text = webhook.RedactURL(text)
			}
			refused := v.From == FromProject && (slices.Contains(gated, s.Key) || isReference(v.Text)) && c.CheckTrust(s.Key, v) != nil
			list = append(list, Shown{s.Key, text, v.Place(), refused})
		}
	}
	return list
}

// String keeps a Config that is printed by accident from showing a secret.
func (c *Config) String() string { return fmt.Sprintf("config of %d files", len(c.Files)) }
