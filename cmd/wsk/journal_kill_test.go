package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// killRounds is how often the listener is killed; $WSK_KILL_ROUNDS overrides it.
func killRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WSK_KILL_ROUNDS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// killed is an event for a listener that will be killed.
func killed(id string) []byte {
	return fmt.Appendf(nil, `{"event_type":"work_order.created","event_id":%q,"timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{}}`, id)
}

// startListener starts wsk listen on a journal and returns it with its URL.
func startListener(t *testing.T, path string) (cmd *exec.Cmd, url string) {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), program, "listen", "--port", "0", "--secret", "s", "--journal", path, "--json")
	url, _ = started(t, cmd)
	return cmd, url
}

// started starts a listener and returns its URL and its output.
func started(t *testing.T, cmd *exec.Cmd) (url string, problems *lockedBuffer) {
	t.Helper()
	problems = &lockedBuffer{}
	cmd.Stderr = problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the listener printed nothing: %v\n%s", err, problems)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until it ends
	return readyURL(first), problems
}

// secretS is the secret of these tests' servers.
func secretS(t *testing.T) webhook.Secret {
	t.Helper()
	secret, err := webhook.NewSecret("s")
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// load sends deliveries with distinct ids from many senders until the server
// has ended, and returns the ids that were answered with 200.
func load(t *testing.T, round int, delivery func(id string) deliver.Delivery) (answered []string) {
	t.Helper()
	transport := deliver.NewTransport()
	defer transport.CloseIdleConnections()
	client := deliver.Client{Transport: transport, Now: time.Now, NewID: func() string { return "x" }}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for sender := range 16 {
		wait.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", round, sender, n)
				d := delivery(id)
				d.Secret, d.Timeout = secretS(t), 10*time.Second
				record, err := client.Attempt(context.Background(), d, 0)
				if err != nil || record.Response == nil {
					return
				}
				if record.Response.Status != 200 {
					t.Errorf("%s was answered with %d: %s", id, record.Response.Status, record.Response.Body)
					return
				}
				mu.Lock()
				answered = append(answered, id)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return answered
}

// flood sends requests that are refused, until the server has ended or the function
// is called that it returns.
func flood(t *testing.T, url string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	transport := deliver.NewTransport()
	client := http.Client{Transport: transport}
	var wait sync.WaitGroup
	wait.Go(func() {
		defer transport.CloseIdleConnections()
		for {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(strings.Repeat("x", 5000)))
			if err != nil {
				t.Error(err)
				return
			}
			answer, err := client.Do(r)
			if err != nil {
				return // the server has ended
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("an unsigned request was answered with %d", answer.StatusCode)
			}
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}

// TestListen_killed_keeps_what_it_answered_with_200 kills a listener under load,
// again and again on one journal. Beside it come requests that it refuses, whose
// records may be lost.
func TestListen_killed_keeps_what_it_answered_with_200(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	rounds, total, before := killRounds(t), 0, ""
	for round := range rounds {
		began := time.Now()
		cmd, url := startListener(t, path)
		if before != "" {
			wantDuplicate(t, url, before)
		}
		timer := time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		stop := flood(t, url)
		answered := load(t, round, func(id string) deliver.Delivery {
			return deliver.Delivery{URL: url, Event: webhook.Event{Raw: killed(id)}, WebhookID: id}
		})
		stop()
		timer.Stop()
		_ = cmd.Wait()
		if cmd.ProcessState.Exited() {
			t.Fatalf("round %d: the listener ended by itself: %s", round, cmd.ProcessState)
		}
		held := storedIDs(t, path, began)
		for _, id := range answered {
			if !held[id] {
				t.Errorf("round %d: %s was answered with 200 and is not in the journal", round, id)
			}
		}
		if total += len(answered); len(answered) > 0 {
			before = answered[rand.IntN(len(answered))]
		}
	}
	if total < rounds {
		t.Errorf("%d deliveries in %d rounds: that is no load", total, rounds)
	}
	t.Logf("%d deliveries were answered with 200 in %d rounds, and all are in the journal", total, rounds)
}

// storedIDs reads the ids of a round, and checks that no record is torn.
func storedIDs(t *testing.T, path string, began time.Time) map[string]bool {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // it was only read
	held := map[string]bool{}
	for r, err := range j.Records(t.Context(), journal.Filter{Since: began, Status: []string{"ok"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if event, err := webhook.ParseEvent(r.Request.Body); err != nil || event.ID != r.WebhookID && event.ID != "" {
			t.Errorf("%s is torn: %v", r.WebhookID, err)
		}
		held[r.WebhookID] = true
	}
	return held
}

// wantDuplicate sends a delivery that was answered before the kill.
func wantDuplicate(t *testing.T, url, id string) {
	t.Helper()
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	record, err := client.Attempt(t.Context(), deliver.Delivery{URL: url, Event: webhook.Event{Raw: killed(id)}, Secret: secretS(t), WebhookID: id}, 0)
	if err != nil || record.Response == nil || string(record.Response.Body) != `{"received":true,"duplicate":true}` {
		t.Errorf("%s after the restart: %+v, %v", id, record.Response, err)
	}
}
