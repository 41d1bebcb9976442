package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
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
	"syscall"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/history"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// pointsOf returns the failpoints of writes, see sqlfile.Tx.Failpoints.
func pointsOf(names ...string) (points []string) {
	for _, name := range names {
		points = append(points, name+"/before-write", name+"/after-write", name+"/after-sync")
	}
	return points
}

// everyWrite lists the failpoints that every write passes.
func everyWrite() []string {
	return []string{"sqlfile/before-begin", "sqlfile/before-commit", "sqlfile/after-commit", "sqlfile/before-report"}
}

// A use is a way to use the program that passes some failpoints. run uses it, starts it
// again after the end that the failpoint brought, and checks what was seen.
type use struct {
	points []string
	run    func(*world, *testing.T)
}

func uses() map[string]use {
	requests := []string{"exchange/before-send", "exchange/after-answer"}
	return map[string]use{
		"listen": {slices.Concat(everyWrite(), pointsOf("journal/open", "journal/record", "journal/refused"), []string{"receive/before-answer"}),
			func(w *world, t *testing.T) { w.listen(t, false) }},
		"forward": {slices.Concat(everyWrite(), pointsOf("journal/claim", "journal/record"), requests, []string{"receive/before-answer"}),
			func(w *world, t *testing.T) { w.listen(t, true) }},
		"forward later": {slices.Concat(everyWrite(), pointsOf("journal/record", "journal/forwarded"), requests, []string{"receive/before-answer"}),
			func(w *world, t *testing.T) { w.listen(t, true, "--forward-retries", "3") }},
		"batch": {slices.Concat(everyWrite(), pointsOf("journal/batch", "journal/claim-line", "journal/settle-line", "journal/slot", "journal/slot-answered"), requests),
			(*world).batch},
		"sandbox": {slices.Concat(everyWrite(), pointsOf("sandbox/set-up", "sandbox/apply", "outbox/requeue", "outbox/start", "outbox/settle", "outbox/advance"), requests, []string{"sandbox/before-answer"}),
			(*world).sandbox},
		"prune": {slices.Concat(pointsOf("journal/prune-records", "journal/prune-marks", "journal/prune-pages"), []string{"journal/before-checkpoint", "journal/after-checkpoint"}),
			(*world).prune},
		"import":  {pointsOf("journal/import"), (*world).importRecords},
		"salvage": {[]string{"journal/salvage"}, (*world).salvage},
	}
}

// outside lists the failpoints that the program does not pass: those of the claims of a
// receive.Store, which a service can use a journal as.
func outside() []string { return pointsOf("journal/end-claim") }

// TestFailpoints_are_all_hit compares the failpoints in the source with those that
// TestFailpoints has the program ended at.
func TestFailpoints_are_all_hit(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	hit := regexp.MustCompile(`\.Hit\("([^"]+)"\)|\.hit\("[^"]+", "([^"]+)"\)|\.Failpoints\("([^"]+)"\)`)
	err := filepath.WalkDir("../../pkg", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for line := range strings.Lines(string(source)) {
			m := hit.FindStringSubmatch(line)
			switch {
			case m == nil || strings.HasPrefix(strings.TrimSpace(line), "//"):
			case m[3] != "":
				for _, name := range pointsOf(m[3]) {
					found[name] = true
				}
			default:
				found[m[1]+m[2]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, name := range outside() {
		tested[name] = true
	}
	for _, u := range uses() {
		for _, name := range u.points {
			tested[name] = true
		}
	}
	if !maps.Equal(found, tested) {
		t.Errorf("the source has\n%q,\nthe tests hit\n%q", slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(tested)))
	}
}

// nth lists at which hits of a point, or calls of the system, something happens. With
// WSK_EVERY=1 in the environment it is every one, until there are no more; that takes
// minutes.
func nth(short ...int) []int {
	if os.Getenv("WSK_EVERY") == "" {
		return short
	}
	every := make([]int, 1000)
	for i := range every {
		every[i] = i + 1
	}
	return every
}

// buildWithFailpoints builds the program with its failpoints.
func buildWithFailpoints(t *testing.T) (program string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds the program again")
	}
	program = filepath.Join(t.TempDir(), "wsk")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoint", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestFailpoints ends the program at each failpoint by SIGKILL, at its first, second …
// hit, and has each write that can fail fail once. What was answered before is there
// afterwards, once; and what is handed on is handed on by the promise.
func TestFailpoints(t *testing.T) {
	t.Parallel()
	program := buildWithFailpoints(t)
	for name, u := range uses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, point := range u.points {
				for _, n := range nth(1, 4) {
					w := &world{program: program, dir: t.TempDir(), point: fmt.Sprintf("%s=kill@%d", point, n)}
					u.run(w, t)
					if n == 1 && w.crashes == 0 {
						t.Errorf("%s was not hit", point)
					}
					if w.crashes == 0 {
						break // it has fewer hits
					}
					t.Logf("%s: %s", w.point, w.sum())
				}
				for _, n := range []int{1, 4} {
					if !canFail(point) {
						break
					}
					w := &world{program: program, dir: t.TempDir(), point: fmt.Sprintf("%s=error@%d", point, n), faults: 1}
					u.run(w, t)
					if w.crashes > 0 {
						t.Errorf("%s ended the program", w)
					}
				}
			}
		})
	}
}

