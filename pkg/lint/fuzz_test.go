package lint_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/webhook"
)

func seeds(f *testing.F) {
	f.Helper()
	for _, d := range samples() {
		f.Add(d.Sample())
	}
	for _, text := range []string{
		"", " ", "[]", "{", `{"event_type"`, `{"event_type":`, `{"event_type":5}`, `{"event":"a","event_type":"a"}`, `{"event":"invoicePaid","data":{},}`,
		"\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{"event_type":"timesheet.created","data":[}`, "{\n\r\n\"é\":1,\n}",
		`{"event_type":"timesheet.created","data":{"entries":{"a":1},"total_hours":1}}`, `{"event_type":"\`, `{"data":{"a":[{]}`,
		inbound("work_order.created", `{"project_code":"P","required_headcount":1,"scope_of_work":{"checklists":[{"title":"A","items":[{"text":"a","status":"pending","completed":true},]}]}}`),
		inbound("timesheet.created", sheet+`"total_hours":1e400,"entries":[{"entry_date":"2026-03-18","hours":-1},{"entry_date":"2026\u002d03-17"}]}`),
	} {
		f.Add([]byte(text))
	}
}

// FuzzCheckerPayload checks of any bytes that findings are within them, in order, at
// the line and column of their offset, and that what encoding/json refuses has an
// error.
func FuzzCheckerPayload(f *testing.F) {
	seeds(f)
	c := newLinter(f, lint.Config{Excerpts: true}).NewChecker()
	fresh := newLinter(f, lint.Config{Excerpts: true})
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		r := c.Check(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("the payload was changed")
		}
		last := 0
		for _, finding := range r.Findings {
			if finding.Offset < last || finding.Offset > len(raw) {
				t.Fatalf("offset %d of %d: %s", finding.Offset, len(raw), finding)
			}
			last = finding.Offset
			if line, column := position(raw, finding.Offset); line != finding.Line || column != finding.Column {
				t.Fatalf("%s: offset %d is %d:%d", finding, finding.Offset, line, column)
			}
			if finding.Caret < 0 || finding.Caret > len(finding.Excerpt) || finding.Rule == "" || finding.Message == "" {
				t.Fatalf("%+v", finding)
			}
		}
		if !json.Valid(raw) && r.Errors() == 0 {
			t.Fatalf("no error: %q", raw)
		}
		if again := fresh.NewChecker().Check(raw); !slices.Equal(again.Findings, r.Findings) {
			t.Fatalf("another checker: %s\n%s", summarize(again.Findings), summarize(r.Findings))
		}
	})
}

// FuzzCheckerFix fixes any bytes: JSON stays JSON with no more errors than before,
// other text loses nothing but commas, and a second fix changes nothing.
func FuzzCheckerFix(f *testing.F) {
	seeds(f)
	c := newLinter(f, lint.Config{}).NewChecker()
	f.Fuzz(func(t *testing.T, raw []byte) {
		errors := c.Check(raw).Errors()
		whole := webhook.CheckJSON(raw) == nil
		fixed, places := c.Fix(bytes.Clone(raw))
		if places == 0 != bytes.Equal(fixed, raw) {
			t.Fatalf("%d places: %q, %q", places, raw, fixed)
		}
		if whole && (webhook.CheckJSON(fixed) != nil || c.Check(fixed).Errors() > errors) {
			t.Fatalf("%q became %q", raw, fixed)
		}
		if !whole && webhook.CheckJSON(fixed) != nil && !isWithout(fixed, raw) {
			t.Fatalf("%q became %q", raw, fixed)
		}
		if again, n := c.Fix(fixed); n != 0 || !bytes.Equal(again, fixed) {
			t.Fatalf("%q, then %q, then %q", raw, fixed, again)
		}
	})
}

// isWithout reports whether one text is another without some of its commas.
func isWithout(some, all []byte) bool {
	i := 0
	for _, b := range all {
		switch {
		case i < len(some) && some[i] == b:
			i++
		case b != ',':
			return false
		}
	}
	return i == len(some)
}

// position returns the line and the column of an offset, both from 1, by counting
// from the start.
func position(raw []byte, offset int) (line, column int) {
	before := raw[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[start:])
}
