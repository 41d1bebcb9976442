package lint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// run lints an input and returns the findings.
func run(tb testing.TB, s lint.Stream, r io.Reader) ([]report.Finding, report.Summary, error) {
	tb.Helper()
	var all []report.Finding
	s.Emit = func(some []report.Finding) { all = append(all, some...) }
	counts, err := s.Run(tb.Context(), newLinter(tb, lint.Config{}), r)
	return all, counts, err
}

func TestStreamKinds(t *testing.T) {
	t.Parallel()
	good := compact("invoice.x", "{}")
	bad := `{"event_type":"nothing"}`
	record := recordOf(t, bad)
	cut := record[:strings.Index(record, "event_type")]
	const ready, summary = `{"type":"ready","url":"http://127.0.0.1:1"}`, `{"type":"summary","received":1}`
	const unknown = " /event_type error unknown-event"
	tests := []struct {
		name, input string
		lines       bool
		events      int
		want        string
	}{
		{"empty", "", false, 1, "1:1  error syntax"},
		{"blank", " \n\r\n\t", false, 1, "1:1  error syntax"},
		{"empty NDJSON", "", true, 1, "1:1  error syntax"},
		{"blank NDJSON", "\n\n\r\n", true, 1, "1:1  error syntax"},
		{"one", bad, false, 1, "1:15" + unknown},
		{"one line", bad + "\n", false, 1, "1:15" + unknown},
		{"one line of NDJSON", bad, true, 1, "1:15" + unknown},
		{"one with lines", "{\n\"event_type\":\n \"nothing\"}\n", false, 1, "3:2" + unknown},
		{"lines", bad + "\n" + bad, false, 2, "1:15" + unknown + "\n2:15" + unknown},
		{"CRLF and blank lines", "\r\n" + bad + "\r\n\r\n \r\n" + bad + "\r\n\r\n", false, 2, "2:15" + unknown + "\n5:15" + unknown},
		{"a first line that is cut off", bad[:9] + "\n" + bad + "\n", false, 2, "1:10  error syntax\n2:15" + unknown},
		{"a brace on the next line", "{ \"event_type\":\"nothing\", \"data\":\n{\"a\":1}\n}", false, 1, "1:16" + unknown},
		{"lists", "[1]\n[2]\n", false, 1, "2:1  error syntax"},
		{"a list of lists", "[1]\n[2]\n", true, 2, "1:1  error envelope\n2:1  error envelope"},
		{"BOM", "\xef\xbb\xbf" + bad + "\n" + bad, false, 1, "1:1  error syntax"},
		{"a record", record, false, 1, "1:15" + unknown},
		{"a record without a line end", strings.TrimSpace(record), false, 1, "1:15" + unknown},
		{"a record over lines", strings.Replace(record, "{", "{\n ", 1), false, 1, "1:15" + unknown},
		{"a record with blanks", strings.Replace(record, `{"type":`, `{ "type": `, 1), false, 1, "1:15" + unknown},
		{"records", ready + "\n" + record + record + summary + "\n", false, 2, "2:15" + unknown + "\n3:15" + unknown},
		{"a listener that heard nothing", ready + "\n" + summary + "\n", false, 0, ""},
		{"a listener that has just begun", ready, false, 0, ""},
		{"a record cut off", cut, false, 1, fmt.Sprintf("1:%d /request/body error syntax", len(cut)+1)},
		{"no record", `{"type":"record","request":5}` + "\n" + bad, false, 2, "1:1  error envelope\n2:15" + unknown},
		{"good and bad", good + "\n" + `{"event_type":` + "\n", false, 2, "1:10 /event error unknown-event\n2:15 /event_type error syntax"},
	}
	for _, test := range tests {
		for _, reader := range []io.Reader{strings.NewReader(test.input), iotest.OneByteReader(strings.NewReader(test.input)), iotest.DataErrReader(strings.NewReader(test.input))} {
			found, counts, err := run(t, lint.Stream{Name: "x", Lines: test.lines}, reader)
			got := summarize(found)
			if got != test.want || counts.Events != test.events || err != nil || slices.ContainsFunc(found, func(f report.Finding) bool { return f.File != "x" }) {
				t.Errorf("%s: %d events, %v\ngot  %s\nwant %s", test.name, counts.Events, err, got, test.want)
			}
		}
	}
}