// canFail reports whether a failpoint can return an error: what follows it has not
// happened then.
func canFail(point string) bool {
	for _, end := range []string{"/before-write", "/after-write", "/before-begin", "/before-commit"} {
		if strings.HasSuffix(point, end) {
			return true
		}
	}
	return false
}

// world is a folder in which the program is used, what was seen of it, and its end.
type world struct {
	program string
	dir     string
	point   string        // the failpoint of the first start
	wrap    []string      // a command that runs the program, at the first start
	paused  func(pid int) // what is done when the failpoint has stopped it; nil: it never does
	faults  int           // how often it is told that a write failed

	started bool
	crashes int // how often it was killed
	log     history.Log
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) String() string { return strings.Join(append(w.wrap, w.point), " ") }

// sum is what was seen, in short.
func (w *world) sum() string {
	return fmt.Sprintf("acknowledged %d, kept %d, handed on again %d", len(w.log.IDs(history.Acked)), len(w.log.IDs(history.Kept)), w.log.Twice())
}

// report reports the promises that were broken.
func (w *world) report(t *testing.T, found []history.Violation) {
	t.Helper()
	for _, v := range found {
		t.Errorf("%s: %s", w, v)
	}
}

// command is the program with arguments, with the failpoint if it is the first.
func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.program, args...)
	if !w.started && len(w.wrap) > 0 {
		cmd = exec.CommandContext(ctx, w.wrap[0], slices.Concat(w.wrap[1:], []string{w.program}, args)...)
	}
	cmd.Dir = w.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // for stop
	cmd.Env = append(os.Environ(), "HOME="+w.dir, "XDG_STATE_HOME="+w.dir, "XDG_CONFIG_HOME="+w.dir)
	if !w.started {
		cmd.Env = append(cmd.Env, "WSK_FAILPOINTS="+w.point)
	}
	w.started = true
	return cmd
}

// run runs the program to its end and returns its output and exit code. It runs it again
// if a failpoint ended it, or a fault.
func (w *world) run(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	first := !w.started
	cmd := w.command(t.Context(), args...)
	var text, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &problems
	w.start(t, cmd)
	_ = cmd.Wait() // its exit code says it
	if w.killed(cmd.ProcessState) || first && w.faults > 0 && !cmd.ProcessState.Success() {
		return w.run(t, args...)
	}
	if problems.Len() > 0 && cmd.ProcessState.ExitCode() == 2 {
		t.Errorf("%s: %s", w, problems.String())
	}
	return text.String(), cmd.ProcessState.ExitCode()
}

// start starts the program, and has paused called when a failpoint stops it.
func (w *world) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if paused := w.paused; paused != nil {
		w.paused = nil
		go func() {
			if awaitStop(cmd.Process.Pid) {
				paused(cmd.Process.Pid)
			}
		}()
	}
}

// killed counts the end of a process if it is one by SIGKILL.
func (w *world) killed(p *os.ProcessState) bool {
	status, ok := p.Sys().(syscall.WaitStatus)
	killed := ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	if killed {
		w.crashes++
	}
	return killed
}

// victim is a server that may end at any time.
type victim struct {
	world    *world
	cmd      *exec.Cmd
	url      string // "" if it ended before it was ready
	problems *lockedBuffer
}

