package cli

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
)

// rawErrors matches the words of libraries that tell a person nothing about
// what to type instead.
var rawErrors = regexp.MustCompile(`strconv\.|parsing "|invalid syntax|value out of range|time: |parse "|first path segment|invalid port|invalid URL escape|` +
	`invalid argument|unmarshal|not found in type|(^|\s)(yaml|json): |unexpected end of JSON|invalid character|sql: |SQL logic|\(\d+\)$|dial tcp|lookup |x509|tls: |net/|` +
	`none of the others|open /|stat /|lstat |openat|read /|syntax error in pattern|EOF|%!|<nil>|malformed chunk|bare LF|input/output`)

// malformedTypes has what is wrong for a flag of a type.
var malformedTypes = map[string][]string{
	"bool":     {"maybe", ""},
	"int":      {"x", "99999999999999999999"},
	"int64":    {"x", "99999999999999999999"},
	"uint16":   {"x", "-1", "99999"},
	"duration": {"5x", "x", ""},
}

// malformedTexts has what is wrong for a flag whose value is a text, by its name. A
// value that names nothing is nonesuch.
var malformedTexts = map[string][]string{
	"url": {"", "%zz", "http://[", "ftp://x", ":1"}, "to": {"", "%zz", "http://[", "ftp://x", "x:99999"},
	"forward-to": {"", "%zz", "http://[", "ftp://x"}, "subscribe": {"", "%zz", "http://[", "ftp://x", "http://127.0.0.1:99999"},
	"notification-url": {""}, "host": {""},
	"tolerance": {"5x", "-1s"}, "timeout": {"5x"}, "retries": {"x", "-1"}, "speed": {"fast", "0", "99999999x99"}, "rate": {"5", "x/s"},
	"max-error": {"x", "2"}, "since": {"nonesuch"}, "until": {"nonesuch"}, "older-than": {"nonesuch", ""}, "now": {"noon"},
	"format": {"nonesuch", ""}, "color": {"nonesuch", ""}, "profile": {"nonesuch"}, "platform": {"nonesuch"}, "form": {"nonesuch"},
	"scheme": {"nonesuch"}, "source": {"nonesuch"}, "order": {"nonesuch"}, "direction": {"nonesuch"}, "status": {"nonesuch"},
	"require-scheme": {"nonesuch"}, "content-type": {"nonesuch"}, "as": {"nonesuch"}, "state": {"nonesuch"}, "kind": {"nonesuch"},
	"event": {"["}, "events": {"[", ""}, "only": {"[", "nonesuch"}, "skip": {"[", "nonesuch"}, "expect": {"[", "x=y", ""}, "expect-status": {"x", "999"},
	"header": {"nonesuch", ": x"}, "require-header": {"nonesuch"}, "require-query": {"nonesuch"}, "rule": {"nonesuch", "x=y"},
	"keep-refused": {"x", "-1"}, "set": {"nonesuch"}, "set-string": {"nonesuch"}, "unset": {"nonesuch", ""}, "var": {"nonesuch", "nonesuch=1"}, "empty": {"nonesuch"},
	"schemas": {"", "nonesuch"}, "secret-file": {"", "nonesuch", "."}, "file": {"", "nonesuch", "."}, "batch": {"", "nonesuch", "."}, "vars": {"", "nonesuch", "."},
	"attach": {"", "nonesuch", "."}, "config": {"", "nonesuch", "."}, "journal": {""}, "data": {""},
	"output": {"", ".", "nonesuch/x"}, "out": {"", ".", "nonesuch/x"}, "failed-to": {"", "."}, "secret": {"", " "},
}

// freeTexts are flags whose value can be any text.
var freeTexts = map[string]bool{
	"api-key": true, "origin": true, "id": true, "company": true, "remove": true, "effect-cmd": true, "timestamp": true, "signature": true,
	"attach-name": true, "attach-type": true, "attach-uuid": true,
	// A running sandbox checks these.
	"wsk sandbox records kind": true, "wsk sandbox deliveries state": true, "wsk sandbox deliveries event": true, "wsk sandbox resend state": true,
	"wsk sandbox subscribe events": true, "wsk sandbox subscribe form": true,
	"wsk journal path journal": true,                                   // it need not exist
	"wsk journal list event":   true, "wsk journal export event": true, // known are those that the journal has
}

