package replay_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func line(t testing.TB, r webhook.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := webhook.NewEncoder(&b).Encode(r); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestRead(t *testing.T) {
	t.Parallel()
	t.Run("payloads and records of every form", func(t *testing.T) {
		t.Parallel()
		record := line(t, recordOf("a", 503, clock))
		for name, test := range map[string]struct {
			raw  string
			want string // source, type of event, whether it is a record; one a line
		}{
			"an inbound payload":      {inbound, "f work_order.created payload"},
			"an outbound payload":     {outbound + "\n", "f work_order.created payload"},
			"a compact payload":       {compact, "f workorder.created payload"},
			"Worksome's payload":      {hire, "f hireUpdated payload"},
			"a payload over lines":    {strings.ReplaceAll(inbound, ",", ",\n"), "f work_order.created payload"},
			"a record":                {record + "\n", "f work_order.created record"},
			"a record over lines":     {strings.Replace(record, ",", ",\n", 1), "f work_order.created record"},
			"both on lines":           {inbound + "\n\n" + record + "\r\n" + hire, "f:1 work_order.created payload\nf:3 work_order.created record\nf:4 hireUpdated payload"},
			"a listener's stream":     {`{"type":"ready","url":"x"}` + "\n" + record + "\n" + `{"type":"summary"}` + "\n", "f:2 work_order.created record"},
			"an event with type data": {`{"type":"summary","event":"hireUpdated","data":{}}`, "f hireUpdated payload"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				items, err := replay.Read("f", []byte(test.raw))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, i := range items {
					kind := "payload"
					if i.Record != nil {
						kind = "record"
					}
					got = append(got, i.Source+" "+i.Event.Type+" "+kind)
				}
				if text := strings.Join(got, "\n"); text != test.want {
					t.Errorf("read\n%s\nwant\n%s", text, test.want)
				}
			})
		}
	})
	t.Run("every byte of a payload is kept", func(t *testing.T) {
		t.Parallel()
		raw := " \r\n{\"event\":\"hireUpdated\" , \"data\":{\"rate\":5000.00,\"n\":9007199254740993}}\r\n"
		if got := payload(t, raw).Event.Raw; string(got) != raw {
			t.Errorf("read %q, want %q", got, raw)
		}
	})
	t.Run("an error names its place", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct{ raw, want string }{
			"nothing":                {"", "reading f: line 1, column 1: "},
			"JSON that is cut off":   {"{\n\"a\":", "reading f: line 2, column 5"},
			"no envelope":            {`{"data":{}}`, "reading f: line 1, column 1: "},
			"a second line broken":   {inbound + "\n{", "reading f:2: column 2"},
			"a second line bare":     {inbound + "\n{}", "reading f:2: column 1: "},
			"a stream without any":   {`{"type":"ready"}` + "\n" + `{"type":"summary"}`, "there is no payload and no record in it"},
			"a lone ready line":      {`{"type":"ready"}`, "there is no payload and no record in it"},
			"a record with no sense": {`{"type":"record","request":{"body_base64":"?"}}`, "reading f: reading the record"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if _, err := replay.Read("f", []byte(test.raw)); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("the error is %v, want %q in it", err, test.want)
				}
			})
		}
	})
}

func TestItemCheck(t *testing.T) {
	t.Parallel()
	empty, get := recordOf("a", 413, clock), recordOf("b", 405, clock)
	empty.Request.Body = nil
	get.Request.Method = "GET"
	if err := replay.FromRecord("f", empty).Check(); !errors.Is(err, replay.ErrNoBody) {
		t.Errorf("a record without a body: %v", err)
	}
	if err := replay.FromRecord("f", get).Check(); err == nil || !strings.Contains(err.Error(), `"GET"`) {
		t.Errorf("a GET: %v", err)
	}
	if _, err := planFor(t).Jobs([]replay.Item{replay.FromRecord("f", empty)}, clock); !errors.Is(err, replay.ErrNoBody) {
		t.Errorf("a job of it: %v", err)
	}
}

