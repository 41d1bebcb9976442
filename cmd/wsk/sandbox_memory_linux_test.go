package main

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// million is how many projects, and how many dead deliveries, the sandbox holds.
const million = 1_000_000

// fill puts a million projects, and as many deliveries to a URL, into a
// sandbox's file, past the sandbox: through it they would take minutes.
func fill(t *testing.T, path, url string) {
	t.Helper()
	makeSandboxFile(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // what was written is read below
	for _, text := range []string{
		"PRAGMA synchronous = OFF",
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO record (id, company, kind, key, parent, name, folded, created, updated, fields)
			SELECT 'proj_' || i, 'comp_sandbox', 'project', 'P-' || i, '', 'Pier ' || i, 'pier ' || i, i, i, '{"project_name":"Pier ' || i || '"}' FROM n`, million),
		"INSERT INTO subscription (id, company, url, events, form, secret, api_key, created) VALUES ('sub_1', 'comp_sandbox', '" + url + "', 'null', 'outbound', 's', '', 0)",
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO delivery (id, company, subscription, event, form, body, state, attempts, due, created, status, error)
			SELECT 'whk_' || i, 'comp_sandbox', 'sub_1', 'vendor.created', 'outbound', CAST('{"n":' || i || '}' AS BLOB), 'dead', 6, i, i, 500, '' FROM n`, million),
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
}

// peak is the most memory that a process has had, in bytes.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmHWM:")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// endless sends a gibibyte in chunks, without a key or a signature, and returns
// how much of it was read and the first line of the response.
func endless(t *testing.T, url string) (taken int64, answer string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), sandbox.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c).ReadString('\n')
		said <- line
	}()
	_, err = io.WriteString(c, "POST "+sandbox.Path+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	chunk := append(append([]byte("10000\r\n"), make([]byte, 0x10000)...), "\r\n"...)
	for err == nil && taken < 1<<30 {
		_, err = c.Write(chunk)
		taken += 0x10000
	}
	return taken, <-said
}

// THREATS rows 10 and 47: neither a million records and ids nor an endless body
// takes memory.
func TestSandbox_memory_with_a_million_records(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a file of a million records takes a while")
	}
	path := filepath.Join(t.TempDir(), "box.db")
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	fill(t, path, receiver.URL)
	cmd, url := startSandbox(t, path)
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	began := peak(t, cmd.Process.Pid)
	if got := ask(t, http.MethodGet, url, "status", ""); !strings.Contains(got, `"project":1000000`) || !strings.Contains(got, `"dead":1000000`) {
		t.Errorf("the status is %s", got)
	}
	if got := ask(t, http.MethodGet, url, "records?kind=project&limit=2", ""); !strings.Contains(got, "Pier 999999") {
		t.Errorf("the records are %s", got)
	}
	client := deliver.Client{Transport: deliver.NewTransport(), Now: time.Now, NewID: func() string { return "x" }}
	send := func(event, data string) string {
		t.Helper()
		r, err := client.Attempt(t.Context(), deliver.Delivery{URL: url, Secret: secretS(t), Header: deliver.Inbound("k", "custom"), Event: webhook.Event{
			Raw: fmt.Appendf(nil, `{"event_type":%q,"timestamp":"2026-01-15T14:30:00Z","source":"test","data":%s}`, event, data),
		}}, 0)
		if err != nil || r.Response == nil {
			t.Fatalf("%s: %v %s", event, err, r.Error)
		}
		return string(r.Response.Body)
	}
	if got := send("project.search", `{"search_term":"pier 99999"}`); !strings.Contains(got, `"count":19}`) {
		t.Errorf("found %s", got)
	}
	if got := send("project.search", `{"search_term":"P-77","search_field":"project_code"}`); !strings.Contains(got, `"count":100}`) {
		t.Errorf("found %s", got)
	}
	if got := send("project.deleted", `{"project_code":"P-500000"}`); !strings.Contains(got, `"success":true`) {
		t.Errorf("deleting: %s", got)
	}
	if got := ask(t, http.MethodPost, url, "deliveries/resend", `{"state":"dead"}`); !strings.Contains(got, `"resent":1000000`) {
		t.Errorf("sending again: %s", got)
	}
	if taken, answer := endless(t, url); !strings.Contains(answer, "413") || taken > 64<<20 {
		t.Errorf("of an endless body %d MiB were read: %q", taken>>20, answer)
	}
	grown := peak(t, cmd.Process.Pid) - began
	t.Logf("began with %d MiB, grew by %d MiB", began>>20, grown>>20)
	if grown > 64<<20 {
		t.Errorf("the sandbox's memory grew by %d MiB", grown>>20)
	}
}
