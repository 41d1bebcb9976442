package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/config"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*testing.T, *world) // after the trust
		want   bool
	}{
		"it lasts":                     {func(*testing.T, *world) {}, true},
		"the same bytes written again": {func(_ *testing.T, w *world) { w.write(w.projectFile(), "url: http://a\n") }, true},
		"a byte more":                  {func(_ *testing.T, w *world) { w.write(w.projectFile(), "url: http://a\n\n") }, false},
		"changed and changed back": {func(_ *testing.T, w *world) {
			w.write(w.projectFile(), "x")
			w.write(w.projectFile(), "url: http://a\n")
		}, true},
		"the same bytes in another folder": {func(_ *testing.T, w *world) {
			w.write(filepath.Join(w.project, "deep", config.ProjectFile), "url: http://a\n")
		}, false},
		"a link to a file of the same text": {linkProject, true},
		"the list is gone":                  {func(t *testing.T, w *world) { remove(t, trustList(w)) }, false},
		"another home":                      {func(_ *testing.T, w *world) { w.env["HOME"] = w.project }, false},
		"a state folder of another place":   {func(_ *testing.T, w *world) { w.env["XDG_STATE_HOME"] = w.project }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(w.projectFile(), "url: http://a\n")
			if w.load().Files[0].Trusted {
				t.Fatal("a file is trusted before config trust")
			}
			w.trust()
			test.change(t, w)
			if got := w.load().Files[0].Trusted; got != test.want {
				t.Errorf("trusted %t, want %t", got, test.want)
			}
		})
	}
}