// FuzzRead checks that reading ends with items that can be distinguished and
// encoded, or with an error that names the source; and that what it read is
// read again from its lines.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{inbound, outbound + "\n" + hire, compact, line(f, recordOf("a", 503, clock)), `{"type":"ready"}`, "{", "[]\n[]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		items, err := replay.Read("src", raw)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "reading src") {
				t.Errorf("the error names no source: %v", err)
			}
			return
		}
		if len(items) == 0 {
			t.Fatal("neither an item nor an error")
		}
		for _, i := range items {
			if i.Record == nil && !bytes.Contains(raw, i.Event.Raw) {
				t.Errorf("%q is not in the input", i.Event.Raw)
			}
			if i.Record != nil || len(items) == 1 || bytes.ContainsAny(i.Event.Raw, "\n") {
				continue
			}
			again, err := replay.Read("src", i.Event.Raw)
			if err != nil || len(again) != 1 || again[0].Event.Type != i.Event.Type {
				t.Errorf("%q alone gives %d items, %v", i.Event.Raw, len(again), err)
			}
		}
	})
}

func TestItemBefore(t *testing.T) {
	t.Parallel()
	forwarded, pending, dry := recordOf("a", 200, clock), recordOf("b", 0, clock), recordOf("c", 0, clock)
	forwarded.Forward = &webhook.Response{Status: 500}
	pending.Verdict.Outcome = webhook.Pending
	dry.Verdict = nil
	for name, test := range map[string]struct {
		record webhook.Record
		status int
		known  bool
	}{
		"the app behind counts":  {forwarded, 500, true},
		"not forwarded yet":      {pending, 0, false},
		"never sent":             {dry, 0, false},
		"sent and not answered":  {recordOf("d", 0, clock), 0, true},
		"answered by a receiver": {recordOf("e", 400, clock), 400, true},
	} {
		if status, known := replay.FromRecord("f", test.record).Before(); status != test.status || known != test.known {
			t.Errorf("%s: %d, %v, want %d, %v", name, status, known, test.status, test.known)
		}
	}
}

func TestItemMatches(t *testing.T) {
	t.Parallel()
	item := replay.FromRecord("f", recordOf("a", 503, clock))
	for name, test := range map[string]struct {
		filter journal.Filter
		item   replay.Item
		want   bool
	}{
		"an empty filter":            {journal.Filter{}, item, true},
		"an empty filter, a payload": {journal.Filter{}, payload(t, inbound), true},
		"an event":                   {journal.Filter{Events: []string{"x", "work_order.*"}}, item, true},
		"another event":              {journal.Filter{Events: []string{"project.*"}}, item, false},
		"an event of a payload":      {journal.Filter{Events: []string{"work_order.*"}}, payload(t, inbound), true},
		"since then":                 {journal.Filter{Since: clock}, item, true},
		"since later":                {journal.Filter{Since: clock.Add(time.Second)}, item, false},
		"until then":                 {journal.Filter{Until: clock}, item, false},
		"until later":                {journal.Filter{Until: clock.Add(time.Second)}, item, true},
		"failed":                     {journal.Filter{Status: []string{"failed"}}, item, true},
		"ok":                         {journal.Filter{Status: []string{"ok"}}, item, false},
		"a class":                    {journal.Filter{Status: []string{"4xx", "5xx"}}, item, true},
		"a status":                   {journal.Filter{Status: []string{"503"}}, item, true},
		"another status":             {journal.Filter{Status: []string{"50"}}, item, false},
		"an outcome":                 {journal.Filter{Status: []string{"accepted"}}, item, true},
		"received":                   {journal.Filter{Direction: webhook.Received}, item, true},
		"sent":                       {journal.Filter{Direction: webhook.Sent}, item, false},
		"a status of a payload":      {journal.Filter{Status: []string{"failed"}}, payload(t, inbound), false},
		"a time of a payload":        {journal.Filter{Since: clock}, payload(t, inbound), false},
		"a direction of a payload":   {journal.Filter{Direction: webhook.Received}, payload(t, inbound), false},
		"an end of time of payload":  {journal.Filter{Until: clock}, payload(t, inbound), false},
	} {
		if got := test.item.Matches(test.filter); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
