package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A program that starts a server often reads the ready line and no more. The
// server still answers, and ends when it is interrupted.
func TestServer_continues_when_nobody_reads_its_output(t *testing.T) {
	t.Parallel()
	notes := strings.Repeat("long ", 2000)
	for name, server := range map[string]struct {
		args     []string
		delivery func(url, id string) deliver.Delivery
	}{
		"listen": {[]string{"listen", "--no-journal"}, func(url, id string) deliver.Delivery {
			raw := fmt.Appendf(nil, `{"event_type":"work_order.created","event_id":%q,"timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{"notes":%q}}`, id, notes)
			return deliver.Delivery{URL: url, Event: webhook.Event{Raw: raw}, WebhookID: id}
		}},
		"sandbox": {[]string{"sandbox", "--api-key", "k", "--no-limits"}, func(url, id string) deliver.Delivery { return vendor(url, id, notes) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, stop := startUnread(t, append(server.args, "--port", "0", "--secret", "s", "--json"))
			transport := deliver.NewTransport()
			defer transport.CloseIdleConnections()
			client := deliver.Client{Transport: transport, Now: time.Now, NewID: func() string { return "x" }}
			for n := range 30 { // a pipe holds 64 KiB
				d := server.delivery(url, fmt.Sprintf("event-%d", n))
				d.Secret, d.Timeout = secretS(t), 30*time.Second
				record, err := client.Attempt(t.Context(), d, 0)
				if err != nil || record.Response == nil || record.Response.Status != 200 {
					t.Fatalf("event %d: %v, %s, %+v", n, err, record.Error, record.Response)
				}
			}
			said, err := stop()
			if err != nil || !strings.Contains(said, "wsk: nobody read the output; not shown: ") {
				t.Errorf("it ended with %v and printed %q", err, said)
			}
		})
	}
}

// startUnread starts a server and reads its first line. stop interrupts it, and
// returns its stderr.
func startUnread(t *testing.T, args []string) (url string, stop func() (said string, err error)) {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	problems := &lockedBuffer{}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = in, problems
	err = cmd.Start()
	_ = in.Close()
	if err != nil {
		t.Fatal(err)
	}
	first, err := bufio.NewReaderSize(out, 16).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return readyURL(first), func() (string, error) {
		_ = cmd.Process.Signal(os.Interrupt)
		err := cmd.Wait()
		return problems.String(), err
	}
}
