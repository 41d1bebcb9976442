package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// examples has a test of each program in testdata/examples, which are a module of
// their own, as the programs of users are.
var examples = map[string]struct {
	lines int // at most, as countLines counts them
	drive func(t *testing.T, program string)
}{
	"chi":      {50, driveRoutes},
	"cilint":   {30, driveLint},
	"nethttp":  {40, driveRoutes},
	"receiver": {45, driveReceivers},
	"sender":   {70, driveSender},
}

const examplesFolder = "../../testdata/examples"

// TestExamples builds and runs the examples. With -v it prints a table of their
// lines, of the modules that they need beside this one, and of their sizes.
func TestExamples(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("other processes, in which the race detector looks for nothing")
	}
	readFolders(t)
	folder := t.TempDir()
	inExamples(t, "build", "-ldflags", "-s -w", "-o", folder+string(filepath.Separator), "./...")
	var table bytes.Buffer
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "\nprogram\tlines\timports of other modules\tmodules linked\tMB")
	programs, err := filepath.Glob(filepath.Join(examplesFolder, "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range programs {
		name := filepath.Base(filepath.Dir(source))
		binary := filepath.Join(folder, name)
		lines, imported := readExample(t, source)
		linked, size := inspect(t, binary)
		fmt.Fprintf(columns, "%s\t%d\t%s\t%d\t%.1f\n", name, lines, strings.Join(imported, " "), linked, float64(size)/1e6)
		example := examples[name]
		if example.drive == nil {
			t.Errorf("%s has no test in the table", source)
			continue
		}
		if lines > example.lines {
			t.Errorf("%s has %d lines, %d at most", source, lines, example.lines)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example.drive(t, binary)
		})
	}
	if len(programs) != len(examples) {
		t.Errorf("there are %d programs, and tests of %d", len(programs), len(examples))
	}
	_ = columns.Flush() // to memory
	t.Log(table.String())
	t.Run("tests", func(t *testing.T) {
		t.Parallel()
		inExamples(t, "test", "./...")
	})
}

// inExamples runs the go command in the module of the examples.
func inExamples(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = examplesFolder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v (go.mod there follows that of this module: make tidy)\n%s", strings.Join(args, " "), err, out)
	}
}

// readExample counts the lines of a program that are not blank and come after its
// imports, and lists the imports that are neither of the standard library nor of this
// module.
func readExample(t *testing.T, name string) (lines int, imported []string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") && !strings.HasPrefix(path, module) {
			imported = append(imported, path)
		}
	}
	last := file.Decls[len(file.Decls)-1]
	for line := range bytes.Lines(source[files.Position(last.End()).Offset:]) {
		if len(bytes.TrimSpace(line)) > 0 {
			lines++
		}
	}
	return lines, imported
}

// inspect returns how many other modules are in a binary, and its size.
func inspect(t *testing.T, binary string) (linked int, size int64) {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if dep.Path+"/" != module {
			linked++
		}
	}
	stat, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	return linked, stat.Size()
}

// process is an example that runs.
type process struct {
	cmd    *exec.Cmd
	url    string
	log    *lockedBuffer
	copied chan struct{}
}

var readyAddress = regexp.MustCompile(`ready address=(\S+)`)

// startExample starts a server that logs its address.
func startExample(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), program, args...), log: &lockedBuffer{}, copied: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "WEBHOOK_SECRET=s")
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	found := readyAddress.FindStringSubmatch(first)
	if err != nil || found == nil {
		t.Fatalf("%s says %q, %v", program, first, err)
	}
	p.url = "http://" + found[1] + "/hooks"
	go func() {
		defer close(p.copied)
		_, _ = io.Copy(p.log, lines)
	}()
	return p
}

// stop interrupts a server, which must end well, and returns its log.
func (p *process) stop(t *testing.T) string {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-p.copied
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v\n%s", err, p.log)
	}
	return p.log.String()
}

// deliverTo delivers an event as the platform does, and returns the status.
func deliverTo(t *testing.T, url string, body []byte, id string, secret webhook.Secret) int {
	t.Helper()
	event, err := webhook.ParseEvent(body)
	if err != nil {
		t.Error(err)
		return 0
	}
	var client deliver.Client
	record, err := client.Attempt(t.Context(), deliver.Delivery{
		URL: url, Event: event, Header: deliver.Outbound(webhook.WorkSkedge, event.Type), WebhookID: id, Secret: secret,
	}, 0)
	if err != nil || record.Response == nil {
		t.Errorf("delivering %s: %v %s", id, err, record.Error)
	}
	return record.Status()
}

// Two processes on one journal handle each delivery once, however often it comes, and
// know it after a restart.
func driveReceivers(t *testing.T, program string) {
	journal := filepath.Join(t.TempDir(), "journal.db")
	both := []*process{startExample(t, program, "127.0.0.1:0", journal), startExample(t, program, "127.0.0.1:0", journal)}
	var wait sync.WaitGroup
	for n := range 64 {
		wait.Go(func() {
			id := fmt.Sprintf("evt_%d", n%4)
			for { // until the process that handles it is done
				switch status := deliverTo(t, both[n/4%2].url, killed(id), id, secretS(t)); status {
				case http.StatusOK:
					return
				case http.StatusConflict, http.StatusServiceUnavailable:
				default:
					t.Errorf("%s is answered with %d", id, status)
					return
				}
			}
		})
	}
	wait.Wait()
	wantScheduled(t, both[0].stop(t)+both[1].stop(t), 4)
	again := startExample(t, program, "127.0.0.1:0", journal)
	for n := range 4 {
		id := fmt.Sprintf("evt_%d", n)
		if status := deliverTo(t, again.url, killed(id), id, secretS(t)); status != http.StatusOK {
			t.Errorf("after a restart %s is answered with %d", id, status)
		}
	}
	wantScheduled(t, again.stop(t), 0)
}

