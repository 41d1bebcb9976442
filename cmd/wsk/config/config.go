package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Input is what Load reads from.
type Input struct {
	Dir     string                           // the working folder
	Lookup  func(name string) (string, bool) // the environment
	Flags   map[string][]string              // the settings that flags gave
	Profile string                           // --profile
}

// Value is one value and where it came from.
type Value struct {
	Text string
	From Kind
	Name string // the flag, the variable or the file; "" for a default
}

// Place says where the value came from, for people.
func (v Value) Place() string {
	if v.Name == "" {
		return string(v.From)
	}
	return string(v.From) + " " + v.Name
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return v.Text == "" && v.From == "" }

// Config is what holds. It is one pointer, because most of what a command does
// takes it.
type Config struct{ *settled }

type settled struct {
	Profile string
	Files   []*File // the project's, the user's: those that are there
	values  map[string][]Value
	all     map[string][]Value // with what was overruled, first to last
	lookup  func(string) (string, bool)
	home    string
}

// Load reads the files and settles every setting. An error names the file and
// the place. References (env:NAME, file:PATH) are not followed yet: see
// [Config.Credential].
func Load(in Input) (Config, error) {
	c := Config{&settled{values: map[string][]Value{}, all: map[string][]Value{}, lookup: in.Lookup}}
	c.home, _ = in.Lookup("HOME")
	if err := c.readFiles(in); err != nil {
		return c, err
	}
	if err := c.pickProfile(in.Profile); err != nil {
		return c, err
	}
	for _, s := range Settings() {
		layers := c.layers(s, in.Flags[s.Key])
		c.all[s.Key] = slices.Concat(layers...)
		for _, layer := range layers {
			if len(layer) > 0 {
				c.values[s.Key] = layer
				break
			}
		}
	}
	return c, nil
}

func (c *Config) readFiles(in Input) error {
	if path := findProject(in.Dir); path != "" {
		file, err := readFile(path, FromProject)
		if err != nil {
			return err
		}
		if file != nil {
			store, err := readTrust(c.TrustPath())
			if err != nil {
				return err
			}
			file.Trusted = store[file.Path] == file.Digest
			c.Files = append(c.Files, file)
		}
	}
	if path := c.UserPath(); path != "" {
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

// UserPath is where the user's file is looked for, or "" without a home.
func (c Config) UserPath() string { return c.xdg("XDG_CONFIG_HOME", ".config", "config.yaml") }

// TrustPath is where the trusted files are remembered, or "" without a home.
func (c Config) TrustPath() string { return c.xdg("XDG_STATE_HOME", ".local/state", "trusted.json") }

func (c Config) xdg(variable, fallback, name string) string {
	if base, ok := c.lookup(variable); ok && filepath.IsAbs(base) {
		return filepath.Join(base, "wsk", name)
	}
	if c.home == "" {
		return ""
	}
	return filepath.Join(c.home, fallback, "wsk", name)
}

func (c *Config) pickProfile(flag string) error {
	c.Profile = flag
	if c.Profile == "" {
		c.Profile, _ = c.lookup("WSK_PROFILE")
	}
	for _, f := range c.Files {
		if names := get(f.base, "profile"); c.Profile == "" && len(names) > 0 {
			c.Profile = names[0]
		}
	}
	if c.Profile == "" {
		return nil
	}
	var known []string
	for _, f := range c.Files {
		for name := range f.profiles {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	if !slices.Contains(known, c.Profile) {
		return webhook.Unknown("profile", c.Profile, slices.Compact(known))
	}
	return nil
}

// layers lists a setting's values from each place that may have them.
func (c Config) layers(s Setting, flags []string) [][]Value {
	type source struct {
		texts []string
		kind  Kind
		name  string
	}
	sources := []source{{flags, FromFlag, "--" + s.Key}}
	for _, name := range s.Env {
		// A secret that is set and empty must not fall through to another: the
		// pipeline that lost it has to hear of it.
		if text, ok := c.lookup(name); ok && (text != "" || s.Key == "secret") {
			sources = append(sources, source{[]string{text}, FromEnv, name})
		}
	}
	for _, f := range c.Files {
		if p := f.profiles[c.Profile]; p != nil {
			sources = append(sources, source{get(p, s.Key), f.Kind, f.Path + ", profile " + c.Profile})
		}
		sources = append(sources, source{get(f.base, s.Key), f.Kind, f.Path})
	}
	if s.Default != "" {
		sources = append(sources, source{[]string{s.Default}, FromDefault, ""})
	}
	layers := make([][]Value, len(sources))
	for i, from := range sources {
		for _, text := range from.texts {
			layers[i] = append(layers[i], Value{text, from.kind, from.name})
		}
	}
	return layers
}

// Value returns what holds for a setting; the first of a list. It is the zero
// Value when nothing is set.
func (c Config) Value(key string) Value {
	if list := c.values[key]; len(list) > 0 {
		return list[0]
	}
	return Value{}
}

// Values returns every value that holds for a setting.
func (c Config) Values(key string) []Value { return c.values[key] }

// Text returns the text of what holds for a setting, or "".
func (c Config) Text(key string) string { return c.Value(key).Text }

// Path returns a setting that names a file or folder: a relative one is meant
// from the folder of the file that it stands in, else from the working folder.
func (c Config) Path(key, dir string) string {
	v := c.Value(key)
	if v.Text == "" || filepath.IsAbs(v.Text) {
		return v.Text
	}
	if v.From == FromProject || v.From == FromUser {
		file, _, _ := strings.Cut(v.Name, ", profile ")
		dir = filepath.Dir(file)
	}
	return filepath.Join(dir, v.Text)
}

// project returns the project's file, or nil.
func (c Config) project() *File {
	for _, f := range c.Files {
		if f.Kind == FromProject {
			return f
		}
	}
	return nil
}

// Shown is one line of what "config show" prints.
type Shown struct {
	Key   string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// Show lists every setting that has a value, with secrets masked. References
// are shown as they are written.
func (c Config) Show() []Shown {
	var list []Shown
	for _, s := range Settings() {
		for _, v := range c.Values(s.Key) {
			text := v.Text
			switch {
			case s.Secret && !isReference(text):
				text = "[redacted]"
			case s.Key == "url":
				text = webhook.RedactURL(text)
			}
			list = append(list, Shown{s.Key, text, v.Place()})
		}
	}
	return list
}

// String keeps a Config that is printed by accident from showing a secret.
func (c Config) String() string { return fmt.Sprintf("config of %d files", len(c.Files)) }
