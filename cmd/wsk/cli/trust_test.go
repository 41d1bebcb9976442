package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
	"github.com/wskdev/wsk/cmd/wsk/config"
)

// TestTrust gives each setting by which something is signed or verified to each
// command that uses it, from each origin. Only a project's file that is not trusted
// is refused, before anything is sent or received.
func TestTrust(t *testing.T) {
	t.Parallel()
	signers := []string{"send", "trigger", "replay", "sign"}
	verifiers := []string{"verify", "listen", "sandbox"}
	settings := map[string]struct {
		yaml string
		says string
		used []string // by these commands
	}{
		"a secret":             {"secret: planted\n", "sets the secret", slices.Concat(signers, verifiers, []string{"check"})},
		"a reference":          {"secret: env:HOME\n", "refers to env:HOME", slices.Concat(signers, verifiers, []string{"check"})},
		"no tolerance":         {"tolerance: off\n", "sets the tolerance", verifiers},
		"another scheme":       {"scheme: body\n", "sets the scheme", slices.Concat(signers, []string{"verify", "listen"})},
		"a profile":            {"profile: prod\n", "chooses the profile prod", slices.Concat(signers, verifiers, []string{"check"})},
		"the platform by http": {"url: http://app.workskedge.com/\n", "names http://app.workskedge.com, to which a credential from the flag --secret would go", []string{"send"}},
		"another port":         {"url: https://app.workskedge.com:8443/\n", "names https://app.workskedge.com:8443, to which", []string{"send"}},
	}
	commands := map[string]string{
		"send":    "send work_order.created",
		"trigger": "trigger work_order.created --to http://127.0.0.1:1",
		"replay":  "replay p.json --to http://127.0.0.1:1",
		"check":   "check http://127.0.0.1:1",
		"sign":    "sign -f p.json",
		"verify":  "verify -f p.json --timestamp 1764000000 --signature 00",
		"listen":  "listen --port 0 --no-journal",
		"sandbox": "sandbox --port 0 --api-key k",
	}
	const user = "url: https://app.workskedge.com/webhooks/inbound\napi_key: userkey\nprofiles: {prod: {retries: 1}}\n"
	for name, setting := range settings {
		for command, line := range commands {
			for _, origin := range []string{"untrusted", "trusted", "user"} {
				t.Run(name+"/"+command+"/"+origin, func(t *testing.T) {
					t.Parallel()
					f := newFake(t)
					f.Vars["HOME"] = t.TempDir() // the project is not in the home
					var requests atomic.Int64    // check sends several at once
					f.Transport = commandtest.RoundTrip(func(*http.Request) (*http.Response, error) {
						requests.Add(1)
						return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
					})
					write := func(path, text string) {
						t.Helper()
						if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
							t.Fatal(err)
						}
						if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					userFile := filepath.Join(f.Vars["HOME"], ".config", "wsk", "config.yaml")
					write(filepath.Join(f.Dir, "p.json"), replayPayload)
					if origin == "user" {
						key, _, _ := strings.Cut(setting.yaml, ":")
						rest := user
						if key == "url" {
							_, rest, _ = strings.Cut(user, "\n")
						}
						write(userFile, setting.yaml+rest)
					} else {
						write(userFile, user)
						write(filepath.Join(f.Dir, config.ProjectFile), setting.yaml)
					}
					if origin == "trusted" {
						if code := f.run(t, "config", "trust"); code != exitYes {
							t.Fatalf("exit code %d: %s", code, &f.Stderr)
						}
					}
					args := strings.Fields(line)
					if !strings.HasPrefix(setting.yaml, "secret") {
						args = append(args, "--secret", "mine")
					}
					code := f.run(t, args...)
					refused := strings.Contains(f.Stderr.String(), "is not trusted")
					if want := origin == "untrusted" && slices.Contains(setting.used, command); refused != want {
						t.Errorf("exit code %d, refused %t, want %t: %s", code, refused, want, &f.Stderr)
					}
					if refused && (code != exitUsage || requests.Load() > 0 || !strings.Contains(f.Stderr.String(), setting.says)) {
						t.Errorf("exit code %d, %d requests, stderr %s", code, requests.Load(), &f.Stderr)
					}
				})
			}
		}
	}
}