// wantScheduled checks that a log has n events, each once.
func wantScheduled(t *testing.T, log string, n int) {
	t.Helper()
	events := regexp.MustCompile(`(?:scheduling|handling) event=(\S+)`).FindAllString(log, -1)
	slices.Sort(events)
	if len(events) != n || len(slices.Compact(events)) != n {
		t.Errorf("%d events are handled, want %d:\n%s", len(events), n, log)
	}
}

// A middleware stands before the handler of one route.
func driveRoutes(t *testing.T, program string) {
	p := startExample(t, program, "127.0.0.1:0")
	for range 2 {
		if status := deliverTo(t, p.url, killed("evt_1"), "evt_1", secretS(t)); status != http.StatusOK {
			t.Errorf("the event is answered with %d", status)
		}
	}
	another, err := webhook.NewSecret("another")
	if err != nil {
		t.Fatal(err)
	}
	if status := deliverTo(t, p.url, killed("evt_2"), "evt_2", another); status != http.StatusUnauthorized {
		t.Errorf("another secret is answered with %d", status)
	}
	response, err := (&http.Client{Transport: deliver.NewTransport()}).Get(strings.TrimSuffix(p.url, "/hooks") + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the other route answers %d", response.StatusCode)
	}
	wantScheduled(t, p.stop(t), 1)
}

// The sender keeps to 50 requests a minute, does not repeat what may have arrived, and
// when it is stopped, what is left is exactly what was not accepted.
func driveSender(t *testing.T, program string) {
	const lines, limit = 60, 50
	var mu sync.Mutex
	var cmd *exec.Cmd
	requests := 0
	tries := map[string]int{}
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := webhook.VerifyRequest(r, 1<<20, secretS(t))
		var sent struct{ Data struct{ N string } }
		if err == nil {
			err = json.Unmarshal(body, &sent)
		}
		if err != nil || r.Header.Get(webhook.HeaderAPIKey) != "key" {
			t.Errorf("%s: %v", body, err)
		}
		mu.Lock()
		defer mu.Unlock()
		requests++
		tries[sent.Data.N]++
		if requests == limit {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
		switch {
		case sent.Data.N == "1" && tries["1"] == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case sent.Data.N == "2":
			panic(http.ErrAbortHandler) // no response
		case sent.Data.N == "3":
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer platform.Close()
	var all []string
	for n := range lines {
		all = append(all, fmt.Sprintf(`{"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{"n":"%d"}}`, n)+"\n")
	}
	all[4] = "not an event\n"
	file := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(file, []byte(strings.Join(all, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	var left, log bytes.Buffer
	cmd = exec.CommandContext(t.Context(), program, platform.URL, file)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "WEBHOOK_SECRET=s", "API_KEY=key"), &left, &log
	err := cmd.Start()
	mu.Unlock()
	if err == nil {
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the sender ends with %v", err)
	}
	want := all[3] + all[4] // the requests are one more than the events: the second was tried twice
	for n := range lines {
		if n > 4 && tries[strconv.Itoa(n)] == 0 {
			want += all[n]
		}
	}
	if left.String() != want {
		t.Errorf("left are\n%s, want\n%s", &left, want)
	}
	if requests != limit || tries["1"] != 2 || tries["2"] != 1 {
		t.Errorf("%d requests, %v", requests, tries)
	}
	for _, part := range []string{`look whether it arrived before you send it again line=3 `, "13 of 60 events were not accepted"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log does not have %q:\n%s", part, &log)
		}
	}
}

// Reports name the files as they are in the repository, and the exit code is the answer.
func driveLint(t *testing.T, program string) {
	repository := t.TempDir()
	for name, text := range map[string]string{
		"payloads/good.json":   string(killed("evt_1")),
		"payloads/bad.ndjson":  string(killed("evt_2")) + "\n" + `{"event_type":"work_order.created","data":[]}` + "\n",
		"clean/v1/good.json":   string(killed("evt_3")),
		"empty/of/payloads.md": "",
	} {
		path := filepath.Join(repository, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		folder, format string
		code           int
		parts          []string
	}{
		{"payloads", "sarif", 1, []string{`"uri":"payloads/bad.ndjson"`}},
		{"./payloads/", "junit", 1, []string{`name="payloads/bad.ndjson"`, `name="payloads/good.json"`}},
		{"payloads", "github", 1, []string{"::error file=payloads/bad.ndjson,line=2,"}},
		{"clean", "junit", 0, []string{`name="clean/v1/good.json"`}},
		{"clean", "github", 0, nil},
		{"empty", "github", 2, []string{"there is no .json, .ndjson or .jsonl file to lint in empty"}},
		{"missing", "github", 2, []string{"missing"}},
		{"payloads", "sarf", 2, []string{`did you mean "sarif"?`}},
	} {
		cmd := exec.CommandContext(t.Context(), program, tt.folder, tt.format)
		cmd.Dir = repository
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != tt.code {
			t.Errorf("%s %s: %v, want exit code %d\n%s", tt.folder, tt.format, err, tt.code, out)
		}
		for _, part := range tt.parts {
			if !strings.Contains(string(out), part) {
				t.Errorf("%s %s: the report does not have %s:\n%s", tt.folder, tt.format, part, out)
			}
		}
	}
}
