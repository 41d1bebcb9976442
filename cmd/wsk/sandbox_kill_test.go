package main

import (
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// startSandbox starts wsk sandbox on a file and returns it with the URL for its
// events.
func startSandbox(t *testing.T, path string, args ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"sandbox", "--port", "0", "--api-key", "k", "--secret", "s", "--no-limits", "--data", path, "--json"}, args...)
	cmd = exec.CommandContext(t.Context(), program, args...)
	url, _ = started(t, cmd)
	return cmd, url
}

// vendor is an event that makes a vendor of that name, with notes.
func vendor(url, name, notes string) deliver.Delivery {
	raw := fmt.Appendf(nil, `{"event_type":"vendor.created","timestamp":"2026-01-15T14:30:00Z","source":"test","data":{"vendor_name":%q,"notes":%q}}`, name, notes)
	return deliver.Delivery{URL: url, Event: webhook.Event{Raw: raw}, Header: deliver.Inbound("k", "custom")}
}

// makeSandboxFile creates a sandbox's file with the default records of a company.
func makeSandboxFile(t *testing.T, path string) {
	t.Helper()
	box, err := sandbox.New(t.Context(), sandbox.Config{Data: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
}

// vendors lists the names of the vendors in a sandbox's file.
func vendors(t *testing.T, path string) map[string]bool {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM record WHERE kind = 'vendor'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err is checked
	stored := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		stored[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return stored
}

// ask sends a request to a sandbox's admin API and returns the response.
func ask(t *testing.T, method, url, question, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(url, sandbox.Path)+sandbox.AdminPath+question, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", question, answer.StatusCode, raw, err)
	}
	return string(raw)
}

// TestSandbox_killed_keeps_what_it_answered_with_200 kills it under load, again and again
// on one file.
func TestSandbox_killed_keeps_what_it_answered_with_200(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	rounds, total := killRounds(t), 0
	for round := range rounds {
		cmd, url := startSandbox(t, path)
		timer := time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		answered := load(t, round, func(id string) deliver.Delivery { return vendor(url, id, "") })
		timer.Stop()
		_ = cmd.Wait()
		if cmd.ProcessState.Exited() {
			t.Fatalf("round %d: the sandbox ended by itself: %s", round, cmd.ProcessState)
		}
		held := vendors(t, path)
		for _, name := range answered {
			if !held[name] {
				t.Errorf("round %d: %s was answered with 200 and is not there", round, name)
			}
		}
		total += len(answered)
	}
	if total < rounds {
		t.Errorf("%d events in %d rounds: that is no load", total, rounds)
	}
	t.Logf("%d events were answered with 200 in %d rounds, and all are there", total, rounds)
}

// THREATS row 42: killed in an attempt and between attempts, the schedule
// continues, with six attempts at most.
func TestSandbox_killed_continues_the_retry_schedule(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	came := make(chan *http.Request, 16)
	cut := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- r
		if r.Header.Get(webhook.HeaderRetry) == "1" {
			<-cut // the sandbox is killed while it waits for this answer
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer receiver.Close()
	var retries, ids []string
	next := func() {
		t.Helper()
		r := <-came
		retries, ids = append(retries, r.Header.Get(webhook.HeaderRetry)), append(ids, r.Header.Get(webhook.HeaderID))
	}
	kill := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	cmd, url := startSandbox(t, path, "--subscribe", receiver.URL)
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	d := vendor(url, "V", "")
	d.Secret = secretS(t)
	if record, err := client.Attempt(t.Context(), d, 0); err != nil || record.Response == nil || record.Response.Status != http.StatusOK {
		t.Fatalf("%+v, %v", record.Response, err)
	}
	next()
	go func() { // it would respond only when the attempt has ended, which never happens
		r, _ := http.NewRequest(http.MethodPost, strings.TrimSuffix(url, sandbox.Path)+sandbox.AdminPath+"advance", strings.NewReader(`{"duration":"1m"}`))
		r.Header.Set("Content-Type", "application/json")
		if answer, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = answer.Body.Close()
		}
	}()
	next()
	kill(cmd) // in an attempt
	close(cut)
	for range 2 {
		cmd, url = startSandbox(t, path, "--subscribe", receiver.URL)
		ask(t, http.MethodPost, url, "advance", `{"duration":"6h"}`)
		next()
		kill(cmd) // between attempts
	}
	cmd, url = startSandbox(t, path, "--subscribe", receiver.URL)
	defer kill(cmd)
	for range 2 {
		ask(t, http.MethodPost, url, "advance", `{"duration":"6h"}`)
		next()
	}
	ask(t, http.MethodPost, url, "advance", `{"duration":"100h"}`)
	if got := ask(t, http.MethodGet, url, "deliveries", ""); !strings.Contains(got, `"state":"dead"`) || !strings.Contains(got, `"attempts":6`) {
		t.Errorf("in the end: %s", got)
	}
	if want := []string{"0", "1", "2", "3", "4", "5"}; !slices.Equal(retries, want) || len(came) > 0 || len(slices.Compact(ids)) != 1 {
		t.Errorf("attempts %v under the ids %v, and %d more", retries, ids, len(came))
	}
}
