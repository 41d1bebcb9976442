package journal

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestPutKeepsEveryFieldOfARecord(t *testing.T) {
	t.Parallel()
	bare := webhook.Record{ID: "rec_1", Time: clock(), Direction: webhook.Sent, Request: webhook.Request{Method: "POST", URL: "http://x"}}
	with := func(edit func(*webhook.Record)) webhook.Record {
		r := sample(1)
		edit(&r)
		return r
	}
	for name, r := range map[string]webhook.Record{
		"with little in it":     bare,
		"with all in it":        sample(1),
		"with bytes for a body": with(func(r *webhook.Record) { r.Request.Body = []byte("\x00\xff\xfe\r\n") }),
		"with an empty answer":  with(func(r *webhook.Record) { r.Response = &webhook.Response{Status: 204} }),
		"without an answer":     with(func(r *webhook.Record) { r.Response, r.Error = nil, "connection refused" }),
		"with a cut answer":     with(func(r *webhook.Record) { r.Response.Truncated = true }),
		"with the app's answer": with(func(r *webhook.Record) { r.Forward = &webhook.Response{Status: 500, Body: []byte("\xff")} }),
		"with a long duration":  with(func(r *webhook.Record) { r.Duration = 7*time.Hour + 1 }),
		"with nanoseconds":      with(func(r *webhook.Record) { r.Time = r.Time.Add(123456789) }),
		"with a header twice": with(func(r *webhook.Record) {
			r.Request.Header = webhook.Header{{Name: "a", Value: "1"}, {Name: "A", Value: "2"}}
		}),
		"with an empty value":     with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "a", Value: ""}} }),
		"with spaces in a value":  with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "a", Value: " : b "}} }),
		"with a value of bytes":   with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "a", Value: "\xff\xfe"}} }),
		"with a line break in it": with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "a", Value: "1\nb: 2"}} }),
		"with a name that is none": with(func(r *webhook.Record) {
			r.Request.Header = webhook.Header{{Name: "[a: b", Value: "1"}, {Name: "", Value: ""}}
		}),
		"with a carriage return": with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "a", Value: "1\r"}} }),
		"with a refusal": with(func(r *webhook.Record) {
			r.Verdict = &webhook.Verdict{Outcome: webhook.Refused, Reason: "x", Detail: "y", Warnings: []string{"z"}, Diagnosis: &webhook.Diagnosis{ID: "body", Summary: "s", Fix: "f", Certain: true}}
		}),
		"with findings": with(func(r *webhook.Record) {
			r.Verdict.Findings = []webhook.Finding{{Severity: "error", Rule: "type", Pointer: "/a", Message: "m"}}
		}),
		"without a verdict":         with(func(r *webhook.Record) { r.Verdict = nil }),
		"from before the epoch":     with(func(r *webhook.Record) { r.Time = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"with a credential in it":   with(func(r *webhook.Record) { r.Request.Header = webhook.Header{{Name: "X-API-Key", Value: "k"}} }),
		"with a user in the URL":    with(func(r *webhook.Record) { r.Request.URL = "http://u:p@h/?token=t" }),
		"with a retry of a request": with(func(r *webhook.Record) { r.Attempt = 5 }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := line(t, r)
			read, err := webhook.NewDecoder(strings.NewReader(want)).Decode()
			if err != nil {
				t.Fatal(err)
			}
			j := newJournal(t, Options{})
			put(t, j, read)
			got, err := j.Get(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if line(t, got) != want {
				t.Errorf("it came back as\n%s\nwant\n%s", line(t, got), want)
			}
		})
	}
}

func TestPutMasksCredentials(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	r := sample(1)
	r.Request.URL = "https://user:hunter2@host/?api_key=hunter2"
	r.Request.Header = webhook.Header{{Name: "X-API-Key", Value: "hunter2"}, {Name: "Authorization", Value: "Bearer hunter2"}}
	r.Response.Header = webhook.Header{{Name: "Set-Cookie", Value: "hunter2"}, {Name: "Location", Value: "http://a:hunter2@b"}}
	r.Error = "dialing https://u:hunter2@h"
	if err := queue(t, j, "http://me:hunter2@app").Keep(t.Context(), receive.Receipt{Record: r, Forward: true}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{j.Path(), j.Path() + "-wal"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "hunter2") {
			t.Errorf("%s holds a credential", name)
		}
	}
}

func TestPutAgainUpdatesTheVerdictAndNotTheRequest(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	r := sample(1)
	r.Verdict.Outcome, r.Response = webhook.Pending, nil
	put(t, j, r)
	later := sample(1)
	later.Request.Body, later.Forward = []byte("another"), &webhook.Response{Status: 200}
	put(t, j, later)
	got, err := j.Get(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict.Outcome != webhook.Accepted || got.Response == nil || got.Forward == nil || string(got.Request.Body) != `{"n":1}` {
		t.Errorf("it is %s", line(t, got))
	}
	if n, err := j.Count(t.Context(), Filter{}); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestImportKeepsStoredRecords(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	put(t, j, sample(1))
	changed := sample(1)
	changed.Response.Status = 500
	if n, err := j.Import(t.Context(), []webhook.Record{changed, sample(2), sample(3), sample(2)}); n != 2 || err != nil {
		t.Errorf("%d added, %v, want 2", n, err)
	}
	if got := ids(t, j, Filter{Status: []string{"200"}}); got != "1 2 3" {
		t.Errorf("it holds %s", got)
	}
}

func TestGetWithoutARecordIsErrNotFound(t *testing.T) {
	t.Parallel()
	if _, err := newJournal(t, Options{}).Get(t.Context(), "rec_1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// FuzzHeader holds that every header comes back from the text that it is kept
// as, and that no text on a disk can make the reader panic.
func FuzzHeader(f *testing.F) {
	f.Add("Content-Type", "application/json", "x: y\n")
	f.Add("[", "a\nb: c", `[["a","b"]]`)
	f.Add("", "\xff", "no colon")
	f.Fuzz(func(t *testing.T, name, value, text string) {
		_, _ = parseHeader(text)
		h := webhook.Header{{Name: name, Value: value}, {Name: "B", Value: value}}
		got, err := parseHeader(headerLines(h))
		if err != nil || len(got) != 2 || got[1].Value != value || got[0].Value != value {
			t.Fatalf("%q became %q: %v", h, got, err)
		}
	})
}