func (w *world) serve(t *testing.T, args ...string) *victim {
	t.Helper()
	s := &victim{world: w, cmd: w.command(t.Context(), args...), problems: &lockedBuffer{}}
	s.cmd.Stderr = s.problems
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.start(t, s.cmd)
	lines := bufio.NewReader(out)
	if first, err := lines.ReadString('\n'); err == nil {
		s.url = readyURL(first)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until it ends
	return s
}

// stop interrupts the server and waits for its end.
func (s *victim) stop(t *testing.T) {
	t.Helper()
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT) // and what wraps it; it may have ended
	_ = s.cmd.Wait()                                     // its state says it
	if s.world.killed(s.cmd.ProcessState) || s.cmd.ProcessState.Success() {
		return
	}
	status, _ := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	ended := status.ExitStatus() == 2 || status.Signaled() && status.Signal() == syscall.SIGINT // it was ending by itself then
	if s.world.faults == 0 || !ended || s.problems.String() == "" {
		t.Errorf("%s: the server ended with %s\n%s", s.world, s.cmd.ProcessState, s.problems)
	}
}

// again starts a server and has it used, and does so once more if it ended early.
func (w *world) again(t *testing.T, args []string, use func(s *victim, isLast bool)) {
	t.Helper()
	for i := range 2 {
		s := w.serve(t, args...)
		if s.url != "" {
			use(s, i > 0)
		}
		s.stop(t)
	}
}

// senders is how many clients send at once.
const senders = 3

// send sends deliveries from several clients, each until one is not answered. log gets
// what happened.
func (w *world) send(t *testing.T, ids []string, delivery func(id string) deliver.Delivery) {
	t.Helper()
	transport := deliver.NewTransport()
	defer transport.CloseIdleConnections()
	client := deliver.Client{Transport: transport}
	var wait sync.WaitGroup
	for part := range slices.Chunk(ids, (len(ids)+senders-1)/senders) {
		wait.Go(func() {
			for _, id := range part {
				d := delivery(id)
				d.Secret = secretS(t)
				w.log.Add(history.Sent, id)
				record, err := client.Attempt(t.Context(), d, 0)
				switch {
				case err != nil || record.Response == nil:
					return // it has ended
				case record.Response.Status == http.StatusOK:
					w.log.Add(history.Acked, id)
					if bytes.Contains(record.Response.Body, []byte(`"duplicate":true`)) {
						w.log.Add(history.Known, id)
					}
				case w.faults == 0 || record.Response.Status != http.StatusServiceUnavailable:
					t.Errorf("%s: %s was answered with %d: %s", w, id, record.Response.Status, record.Response.Body)
				}
			}
		})
	}
	wait.Wait()
}

// ids returns n ids.
func ids(prefix string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%s%d", prefix, i+1))
	}
	return list
}

// app is an app or a subscriber that takes everything, and logs it.
func (w *world) app(t *testing.T) (url string, all func(want []string) bool) {
	t.Helper()
	came := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			w.log.Add(history.Handed, r.Header.Get(webhook.HeaderID))
			came <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func(want []string) bool {
		timeout := time.After(20 * time.Second)
		for slices.ContainsFunc(want, func(id string) bool { return w.log.Count(history.Handed, id) == 0 }) {
			select {
			case <-came:
			case <-timeout:
				return false
			}
		}
		return true
	}
}

// listen uses wsk listen: clients send, the listener ends, and what was not answered is
// sent again to the next one, as well as what was.
func (w *world) listen(t *testing.T, forwards bool, flags ...string) {
	t.Helper()
	path := w.path("journal.db")
	args := append([]string{"listen", "--port", "0", "--secret", "s", "--journal", path, "--json"}, flags...)
	handedOn := func([]string) bool { return true }
	if forwards {
		var app string
		app, handedOn = w.app(t)
		args = append(args, "--forward-to", app)
	}
	all := ids("whk_", 2*senders)
	w.again(t, args, func(s *victim, isLast bool) {
		stop := flood(t, s.url)
		w.send(t, all, func(id string) deliver.Delivery {
			return deliver.Delivery{URL: s.url, Event: webhook.Event{Raw: killed(id)}, WebhookID: id}
		})
		stop()
		if isLast {
			handedOn(w.log.IDs(history.Acked))
		}
	})
	w.readJournal(t, path)
	for _, id := range all {
		if w.log.Count(history.Acked, id) == 0 {
			t.Errorf("%s: %s was never answered", w, id)
		}
	}
	w.report(t, w.log.CheckReceiver(history.Receiver{HandsOn: forwards, Crashes: w.crashes + w.faults, Width: len(all)}))
}

