package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/config"
)

// world is a home, a project's folder and an environment.
type world struct {
	t       *testing.T
	home    string
	project string
	env     map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, home: filepath.Join(root, "home"), project: filepath.Join(root, "project")}
	w.env = map[string]string{"HOME": w.home}
	for _, dir := range []string{filepath.Dir(w.userFile()), filepath.Join(w.project, "deep", "er")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) userFile() string    { return filepath.Join(w.home, ".config", "wsk", "config.yaml") }
func (w *world) projectFile() string { return filepath.Join(w.project, config.ProjectFile) }

func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) lookup(name string) (string, bool) {
	text, ok := w.env[name]
	return text, ok
}

func (w *world) tryLoad(flags map[string]string, profile string) (*config.Config, error) {
	return config.Load(config.Input{Dir: filepath.Join(w.project, "deep", "er"), Lookup: w.lookup, Flags: flags, Profile: profile})
}

func (w *world) load() *config.Config {
	w.t.Helper()
	c, err := w.tryLoad(nil, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) trust() {
	w.t.Helper()
	if _, err := w.load().Trust(); err != nil {
		w.t.Fatal(err)
	}
}

// TestLoad_precedence gives each setting a value at every origin, and takes
// them away one by one, the strongest first.
func TestLoad_precedence(t *testing.T) {
	t.Parallel()
	field := map[string]func(*config.Config) config.Value{
		"url":       func(c *config.Config) config.Value { return c.URL },
		"api_key":   func(c *config.Config) config.Value { return c.APIKey },
		"secret":    func(c *config.Config) config.Value { return append(c.Secrets, config.Value{})[0] },
		"scheme":    func(c *config.Config) config.Value { return c.Scheme },
		"source":    func(c *config.Config) config.Value { return c.Source },
		"origin":    func(c *config.Config) config.Value { return c.Origin },
		"tolerance": func(c *config.Config) config.Value { return c.Tolerance },
		"timeout":   func(c *config.Config) config.Value { return c.Timeout },
		"retries":   func(c *config.Config) config.Value { return c.Retries },
		"schemas":   func(c *config.Config) config.Value { return c.Schemas },
		"color":     func(c *config.Config) config.Value { return c.Color },
	}
	for _, s := range config.Settings {
		t.Run(s.Key, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			of := "of-"
			if s.Key == "url" {
				of = "http://of-"
			}
			flags := map[string]string{s.Key: of + "flag"}
			for _, name := range s.Env {
				w.env[name] = of + name
			}
			base := func(origin string) string { return s.Key + ": " + of + origin + "\n" }
			profile := func(origin string) string { return "profiles:\n  p:\n    " + base(origin+"-profile") }
			both := func(origin string) string { return base(origin) + profile(origin) }
			w.write(w.projectFile(), both("project"))
			w.write(w.userFile(), both("user"))

			named := "p"
			check := func(want config.Value) {
				t.Helper()
				c, err := w.tryLoad(flags, named)
				if err != nil {
					t.Fatal(err)
				}
				if got := field[s.Key](c); got != want {
					t.Errorf("value %+v, want %+v", got, want)
				}
			}
			check(config.Value{Text: of + "flag", From: config.FromFlag, Name: "--" + strings.ReplaceAll(s.Key, "_", "-")})
			flags = nil
			check(config.Value{Text: of + "project-profile", From: config.FromProject, Name: w.projectFile(), Profile: "p"})
			w.write(w.projectFile(), base("project"))
			check(config.Value{Text: of + "user-profile", From: config.FromUser, Name: w.userFile(), Profile: "p"})
			// A profile that the environment chooses has the rank of its file.
			named, w.env["WSK_PROFILE"] = "", "p"
			w.write(w.projectFile(), both("project"))
			for _, name := range s.Env {
				check(config.Value{Text: of + name, From: config.FromEnv, Name: name})
				delete(w.env, name)
			}
			check(config.Value{Text: of + "project-profile", From: config.FromProject, Name: w.projectFile(), Profile: "p"})
			w.write(w.projectFile(), base("project"))
			check(config.Value{Text: of + "project", From: config.FromProject, Name: w.projectFile()})
			named = "p"
			w.write(w.projectFile(), "")
			check(config.Value{Text: of + "user-profile", From: config.FromUser, Name: w.userFile(), Profile: "p"})
			w.write(w.userFile(), base("user")+"profiles:\n  p:\n    profiles_need: a setting\n")
			if _, err := w.tryLoad(nil, "p"); err == nil {
				t.Error("an unknown key in a profile is accepted")
			}
			other := "color"
			if s.Key == other {
				other = "url"
			}
			w.write(w.userFile(), base("user")+"profiles:\n  p:\n    "+other+": x\n")
			check(config.Value{Text: of + "user", From: config.FromUser, Name: w.userFile()})
			w.write(w.userFile(), "profiles:\n  p:\n    "+other+": x\n")
			want := config.Value{Text: s.Default, From: config.FromDefault}
			if s.Default == "" {
				want = config.Value{}
			}
			check(want)
		})
	}
}