func recordOf(tb testing.TB, body string) string {
	tb.Helper()
	var b bytes.Buffer
	r := webhook.Record{ID: "1", Time: time.Unix(1764000000, 0).UTC(), Direction: webhook.Received, Request: webhook.Request{Method: "POST", URL: "/", Body: []byte(body)}}
	if err := webhook.NewEncoder(&b).Encode(r); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// TestStreamOrder has the same findings in the same order for any number of
// workers.
func TestStreamOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	all := samples()
	var input strings.Builder
	for range 3000 {
		sample := string(all[random.IntN(len(all))].Sample())
		switch random.IntN(5) {
		case 0:
			sample = sample[:random.IntN(len(sample))]
		case 1:
			sample = strings.Replace(sample, `"data":{`, `"data":{"unknown":5.0,`, 1)
		case 2:
			sample = strings.TrimSpace(recordOf(t, sample[:random.IntN(len(sample))]))
		}
		input.WriteString(sample + []string{"\n", "\r\n", "\n\n"}[random.IntN(3)])
	}
	want, counts, err := run(t, lint.Stream{Lines: true}, strings.NewReader(input.String()))
	if err != nil || counts.Events < 2900 || counts.Errors < 500 || counts.Warnings < 500 {
		t.Fatal(counts, err)
	}
	if !slices.IsSortedFunc(want, func(a, b report.Finding) int { return a.Line - b.Line }) {
		t.Error("the findings are out of order")
	}
	for _, workers := range []int{2, 3, 8, 64} {
		got, c, err := run(t, lint.Stream{Lines: true, Workers: workers}, iotest.HalfReader(strings.NewReader(input.String())))
		if err != nil || c != counts || !slices.Equal(got, want) {
			t.Errorf("%d workers: %v, %v: %d findings, want %d", workers, c, err, len(got), len(want))
		}
	}
}

// TestStreamLongLines has lines above the limit between others.
func TestStreamLongLines(t *testing.T) {
	t.Parallel()
	bad := `{"event_type":"nothing"}`
	for _, size := range []int{lint.MaxLine + 1, lint.MaxLine + 100<<10, 20 << 20} {
		long := `{"event_type":"` + strings.Repeat("x", size-17) + `"}`
		for _, tail := range []string{"\n" + bad, "\n", ""} {
			found, counts, err := run(t, lint.Stream{Lines: true, Workers: 2}, strings.NewReader(bad+"\n"+long+tail))
			want := "1:15 /event_type error unknown-event\n2:1  error length"
			if len(tail) > 1 {
				want += "\n3:15 /event_type error unknown-event"
			}
			if got := summarize(found); got != want || err != nil || counts.Events != strings.Count(want, "\n")+1 || counts.Errors != counts.Events {
				t.Errorf("%d, %q: %v, %v, %s", size, tail, counts, err, got)
			}
		}
	}
	long := `{"event_type":"` + strings.Repeat("x", lint.MaxLine-17) + `"}`
	if found, _, err := run(t, lint.Stream{}, strings.NewReader(long)); err != nil || summarize(found) != "1:15 /event_type error unknown-event" {
		t.Error(summarize(found), err)
	}
}

// TestStreamFailingReader emits the findings of complete payloads and returns the
// error of the reader.
func TestStreamFailingReader(t *testing.T) {
	t.Parallel()
	fault := errors.New("the disk is gone")
	bad := `{"event_type":"nothing"}` + "\n"
	for _, lines := range []bool{true, false} {
		for _, err := range []error{fault, io.ErrUnexpectedEOF} {
			reader := io.MultiReader(strings.NewReader(bad+bad+bad[:5]), iotest.ErrReader(err))
			found, counts, got := run(t, lint.Stream{Lines: lines, Workers: 3}, reader)
			if !errors.Is(got, err) || len(found) != 2 || counts.Events != 2 {
				t.Errorf("%v: %v, %v, %d findings", err, got, counts, len(found))
			}
		}
	}
	if _, _, err := run(t, lint.Stream{}, iotest.ErrReader(fault)); !errors.Is(err, fault) {
		t.Error(err)
	}
	if _, _, err := run(t, lint.Stream{}, io.MultiReader(strings.NewReader("{\n"), iotest.ErrReader(fault))); !errors.Is(err, fault) {
		t.Error(err)
	}
}

// TestStreamCancel ends a run whose reader blocks, at each place where it can. No
// goroutine is left once the reader returns.
func TestStreamCancel(t *testing.T) {
	t.Parallel()
	bad := `{"event_type":"nothing"}` + "\n"
	for _, input := range []string{"", "{", bad, bad + bad, strings.Repeat(bad, 10000)} {
		synctest.Test(t, func(t *testing.T) {
			pipe, feed := io.Pipe()
			ctx, cancel := context.WithCancel(t.Context())
			var emitted atomic.Int64
			ended := make(chan error, 1)
			go func() {
				_, err := lint.Stream{Workers: 4, Emit: func(f []report.Finding) { emitted.Add(int64(len(f))) }}.Run(ctx, newLinter(t, lint.Config{}), pipe)
				ended <- err
			}()
			if _, err := io.WriteString(feed, input); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if n := strings.Count(input, "\n"); n > 1 && emitted.Load() != int64(n) {
				t.Errorf("%d findings of %d wait for more input", emitted.Load(), n)
			}
			cancel()
			synctest.Wait()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			default:
				t.Error("the run goes on")
			}
			_ = feed.Close()
		})
	}
}

// TestStreamCancelBusy ends a run over endless input.
func TestStreamCancelBusy(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	emitted := 0
	s := lint.Stream{Lines: true, Workers: 2, Emit: func([]report.Finding) {
		if emitted++; emitted == 3 {
			cancel()
		}
	}}
	_, err := s.Run(ctx, newLinter(t, lint.Config{}), &endless{lines: []byte("{}\n"), left: 1 << 30})
	if !errors.Is(err, context.Canceled) || emitted != 3 {
		t.Error(err, emitted)
	}
}