// readJournal logs what a journal has received, and checks the file.
func (w *world) readJournal(t *testing.T, path string) {
	t.Helper()
	wantIntact(t, path)
	j, err := journal.Open(t.Context(), path, journal.Options{MustExist: true})
	if err != nil {
		t.Fatalf("%s: %v", w, err)
	}
	defer func() { _ = j.Close() }() // it was only read
	for r, err := range j.Records(t.Context(), journal.Filter{}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case r.Direction != webhook.Received || r.Verdict.Outcome != webhook.Accepted:
			continue
		}
		w.log.Add(history.Kept, r.WebhookID)
		if !bytes.Equal(r.Request.Body, killed(r.WebhookID)) {
			w.log.Add(history.Torn, r.WebhookID)
		}
		if r.Forward != nil {
			w.log.Add(history.Done, r.WebhookID)
		}
	}
}

// wantIntact checks a SQLite file.
func wantIntact(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("%s is damaged: %s, %v", path, verdict, err)
	}
}

// batch uses wsk send --batch, resumes it, and sends the lines whose outcome is unknown
// again.
func (w *world) batch(t *testing.T) {
	const size = 4
	c := newCounting(t)
	file, lines := batchFile(t, w.dir, "staff.ndjson", size)
	summary := func(args ...string) (s batchSummary) {
		t.Helper()
		out, _ := w.run(t, append([]string{
			"send", "--batch", file, "--url", c.URL, "--api-key", "k", "--secret", "s", "--no-lint", "--json", "--resume", "--rate", "1000/s",
		}, args...)...)
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatalf("%s: the summary %q: %v", w, out, err)
		}
		return s
	}
	s := summary()
	for i, line := range lines {
		id := strconv.Itoa(i + 1)
		w.log.Add(history.Sent, id)
		for range c.count(line) {
			w.log.Add(history.Handed, id)
		}
		if slices.Contains(s.UnknownLines, i+1) {
			w.log.Add(history.Unknown, id)
		} else {
			w.log.Add(history.Acked, id) // the ledger says so
			w.log.Add(history.Accepted, id)
			w.log.Add(history.Kept, id)
		}
	}
	if s.Accepted != size-s.Unknown || s.Pending+s.Refused > 0 || s.Unknown > w.crashes+w.faults {
		t.Errorf("%s: %+v", w, s)
	}
	w.report(t, w.log.CheckBatch(false))
	if s = summary("--retry-unknown"); s.Accepted != size {
		t.Errorf("%s: %+v", w, s)
	}
	for i, line := range lines {
		if n, most := c.count(line), 1+w.log.Count(history.Unknown, strconv.Itoa(i+1)); n < 1 || n > most {
			t.Errorf("%s: line %d arrived %d times in the end", w, i+1, n)
		}
	}
	wantIntact(t, w.path("wsk/journal.db"))
}

// subscriber refuses the first attempt of every delivery, and notes all of them.
type subscriber struct {
	mu       sync.Mutex
	attempts map[string][]history.Attempt
}

func (s *subscriber) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return
	}
	n, _ := strconv.Atoi(r.Header.Get(webhook.HeaderRetry)) // CheckSchedule finds what is not a number
	status := http.StatusOK
	if n == 0 {
		status = http.StatusInternalServerError
	}
	id := r.Header.Get(webhook.HeaderID)
	s.mu.Lock()
	s.attempts[id] = append(s.attempts[id], history.Attempt{N: n, Status: status})
	s.mu.Unlock()
	rw.WriteHeader(status)
}

// sandbox uses wsk sandbox: clients send vendors, and the clock is advanced to the second
// attempt of their deliveries.
func (w *world) sandbox(t *testing.T) {
	path := w.path("box.db")
	sub := &subscriber{attempts: map[string][]history.Attempt{}}
	receiver := httptest.NewServer(sub)
	defer receiver.Close()
	args := []string{"sandbox", "--port", "0", "--api-key", "k", "--secret", "s", "--no-limits", "--data", path, "--json", "--subscribe", receiver.URL}
	use := 0
	w.again(t, args, func(s *victim, _ bool) {
		use++
		w.send(t, ids(fmt.Sprintf("v%d-", use), senders), func(id string) deliver.Delivery { return vendor(s.url, id, "") })
		advance(t, s.url, "10m") // it waits for the attempts
	})
	w.again(t, args, func(s *victim, _ bool) { advance(t, s.url, "100h") })
	wantIntact(t, path)
	w.checkSandbox(t, path, sub)
}