func TestLoad_environment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(w.userFile(), "url: http://user.example\nsecret: of-user\n")
	w.env["WSK_URL"] = ""
	w.env["WEBHOOK_SECRET"] = ""
	c := w.load()
	if c.URL.From != config.FromUser {
		t.Errorf("an empty variable gives a URL: %+v", c.URL)
	}
	if len(c.Secrets) != 1 || c.Secrets[0] != (config.Value{From: config.FromEnv, Name: "WEBHOOK_SECRET"}) {
		t.Errorf("a lost secret was replaced by another one: %+v", c.Secrets)
	}
}

func TestLoad_profile(t *testing.T) {
	t.Parallel()
	const both = "profiles:\n  one: {url: 'http://one'}\n  two: {url: 'http://two'}\n"
	for name, test := range map[string]struct {
		project, user, env, flag string
		untrusted                bool
		want                     string // the profile, or the end of an error
	}{
		"none":                             {project: both},
		"the flag first":                   {project: "profile: two\n" + both, env: "two", flag: "one", want: "one"},
		"then the environment":             {project: "profile: two\n" + both, env: "one", want: "one"},
		"then the project's file":          {project: "profile: two\n" + both, user: "profile: one\n", want: "two"},
		"not one that is not trusted":      {project: "profile: two\n" + both, user: "profile: one\n", untrusted: true, want: "one"},
		"then the user's file":             {project: both, user: "profile: one\n", want: "one"},
		"of another file":                  {project: "url: http://x\n", user: both, flag: "one", want: "one"},
		"an unknown one names the nearest": {project: both, flag: "onee", want: `did you mean "one"?`},
		"no file has any":                  {flag: "one", want: `unknown profile "one"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(w.projectFile(), test.project)
			w.write(w.userFile(), test.user)
			if !test.untrusted {
				w.trust()
			}
			w.env["WSK_PROFILE"] = test.env
			c, err := w.tryLoad(nil, test.flag)
			switch {
			case err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			case err == nil && c.Profile != test.want:
				t.Errorf("profile %q, want %q", c.Profile, test.want)
			}
		})
	}
}

func TestLoad_files(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"an unknown key names the nearest": {"secrets: x\n", `unknown key "secrets": did you mean "secret"?`},
		"an unknown key of a profile":      {"profiles:\n  p:\n    uri: x\n", `profile p: unknown key "uri": did you mean "url"?`},
		"a block in place of a value":      {"url:\n  a: b\n", "url must be a value, not a block"},
		"a value in place of the profiles": {"profiles: x\n", "profiles must be a block"},
		"a value in place of a profile":    {"profiles:\n  p: x\n", `profile "p" must be a block`},
		"a profile that chooses another":   {"profiles:\n  p:\n    profile: q\n", `unknown key "profile"`},
		"broken YAML, with the line":       {"url: a\n b: [\n", "line 2"},
		"a file that is too large":         {"#" + strings.Repeat("x", 1<<20), "larger than 1 MiB"},
		"a bomb of aliases":                {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nurl: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n", "excessive aliasing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(w.projectFile(), test.text)
			if _, err := w.tryLoad(nil, ""); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), w.projectFile()) {
				t.Errorf("error %v, want %s and %q", err, w.projectFile(), test.want)
			}
		})
	}
	t.Run("a folder is not a project file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		if err := os.Mkdir(w.projectFile(), 0o700); err != nil {
			t.Fatal(err)
		}
		if c := w.load(); len(c.Files) != 0 {
			t.Errorf("files %+v", c.Files)
		}
	})
	t.Run("a folder in place of the user's file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		if err := os.Mkdir(w.userFile(), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := w.tryLoad(nil, ""); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("without a home there is no user file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write(w.userFile(), "url: http://x\n")
		delete(w.env, "HOME")
		if c := w.load(); len(c.Files) != 0 {
			t.Errorf("files %+v", c.Files)
		}
	})
	t.Run("XDG_CONFIG_HOME, unless it is relative", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write(w.userFile(), "url: http://x\n")
		w.env["XDG_CONFIG_HOME"] = w.project
		if c := w.load(); len(c.Files) != 0 {
			t.Errorf("files %+v", c.Files)
		}
		w.env["XDG_CONFIG_HOME"] = "relative"
		if c := w.load(); len(c.Files) != 1 {
			t.Errorf("files %+v", c.Files)
		}
	})
}

// TestLoad_texts holds how YAML's values become text.
func TestLoad_texts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(w.userFile(), "RETRIES: 2\ncolor: true\nscheme:\nsecret: [one, 2, 'three']\n")
	c := w.load()
	if c.Retries.Text != "2" || c.Color.Text != "true" || !c.Scheme.IsZero() {
		t.Errorf("retries %q, color %q, scheme %+v", c.Retries.Text, c.Color.Text, c.Scheme)
	}
	var secrets []string
	for _, s := range c.Secrets {
		secrets = append(secrets, s.Text)
	}
	if got := strings.Join(secrets, " "); got != "one 2 three" {
		t.Errorf("secrets %q", got)
	}
}

func TestFile_Warning(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		mode fs.FileMode
		link bool
		want string // "" for none
	}{
		"a private file":               {"secret: s\n", 0o600, false, ""},
		"others can read it":           {"secret: s\n", 0o644, false, "others can read it"},
		"the group can read it":        {"api_key: s\n", 0o640, false, "others can read it"},
		"a secret in a profile":        {"profiles: {p: {secret: s}}\n", 0o644, false, "others can read it"},
		"one of a list":                {"secret: ['env:A', s]\n", 0o644, false, "others can read it"},
		"references alone":             {"secret: env:A\napi_key: file:b\n", 0o644, false, ""},
		"no secret":                    {"url: http://x\n", 0o644, false, ""},
		"a symbolic link":              {"secret: s\n", 0o600, true, "is a symbolic link"},
		"a symbolic link, no secret":   {"url: http://x\n", 0o600, true, ""},
		"a symbolic link, a reference": {"secret: env:A\n", 0o600, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			path := w.userFile()
			if test.link {
				path = filepath.Join(w.home, "elsewhere.yaml")
				if err := os.Symlink(path, w.userFile()); err != nil {
					t.Skip(err)
				}
			}
			w.write(path, test.text)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			got := w.load().Files[0].Warning
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("warning %q, want %q", got, test.want)
			}
		})
	}
}

func TestValue_Path(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]config.Value{
		"":                    {},
		"/abs/schemas":        {Text: "/abs/schemas", From: config.FromProject, Name: "/a/.wsk.yaml"},
		"/a, profile b/mine":  {Text: "mine", From: config.FromProject, Name: "/a, profile b/.wsk.yaml", Profile: "p"},
		"/home/wsk/up":        {Text: "../up", From: config.FromUser, Name: "/home/wsk/x/config.yaml"},
		"/work/schemas":       {Text: "schemas", From: config.FromFlag, Name: "--schemas"},
		"/work/of/the/system": {Text: "of/the/system", From: config.FromEnv, Name: "WSK_SCHEMAS"},
	} {
		if got := filepath.ToSlash(v.Path("/work")); got != want {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
}

func TestConfig_Show(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(w.projectFile(), "url: https://user:hidden@x.example/\nsecret: [hidden, 'env:NAME']\napi_key: file:k\nprofiles: {p: {scheme: body}}\nprofile: p\n")
	w.trust()
	got := map[string][]string{}
	c := w.load()
	for _, s := range c.Show() {
		if strings.Contains(s.Value+c.String(), "hidden") {
			t.Errorf("%s shows %q", s.Key, s.Value)
		}
		got[s.Key] = append(got[s.Key], s.Value+" "+s.From)
	}
	place := " project file " + w.projectFile()
	for key, want := range map[string]string{
		"secret":  "[redacted]" + place + "; env:NAME" + place,
		"api_key": "file:k" + place,
		"scheme":  "body" + place + ", profile p",
		"timeout": "30s default",
		"schemas": "",
	} {
		if line := strings.Join(got[key], "; "); line != want {
			t.Errorf("%s: %q, want %q", key, line, want)
		}
	}
}

// isTrust reports whether the error asks for trust.
func isTrust(err error) bool {
	var trust *config.TrustError
	return errors.As(err, &trust)
}