// lines has a command line for each command, in which nothing is wrong.
var lines = map[string]string{
	"wsk send":               "send work_order.created --url http://127.0.0.1:1 --secret s --api-key k --no-journal",
	"wsk trigger":            "trigger work_order.created --to http://127.0.0.1:1 --secret s --no-journal",
	"wsk listen":             "listen --secret s --no-journal",
	"wsk replay":             "replay p.json --to http://127.0.0.1:1 --secret s --no-journal",
	"wsk check":              "check http://127.0.0.1:1 --secret s",
	"wsk lint":               "lint p.json",
	"wsk render":             "render t.yaml",
	"wsk render init":        "render init accepted",
	"wsk sandbox":            "sandbox --api-key k --secret s",
	"wsk sandbox status":     "sandbox status",
	"wsk sandbox records":    "sandbox records",
	"wsk sandbox deliveries": "sandbox deliveries",
	"wsk sandbox resend":     "sandbox resend whk_1",
	"wsk sandbox advance":    "sandbox advance 6h",
	"wsk sandbox reset":      "sandbox reset",
	"wsk sandbox subscribe":  "sandbox subscribe http://127.0.0.1:1",
	"wsk sandbox payroll":    "sandbox payroll",
	"wsk demo":               "demo",
	"wsk verify":             "verify -f p.json --secret s --timestamp 1764000000 --signature 00",
	"wsk sign":               "sign -f p.json --secret s",
	"wsk events list":        "events list",
	"wsk events show":        "events show work_order.created",
	"wsk events example":     "events example work_order.created",
	"wsk events schema":      "events schema work_order.created",
	"wsk journal list":       "journal list",
	"wsk journal show":       "journal show rec_1",
	"wsk journal export":     "journal export",
	"wsk journal import":     "journal import r.ndjson",
	"wsk journal prune":      "journal prune --older-than 30d",
	"wsk journal path":       "journal path",
	"wsk config show":        "config show",
	"wsk config trust":       "config trust",
	"wsk completion":         "completion bash",
	"wsk version":            "version",
}

// TestErrors_of_flags gives each flag of each command a value that is wrong for it.
// It must be refused with exit code 2, before anything is sent and before a port is
// taken, in words that name the flag or the value.
func TestErrors_of_flags(t *testing.T) {
	t.Parallel()
	visit(NewRoot(newFake(t).Env), func(c *cobra.Command) {
		line, ok := lines[c.CommandPath()]
		if c.HasSubCommands() && !ok || c.Name() == "help" {
			return
		}
		var flags []*pflag.Flag // collected here: cobra caches them in the tree
		collect := func(flag *pflag.Flag) { flags = append(flags, flag) }
		c.LocalFlags().VisitAll(collect)
		if c.CommandPath() == "wsk send" { // one command stands for all with the global flags
			c.InheritedFlags().VisitAll(collect)
		}
		path := c.CommandPath()
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, flag := range flags {
				values, known := malformedTypes[flag.Value.Type()]
				if free := freeTexts[flag.Name] || freeTexts[path+" "+flag.Name]; !known && !free {
					values, known = malformedTexts[flag.Name]
				} else if free {
					continue
				}
				if len(flag.Annotations["cobra_annotation_mutually_exclusive"]) != len(flag.Annotations["wsk_exclusive"]) {
					t.Errorf("%s --%s: command.Exclusive marks flags that contradict each other, since cobra's error names its groups", path, flag.Name)
				}
				if !ok || !known {
					t.Errorf("nothing is known to be wrong for %s --%s", path, flag.Name)
				}
				if flag.Name == "help" {
					continue
				}
				for _, value := range values {
					f := withFiles(t)
					taken := ""
					f.Listen = func(context.Context, string) (net.Listener, error) {
						taken = "a port was taken"
						return nil, errors.New(taken)
					}
					f.Transport = commandtest.RoundTrip(func(*http.Request) (*http.Response, error) {
						taken = "a request was sent"
						return nil, errors.New(taken)
					})
					args := append(strings.Fields(line), "--"+flag.Name+"="+value)
					code := f.run(t, args...)
					said := f.Stderr.String()
					named := strings.Contains(said, flag.Name) || value != "" && strings.Contains(said, value)
					if code != exitUsage || taken != "" || !named || rawErrors.MatchString(said) {
						t.Errorf("%q: exit code %d, %s, %s", args, code, said, taken)
					}
				}
			}
		})
	})
}

// withFiles returns a fake with files that the lines name.
func withFiles(t *testing.T) *fake {
	t.Helper()
	f := newFake(t)
	for name, text := range map[string]string{
		"p.json":   replayPayload,
		"r.ndjson": `{"type":"record","id":"rec_1","time":"2026-01-15T14:30:00Z","direction":"received","request":{"method":"POST","url":"http://x/","body":"{}"}}` + "\n",
		"t.yaml":   "event: accepted\nmethod: POST\nurl: https://x.example/\nheaders:\n  Content-Type: application/json\nbody: '{}'\n",
	} {
		f.write(t, name, text)
	}
	return f
}