// advance advances the clock of a sandbox that may end meanwhile.
func advance(t *testing.T, url, d string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(url, sandbox.Path)+sandbox.AdminPath+"advance", strings.NewReader(`{"duration":"`+d+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if answer, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body) // nor must it be read
		_ = answer.Body.Close()
	}
}

// checkSandbox checks the records of a sandbox's file, and their deliveries: each vendor
// has one.
func (w *world) checkSandbox(t *testing.T, path string, sub *subscriber) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	rows, err := db.QueryContext(t.Context(), `SELECT r.name, coalesce(d.id, ''), coalesce(d.state, ''), coalesce(d.attempts, 0)
		FROM record r LEFT JOIN delivery d ON instr(CAST(d.body AS TEXT), '"' || r.name || '"') WHERE r.kind = 'vendor'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err is checked
	deliveries := map[string]bool{}
	for rows.Next() {
		var name, id, state string
		var attempts int
		if err := rows.Scan(&name, &id, &state, &attempts); err != nil {
			t.Fatal(err)
		}
		w.log.Add(history.Kept, name) // twice, if it has two deliveries
		deliveries[id] = true
		made := sub.attempts[id]
		if state == "delivered" {
			w.log.Add(history.Done, name)
		}
		for _, a := range made {
			if a.Status == http.StatusOK {
				w.log.Add(history.Handed, name)
			}
		}
		w.report(t, history.CheckSchedule(id, made, 6, w.crashes+w.faults))
		if id == "" || state != "delivered" || attempts > 6 || len(made) > attempts {
			t.Errorf("%s: %s has the delivery %q, %s after %d attempts, of which %d arrived", w, name, id, state, attempts, len(made))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for id := range sub.attempts {
		if !deliveries[id] {
			t.Errorf("%s: %s arrived, and is in no file", w, id)
		}
	}
	w.report(t, w.log.CheckReceiver(history.Receiver{HandsOn: true, Crashes: w.crashes + w.faults, Width: 2 * senders}))
}

// The records of a journal that is pruned, imported and salvaged.
const (
	oldRecords = 250 // more than a step
	newRecords = 30
)

// fillJournal makes a journal of old and of new records.
func fillJournal(t *testing.T, path string) {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var records []webhook.Record
	for i := range oldRecords + newRecords {
		r := webhook.Record{
			ID: fmt.Sprintf("rec_%d", i), Time: time.Date(2020, 1, 1, 0, 0, i, 0, time.UTC), Direction: webhook.Received, WebhookID: fmt.Sprintf("whk_%d", i),
			Request: webhook.Request{Method: http.MethodPost, URL: "/", Body: bytes.Repeat(killed("x"), 20)}, Verdict: &webhook.Verdict{Outcome: webhook.Accepted},
		}
		if i >= oldRecords {
			r.Time = r.Time.AddDate(5, 0, 0)
		}
		records = append(records, r)
	}
	if _, err := j.Import(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// wantRecords counts the records of a journal.
func (w *world) wantRecords(t *testing.T, path string, want int) {
	t.Helper()
	wantIntact(t, path)
	out, code := w.run(t, "journal", "export", "--journal", path)
	if n := strings.Count(out, "\n"); n != want || code != 0 {
		t.Errorf("%s: %d records are in the journal, want %d; exit code %d", w, n, want, code)
	}
}

// prune prunes a journal until it is done.
func (w *world) prune(t *testing.T) {
	path := w.path("journal.db")
	fillJournal(t, path)
	w.run(t, "journal", "prune", "--older-than", "2024-01-01", "--journal", path)
	w.wantRecords(t, path, newRecords)
}

// importRecords imports a journal into another until it is done.
func (w *world) importRecords(t *testing.T) {
	from, to, file := w.path("from.db"), w.path("to.db"), w.path("records.ndjson")
	fillJournal(t, from)
	export := exec.CommandContext(t.Context(), w.program, "journal", "export", "--journal", from, "-o", file)
	if out, err := export.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.run(t, "journal", "import", file, "--journal", to)
	w.wantRecords(t, to, oldRecords+newRecords)
}

// salvage salvages a journal that was cut off until it is done.
func (w *world) salvage(t *testing.T) {
	path := w.path("journal.db")
	fillJournal(t, path)
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	salvage := func() string {
		out, _ := w.run(t, "journal", "export", "--salvage", "--journal", path)
		return out
	}
	if first := salvage(); !strings.Contains(first, "\n") || salvage() != first {
		t.Errorf("%s: %d bytes were salvaged, and others the next time", w, len(first))
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("%s: salvage has changed the file: %v", w, err)
	}
}