func trustList(w *world) string {
	return filepath.Join(w.home, ".local", "state", "wsk", "trusted.json")
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func linkProject(t *testing.T, w *world) {
	elsewhere := filepath.Join(w.home, "elsewhere.yaml")
	w.write(elsewhere, "url: http://a\n")
	remove(t, w.projectFile())
	if err := os.Symlink(elsewhere, w.projectFile()); err != nil {
		t.Skip(err)
	}
}

func TestTrust_list(t *testing.T) {
	t.Parallel()
	t.Run("a private file that keeps the others", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write(w.projectFile(), "url: http://a\n")
		w.trust()
		w.write(filepath.Join(w.project, "deep", config.ProjectFile), "url: http://b\n")
		w.trust()
		remove(t, filepath.Join(w.project, "deep", config.ProjectFile))
		if !w.load().Files[0].Trusted {
			t.Error("the second trust ended the first")
		}
		if info, err := os.Stat(trustList(w)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if entries, err := os.ReadDir(filepath.Dir(trustList(w))); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
	t.Run("a damaged list is an error, not a lack of trust", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.write(w.projectFile(), "url: http://a\n")
		w.trust()
		w.write(trustList(w), `{"`)
		if _, err := w.tryLoad(nil, ""); err == nil || !strings.Contains(err.Error(), trustList(w)) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no project file", func(t *testing.T) {
		t.Parallel()
		if _, err := newWorld(t).load().Trust(); err == nil || !strings.Contains(err.Error(), "no .wsk.yaml") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no home", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		delete(w.env, "HOME")
		w.write(w.projectFile(), "url: http://a\n")
		if _, err := w.load().Trust(); err == nil || !strings.Contains(err.Error(), "XDG_STATE_HOME") {
			t.Errorf("error %v", err)
		}
	})
}

func TestCredential(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		project, user string // secret: in that file
		env           string // WSK_SECRET
		trusted       bool
		want          string
		fault         string // in place of want; "trust" for a TrustError
	}{
		"plain text of an untrusted project":  {project: "text", want: "text"}, // CheckTrust refuses it
		"env: of an untrusted project":        {project: "env:NAME", fault: "trust"},
		"file: of an untrusted project":       {project: "file:key", fault: "trust"},
		"env: of a trusted project":           {project: "env:NAME", trusted: true, want: "of the variable"},
		"file: beside a trusted project":      {project: "file:key", trusted: true, want: "of the project's file"},
		"env: of the user":                    {user: "env:NAME", want: "of the variable"},
		"file: beside the user's file":        {user: "file:key", want: "of the user's file"},
		"file: of the home":                   {user: "file:~/.config/wsk/key", want: "of the user's file"},
		"a variable that is not set":          {user: "env:NONE", fault: "the variable NONE is not set"},
		"a file that does not exist":          {user: "file:none", fault: "none: no such file"},
		"the user's, under an untrusted file": {project: "", user: "env:NAME", want: "of the variable"},
		"a variable is not a reference":       {env: "env:NAME", want: "env:NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.env["NAME"] = "of the variable"
			if test.env != "" {
				w.env["WSK_SECRET"] = test.env
			}
			secret := func(text string) string {
				if text == "" {
					return "retries: 0\n"
				}
				return "secret: " + text + "\n"
			}
			w.write(w.projectFile(), secret(test.project))
			w.write(w.userFile(), secret(test.user))
			w.write(filepath.Join(w.project, "key"), "of the project's file\n")
			w.write(filepath.Join(filepath.Dir(w.userFile()), "key"), "of the user's file\r\n")
			if test.trusted {
				w.trust()
			}
			c := w.load()
			got, err := c.Credential(c.Secrets[0])
			switch {
			case test.fault == "trust":
				if !isTrust(err) || got != "" {
					t.Errorf("%q, %v, want a TrustError", got, err)
				}
			case test.fault != "":
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("%q, %v, want %q", got, err, test.fault)
				}
			case err != nil || got != test.want:
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestConfig_CheckTarget(t *testing.T) {
	t.Parallel()
	const evil = "url: https://evil.example/hook\n"
	userKey := config.Value{Text: "k", From: config.FromUser, Name: "config.yaml"}
	flagKey := config.Value{Text: "k", From: config.FromFlag, Name: "--secret"}
	ownKey := config.Value{Text: "k", From: config.FromProject, Name: ".wsk.yaml"}
	for name, test := range map[string]struct {
		project, user string
		env, flag     string // the URL there
		trusted       bool
		credentials   []config.Value
		refused       bool
	}{
		"the user's key":                   {project: evil, credentials: []config.Value{userKey}, refused: true},
		"a flag's key":                     {project: evil, credentials: []config.Value{flagKey}, refused: true},
		"one key of several":               {project: evil, credentials: []config.Value{ownKey, {}, userKey}, refused: true},
		"the project's own key":            {project: evil, credentials: []config.Value{ownKey}},
		"no key":                           {project: evil, credentials: []config.Value{{}}},
		"a trusted file":                   {project: evil, trusted: true, credentials: []config.Value{userKey}},
		"a loopback host":                  {project: "url: http://127.0.0.1:1/\n", credentials: []config.Value{userKey}},
		"a name that looks like loopback":  {project: "url: http://127.0.0.1.evil.example/\n", credentials: []config.Value{userKey}, refused: true},
		"a host that the user names too":   {project: evil, user: "url: https://evil.example/other\n", credentials: []config.Value{userKey}},
		"another port than the user names": {project: evil, user: "url: https://evil.example:8443/\n", credentials: []config.Value{userKey}, refused: true},
		"http where the user has https":    {project: "url: http://evil.example/\n", user: "url: https://evil.example/\n", credentials: []config.Value{userKey}, refused: true},
		"https where the user has http":    {project: evil, user: "url: http://evil.example/\n", credentials: []config.Value{userKey}, refused: true},
		"the port that the scheme implies": {project: evil, user: "url: https://evil.example:443/\n", credentials: []config.Value{userKey}},
		"the port of the other scheme":     {project: evil, user: "url: https://evil.example:80/\n", credentials: []config.Value{userKey}, refused: true},
		"a header's credential":            {project: evil, credentials: []config.Value{{Text: "Bearer x", From: config.FromFlag, Name: "-H Authorization"}}, refused: true},
		"a flag names the host":            {project: evil, flag: "https://evil.example/hook", credentials: []config.Value{userKey}},
		"the environment names the host":   {project: evil, env: "https://EVIL.example/", credentials: []config.Value{userKey}},
		"a profile of the untrusted file":  {project: "profile: p\nprofiles: {p: {url: 'https://evil.example/'}}\n", credentials: []config.Value{userKey}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(w.projectFile(), test.project)
			w.write(w.userFile(), test.user)
			if test.trusted {
				w.trust()
			}
			w.env["WSK_URL"] = test.env
			flags := map[string]string{}
			if test.flag != "" {
				flags["url"] = test.flag
			}
			c, err := w.tryLoad(flags, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckTarget(c.URL, test.credentials...); isTrust(err) != test.refused || err != nil && !test.refused {
				t.Errorf("error %v, refused should be %t", err, test.refused)
			}
		})
	}
}