func (f *fake) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestErrors_of_files gives each flag and argument that names a file those that are
// wrong for it.
func TestErrors_of_files(t *testing.T) {
	t.Parallel()
	contents := map[string]string{
		"empty": "", "binary": "\x00\xff\xfe\x01\x80\n\x00", "list": "[1,2]", "text": "a: [b\n- c", "truncated": `{"event_type":"work_order.created","data":{`,
		"record": `{"type":"record","id":1,"time":5,"request":"x"}`, "records": `{"type":"record","attempt":"one"}` + "\n[1]\n{'a':1}\n",
		"member": "companies:\n  - {id: [1], forme: x}\n", "number": "companies: 5\n",
		"types": "companies:\n  - {api_keys: [{key: {a: b}}], work_types: [{multiplier: x, billable: 7, default: []}], skills: {}, employees: [5]}\n",
	}
	for line, creates := range map[string]bool{
		"send work_order.created -f FILE --url http://127.0.0.1:1 --secret s --api-key k --no-journal":        false,
		"send --batch FILE --url http://127.0.0.1:1 --secret s --api-key k":                                   false,
		"send work_order.created --url http://127.0.0.1:1 --secret-file FILE --api-key k --no-journal":        false,
		"send work_order.created --url http://127.0.0.1:1 --secret s --api-key k --journal FILE":              true,
		"send work_order.created --url http://127.0.0.1:1 --secret s --api-key k --no-journal --schemas FILE": false,
		"trigger work_order.created -f FILE --to http://127.0.0.1:1 --secret s --no-journal":                  false,
		"replay FILE --to http://127.0.0.1:1 --secret s --no-journal":                                         false,
		"lint FILE": false, "lint --fix FILE": false, "lint FILE.yaml": false,
		"render FILE": false, "render t.yaml --vars FILE": false, "render t.yaml --attach FILE": false, "render init accepted --force -o FILE": true,
		"sandbox --config FILE": false, "sandbox --data FILE": true,
		"verify -f FILE --secret s": false, "verify -f FILE --secret s --as record": false, "verify -f FILE --secret s --as request": false, "sign -f FILE --secret s": false,
		"journal import FILE": false, "journal list --journal FILE": false, "journal export --salvage --journal FILE": false, "journal export -o FILE": true,
		"journal prune --older-than 1d --journal FILE": false,
	} {
		t.Run(strings.ReplaceAll(line, "/", ""), func(t *testing.T) {
			t.Parallel()
			for _, kind := range append(slices.Sorted(maps.Keys(contents)), "folder", "missing") {
				f := withFiles(t)
				f.Listen = func(context.Context, string) (net.Listener, error) { return nil, syscall.EADDRINUSE }
				f.receiver(time.Millisecond, http.StatusOK, "")
				if strings.Contains(line, "journal export -o") {
					f.run(t, "journal", "import", "r.ndjson")
				}
				name := kind
				if strings.Contains(line, "FILE.yaml") {
					name += ".yaml"
				}
				if text, ok := contents[kind]; ok {
					f.write(t, name, text)
				} else if kind == "folder" {
					if err := os.Mkdir(filepath.Join(f.Dir, name), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				args := strings.Fields(strings.NewReplacer("FILE.yaml", name, "FILE", name).Replace(line))
				code := f.run(t, args...)
				said := f.Stderr.String()
				if rawErrors.MatchString(said + f.Stdout.String()) {
					t.Errorf("%q: %s%s", args, said, &f.Stdout)
				}
				must := kind == "folder" || kind == "missing" && !creates
				if code > exitUsage || must && code != exitUsage || must && !strings.Contains(said, name) && !strings.Contains(said, "the folder has no PLATFORM") {
					t.Errorf("%q: exit code %d, %s", args, code, said)
				}
			}
		})
	}
}

// TestErrors_of_configuration gives the user's file contents that are wrong.
func TestErrors_of_configuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: [b\n- c":              "not YAML: line 2",
		"- 1\n":                   "it is not a block of settings",
		"\x00\xff":                "control characters are not allowed",
		"url: !!int x\n":          "it is not a block of settings",
		"url: {a: b}\n":           "url must be a value, not a block",
		"url: a b\n":              `url "a b": its host contains " "`,
		"timeout: 5x\n":           `timeout "5x" is not a duration`,
		"retries: -1\n":           `retries "-1" is not a number of attempts`,
		"profiles: 5\n":           "profiles must be a block",
		"secret: file:nonesuch\n": "nonesuch: no such file or directory",
		"secret: file:.\n":        "is a directory",
		"secret: env:NOPE\n":      "the variable NOPE is not set",
		"schemas: nonesuch\n":     "reading schemas nonesuch: no such file or directory (from the user file ",
	} {
		f := withFiles(t)
		f.Vars["XDG_CONFIG_HOME"] = f.Dir
		if err := os.Mkdir(filepath.Join(f.Dir, "wsk"), 0o700); err != nil {
			t.Fatal(err)
		}
		args := []string{"send", "work_order.created", "--api-key", "k", "--no-journal"}
		if !strings.HasPrefix(text, "url") {
			args = append(args, "--url", "http://127.0.0.1:1")
		}
		if !strings.HasPrefix(text, "secret") {
			args = append(args, "--secret", "s")
		}
		f.write(t, "wsk/config.yaml", text)
		code := f.run(t, args...)
		if said := f.Stderr.String(); code != exitUsage || !strings.Contains(said, want) || !strings.Contains(said, "config.yaml") || rawErrors.MatchString(said) {
			t.Errorf("%q: exit code %d, %s; want %q", text, code, said, want)
		}
	}
}
