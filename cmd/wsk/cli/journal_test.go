package cli

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// records returns n records of a second each, with bodies of about 1 KB.
func records(n int) []webhook.Record {
	list := make([]webhook.Record, n)
	for i := range list {
		list[i] = webhook.Record{
			ID: fmt.Sprintf("rec_%06d", i), Time: time.Unix(1764000000+int64(i), 0).UTC(), Direction: webhook.Received, Event: "work_order.created", WebhookID: fmt.Sprintf("whk_%d", i),
			Request:  webhook.Request{Method: "POST", URL: "/", Body: bytes.Repeat([]byte("x"), 1000)},
			Verdict:  &webhook.Verdict{Outcome: webhook.Accepted, Verified: true},
			Response: &webhook.Response{Status: 200},
		}
	}
	return list
}

// withJournal returns a fake whose journal has n records.
func withJournal(t *testing.T, n int) *fake {
	t.Helper()
	f := newFake(t)
	path := filepath.Join(f.Dir, "journal.db")
	f.Vars["WSK_JOURNAL"] = path
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err == nil {
		_, err = j.Import(t.Context(), records(n))
	}
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// writer is a function as an [io.Writer].
type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// A document that ends early, because of a person or of the disk, is valid JSON: it
// has the records so far, and says why it ends. Lines are whole.
func TestJournal_ends_early(t *testing.T) {
	t.Parallel()
	const many = 2000
	for name, test := range map[string]struct {
		line, damage, fault string
		code                int
	}{
		"list, interrupted":            {"journal list --limit 0 --json", "", "interrupted", exitInterrupted},
		"list of lines, interrupted":   {"journal list --limit 0 --format ndjson", "", "", exitInterrupted},
		"export, interrupted":          {"journal export --json", "", "interrupted", exitInterrupted},
		"export of lines, interrupted": {"journal export", "", "", exitInterrupted},
		"list, damaged":                {"journal list --limit 0 --json", "rec_000300", "record rec_000300: header line without a colon", exitUsage},
		"export, damaged":              {"journal export --json", "rec_001700", "record rec_001700: header line without a colon", exitUsage},
		"export of lines, damaged":     {"journal export", "rec_001700", "", exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := withJournal(t, many)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			if test.damage != "" {
				db, err := sql.Open("sqlite", f.Vars["WSK_JOURNAL"])
				if err == nil {
					_, err = db.ExecContext(ctx, "UPDATE record SET headers = 'none' WHERE id = ?", test.damage)
				}
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = db.Close() }()
			}
			f.Out = writer(func(b []byte) (int, error) {
				if test.damage == "" {
					interrupt()
				}
				return f.Stdout.Write(b)
			})
			if code := Main(ctx, f.Env, strings.Fields(test.line)); code != test.code {
				t.Fatalf("exit code %d, want %d: %s", code, test.code, &f.Stderr)
			}
			var document struct {
				Total   *int
				Records []struct{ ID string }
				Error   string
			}
			read := 0
			if decoder := json.NewDecoder(&f.Stdout); strings.HasSuffix(test.line, "--json") {
				if err := decoder.Decode(&document); err != nil {
					t.Fatal(err)
				}
				read = len(document.Records)
				if !strings.Contains(document.Error, test.fault) {
					t.Errorf("it says %q, want %q", document.Error, test.fault)
				}
				if document.Total != nil && *document.Total != many {
					t.Errorf("the total is %d, want %d", *document.Total, many)
				}
			} else {
				for ; ; read++ {
					var r webhook.Record
					if err := decoder.Decode(&r); err == io.EOF {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
			if read == 0 || read >= many {
				t.Errorf("%d records of %d came before the end", read, many)
			}
		})
	}
}

// A reader that leaves ends the command, and the command reads no further.
func TestJournal_when_the_reader_leaves(t *testing.T) {
	t.Parallel()
	f := withJournal(t, 2000)
	for _, line := range []string{"journal list --limit 0", "journal list --limit 0 --json", "journal list --limit 0 --format ndjson", "journal export", "journal export --json"} {
		writes := 0
		f.Out = writer(func([]byte) (int, error) {
			writes++
			return 0, syscall.EPIPE
		})
		if code := Main(t.Context(), f.Env, strings.Fields(line)); code != exitYes || f.Stderr.Len() > 0 || writes != 1 {
			t.Errorf("%s: exit code %d after %d writes: %s", line, code, writes, &f.Stderr)
		}
	}
}

// What a command holds in memory does not grow with the journal, nor does what it
// allocates for a record.
func TestJournal_holds_a_part(t *testing.T) { //nolint:paralleltest // it measures the whole process
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const small, large = 2500, 20_000
	journals := map[int]*fake{small: withJournal(t, small), large: withJournal(t, large)}
	lines := map[int][]byte{}
	for n := range journals {
		var b bytes.Buffer
		for _, r := range records(n) {
			r.ID += "b"
			if err := webhook.NewEncoder(&b).Encode(r); err != nil {
				t.Fatal(err)
			}
		}
		lines[n] = b.Bytes()
	}
	measure := func(n int, line string) (held, allocated int64) {
		f := journals[n]
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		passed := 0
		sample := func(b []byte) (int, error) {
			if passed += len(b); passed > n*20 { // a few times for any n
				passed = 0
				runtime.GC()
				runtime.ReadMemStats(&now)
				held = max(held, int64(now.HeapAlloc)-int64(before.HeapAlloc))
			}
			return len(b), nil
		}
		f.Out = writer(sample)
		f.In = io.TeeReader(bytes.NewReader(lines[n]), writer(sample))
		if code := Main(t.Context(), f.Env, strings.Fields(line)); code != exitYes {
			t.Fatalf("%s: exit code %d: %s", line, code, &f.Stderr)
		}
		runtime.ReadMemStats(&now)
		return held, int64(now.TotalAlloc-before.TotalAlloc) / int64(n)
	}
	for _, line := range []string{
		"journal list --limit 0", "journal list --limit 0 --json", "journal list --limit 0 --format ndjson", "journal list --limit 0 --since 2020-01-01",
		"journal export", "journal export --json", "journal import -",
	} {
		held, each := measure(small, line)
		heldLater, eachLater := measure(large, line)
		if held == 0 || heldLater > held*3/2+256<<10 || float64(eachLater) > 1.2*float64(each) {
			t.Errorf("%s: %d records hold %d bytes and allocate %d for each, %d records %d and %d", line, small, held, each, large, heldLater, eachLater)
		}
	}
}
