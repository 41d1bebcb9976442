package replay_test

import (
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestVerdictComparesWithWhatWasRecorded(t *testing.T) {
	t.Parallel()
	exact, err := replay.ParseExpect("422")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		expect replay.Expect
		before int // -1: a payload, 0: a record without an answer
		now    int
		want   replay.Verdict
	}{
		"failed, passes":             {replay.Expect{}, 503, 200, replay.Fixed},
		"had no answer, passes":      {replay.Expect{}, 0, 204, replay.Fixed},
		"passed, fails":              {replay.Expect{}, 200, 500, replay.Regressed},
		"passed, has no answer":      {replay.Expect{}, 200, 0, replay.Regressed},
		"failed, fails":              {replay.Expect{}, 503, 404, replay.StillFailing},
		"passed, passes":             {replay.Expect{}, 200, 299, replay.StillPassing},
		"a redirect does not pass":   {replay.Expect{}, 200, 307, replay.Regressed},
		"a payload, passes":          {replay.Expect{}, -1, 200, replay.Passed},
		"a payload, fails":           {replay.Expect{}, -1, 500, replay.Failed},
		"a status measures both":     {exact, 200, 422, replay.Fixed},
		"a status that came before":  {exact, 422, 422, replay.StillPassing},
		"a status that went away":    {exact, 422, 200, replay.Regressed},
		"no answer never passes":     {exact, 0, 0, replay.StillFailing},
		"a payload, by a status":     {exact, -1, 422, replay.Passed},
		"a payload, by another":      {exact, -1, 200, replay.Failed},
		"a class holds all its own":  {class(t, "4xx"), 499, 400, replay.StillPassing},
		"a class holds no neighbour": {class(t, "4xx"), 500, 300, replay.StillFailing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := payload(t, inbound)
			if test.before >= 0 {
				item = replay.FromRecord("f", recordOf("a", test.before, clock))
			}
			if got := test.expect.Judge(item, test.now); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func class(t *testing.T, text string) replay.Expect {
	t.Helper()
	e, err := replay.ParseExpect(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExpectTakesAStatusOrAClass(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2", "2x", "xx", "0xx", "6xx", "99", "600", "2xx "} {
		if _, err := replay.ParseExpect(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestBeforeIsWhatTheAppSaid(t *testing.T) {
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
		"not handed on yet":      {pending, 0, false},
		"never sent":             {dry, 0, false},
		"sent and not answered":  {recordOf("d", 0, clock), 0, true},
		"answered by a receiver": {recordOf("e", 400, clock), 400, true},
	} {
		if status, known := replay.FromRecord("f", test.record).Before(); status != test.status || known != test.known {
			t.Errorf("%s: %d, %v, want %d, %v", name, status, known, test.status, test.known)
		}
	}
}

func TestFilterPicksAsTheJournalDoes(t *testing.T) {
	t.Parallel()
	item := replay.FromRecord("f", recordOf("a", 503, clock))
	for name, test := range map[string]struct {
		filter journal.Filter
		item   replay.Item
		want   bool
	}{
		"nothing asked":             {journal.Filter{}, item, true},
		"nothing asked of payload":  {journal.Filter{}, payload(t, inbound), true},
		"an event":                  {journal.Filter{Events: []string{"x", "work_order.*"}}, item, true},
		"another event":             {journal.Filter{Events: []string{"project.*"}}, item, false},
		"an event of a payload":     {journal.Filter{Events: []string{"work_order.*"}}, payload(t, inbound), true},
		"since then":                {journal.Filter{Since: clock}, item, true},
		"since later":               {journal.Filter{Since: clock.Add(time.Second)}, item, false},
		"until then":                {journal.Filter{Until: clock}, item, false},
		"until later":               {journal.Filter{Until: clock.Add(time.Second)}, item, true},
		"failed":                    {journal.Filter{Status: []string{"failed"}}, item, true},
		"ok":                        {journal.Filter{Status: []string{"ok"}}, item, false},
		"a class":                   {journal.Filter{Status: []string{"4xx", "5xx"}}, item, true},
		"a status":                  {journal.Filter{Status: []string{"503"}}, item, true},
		"another status":            {journal.Filter{Status: []string{"50"}}, item, false},
		"an outcome":                {journal.Filter{Status: []string{"accepted"}}, item, true},
		"received":                  {journal.Filter{Direction: webhook.Received}, item, true},
		"sent":                      {journal.Filter{Direction: webhook.Sent}, item, false},
		"a status of a payload":     {journal.Filter{Status: []string{"failed"}}, payload(t, inbound), false},
		"a time of a payload":       {journal.Filter{Since: clock}, payload(t, inbound), false},
		"a direction of a payload":  {journal.Filter{Direction: webhook.Received}, payload(t, inbound), false},
		"an end of time of payload": {journal.Filter{Until: clock}, payload(t, inbound), false},
	} {
		if got := test.item.Matches(test.filter); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
