package journal

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// library is a journal of records that differ.
func library(t *testing.T) *Journal {
	t.Helper()
	j := newJournal(t, Options{})
	with := func(n int, edit func(*webhook.Record)) webhook.Record {
		r := sample(n)
		edit(&r)
		return r
	}
	put(t, j,
		with(1, func(r *webhook.Record) {
			r.WebhookID = "a"
			r.Response.Status = 503
			r.Verdict.Outcome = webhook.Failed
		}),
		with(2, func(r *webhook.Record) { r.Event = "project.created" }),
		with(3, func(r *webhook.Record) {
			r.WebhookID = "a"
			r.Response.Status = 500
			r.Verdict.Outcome = webhook.Failed
		}),
		with(4, func(r *webhook.Record) {
			r.Direction = webhook.Sent
			r.Response = nil
			r.Verdict.Outcome = webhook.OutcomeUnknown
			r.WebhookID = ""
		}),
		with(5, func(r *webhook.Record) { r.Verdict.Outcome = webhook.Pending; r.Response = nil }),
		with(6, func(r *webhook.Record) {
			r.WebhookID = "b"
			r.Response.Status = 400
			r.Verdict.Outcome = webhook.Refused
		}),
		with(7, func(r *webhook.Record) { r.WebhookID = "b" }),
		with(8, func(r *webhook.Record) { r.Verdict.Outcome = webhook.Duplicate }),
	)
	return j
}

// A record that failed has not failed any more when a replay of it succeeded later.
func TestFilter_failed_after_a_replay(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	add := func(n, status int, of, id string) {
		r := sample(n)
		r.Response.Status, r.ReplayOf, r.WebhookID = status, of, id
		if of != "" {
			r.Direction = webhook.Sent
		}
		put(t, j, r)
	}
	check := func(f Filter, want string) {
		t.Helper()
		f.Status = []string{"failed"}
		if got := ids(t, j, f); got != want {
			t.Errorf("failed %q, want %q", got, want)
		}
	}
	add(1, 500, "", "")
	add(2, 500, "", "whk_b")
	add(3, 500, "", "")
	add(4, 500, "rec_000001", "") // a replay that failed
	check(Filter{}, "1 2 3 4")
	check(Filter{Deliveries: true, Direction: webhook.Received}, "1 2 3")
	add(5, 200, "rec_000001", "")
	check(Filter{}, "2 3")
	add(6, 200, "rec_000002", "whk_new")
	check(Filter{Deliveries: true, Direction: webhook.Received}, "3")
	add(7, 500, "rec_000002", "whk_b") // a later replay that failed is a failure of its own
	check(Filter{}, "3 7")
	add(8, 404, "rec_000003", "")
	check(Filter{}, "3 7 8")
	r := sample(9)
	r.ReplayOf, r.Direction, r.Verdict.Outcome = "rec_000003", webhook.Sent, webhook.Duplicate // the receiver handled nothing
	put(t, j, r)
	check(Filter{}, "3 7 8")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	j := library(t)
	at := func(n int) time.Time { return clock().Add(time.Duration(n) * time.Second) }
	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"none":                                {Filter{}, "1 2 3 4 5 6 7 8"},
		"the newest":                          {Filter{Newest: true, Limit: 3}, "8 7 6"},
		"the oldest":                          {Filter{Limit: 2}, "1 2"},
		"since, and up to":                    {Filter{Since: at(3), Until: at(5)}, "3 4"},
		"a glob":                              {Filter{Events: []string{"project.*"}}, "2"},
		"two globs":                           {Filter{Events: []string{"project.*", "*.created"}, Limit: 3}, "1 2 3"},
		"what was sent":                       {Filter{Direction: webhook.Sent}, "4"},
		"ok":                                  {Filter{Status: []string{"ok"}}, "2 7 8"},
		"failed":                              {Filter{Status: []string{"failed"}}, "1 3 4 6"},
		"a class":                             {Filter{Status: []string{"5xx"}}, "1 3"},
		"a status":                            {Filter{Status: []string{"503", "400"}}, "1 6"},
		"an outcome":                          {Filter{Status: []string{"duplicate"}}, "8"},
		"pending":                             {Filter{Status: []string{"pending"}}, "5"},
		"ids of both kinds":                   {Filter{IDs: []string{"a", "rec_000002"}}, "1 2 3"},
		"deliveries":                          {Filter{Deliveries: true}, "2 3 4 5 7 8"},
		"deliveries that failed":              {Filter{Deliveries: true, Status: []string{"failed"}}, "3 4"},
		"deliveries of a time":                {Filter{Deliveries: true, Until: at(3)}, "1 2"},
		"all at once":                         {Filter{Since: at(1), Events: []string{"work*"}, Status: []string{"failed"}, Direction: webhook.Received, IDs: []string{"a", "b"}, Deliveries: true}, "3"},
		"a quote in a glob":                   {Filter{Events: []string{"'; DROP TABLE record; --"}}, ""},
		"an id of no record":                  {Filter{IDs: []string{"'"}}, ""},
		"a limit above the number of records": {Filter{Limit: 100}, "1 2 3 4 5 6 7 8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ids(t, j, test.filter)
			if got != test.want {
				t.Errorf("it picks %q, want %q", got, test.want)
			}
			unlimited := test.filter
			unlimited.Limit = 0
			if n, err := j.Count(t.Context(), unlimited); err != nil || test.filter.Limit == 0 && n != len(strings.Fields(test.want)) {
				t.Errorf("Count says %d, %v", n, err)
			}
		})
	}
	for _, bad := range []string{"", "fialed", "99", "1000", "xx", "0xx", "-5xx", "5XX"} {
		if err := CheckStatus(bad); err == nil {
			t.Errorf("status %q is taken", bad)
		}
	}
}

// HasStatus and the filter select the same records.
func TestHasStatus(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outcome      webhook.Outcome // "" for no verdict
		status, app  int             // 0 for no response
		ok, isFailed bool
	}{
		"accepted":                    {webhook.Accepted, 201, 0, true, false},
		"accepted by the app too":     {webhook.Accepted, 200, 204, true, false},
		"a duplicate":                 {webhook.Duplicate, 200, 0, true, false},
		"refused":                     {webhook.Refused, 401, 0, false, true},
		"no response":                 {webhook.Failed, 0, 0, false, true},
		"failed with the app":         {webhook.Failed, 503, 503, false, true},
		"given up":                    {webhook.ForwardFailed, 200, 503, false, true},
		"given up without a response": {webhook.ForwardFailed, 200, 0, false, true},
		"given up by an older wsk":    {webhook.Accepted, 200, 503, false, true},
		"given up by a kill":          {webhook.ForwardFailed, 0, 0, false, true},
		"waiting":                     {webhook.Pending, 200, 0, false, false},
		"waiting for a retry":         {webhook.Pending, 200, 503, false, false},
		"being handled":               {webhook.Pending, 0, 0, false, false},
		"never sent":                  {"", 0, 0, false, false},
		"sent without a verdict":      {"", 200, 0, true, false},
		"failed without a verdict":    {"", 500, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sample(1)
			if r.Verdict.Outcome = test.outcome; test.outcome == "" {
				r.Verdict = nil
			}
			if r.Response.Status = test.status; test.status == 0 {
				r.Response = nil
			}
			if test.app > 0 {
				r.Forward = &webhook.Response{Status: test.app}
			}
			j := newJournal(t, Options{})
			put(t, j, r)
			for status, want := range map[string]bool{
				"ok": test.ok, "failed": test.isFailed, "200": test.status == 200, "5xx": test.status/100 == 5,
				"accepted": test.outcome == webhook.Accepted, "forward_failed": test.outcome == webhook.ForwardFailed,
			} {
				if got := HasStatus(&r, status); got != want {
					t.Errorf("HasStatus(%s) is %v, want %v", status, got, want)
				}
				if got := ids(t, j, Filter{Status: []string{status}}) == "1"; got != want {
					t.Errorf("the filter %s selects it: %v, want %v", status, got, want)
				}
			}
		})
	}
}

// A repeat that the receiver recognized says nothing about what became of the
// delivery.
func TestFilter_deliveries_are_not_hidden_by_a_duplicate(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	first, again, other := sample(1), sample(2), sample(3)
	first.Verdict.Outcome, again.Verdict.Outcome, other.Verdict.Outcome = webhook.ForwardFailed, webhook.Duplicate, webhook.Duplicate
	again.WebhookID = first.WebhookID
	put(t, j, first, again, other)
	if got := ids(t, j, Filter{Deliveries: true}); got != "1 3" {
		t.Errorf("the deliveries are %q, want 1 3", got)
	}
	if got := ids(t, j, Filter{Deliveries: true, Status: []string{"failed"}}); got != "1" {
		t.Errorf("%q failed, want 1", got)
	}
}

func TestRecordsReadsASnapshotWhileOthersWrite(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	const many = 2*pageSize + 50
	for n := 1; n <= many; n++ {
		put(t, j, sample(n))
	}
	for _, newest := range []bool{false, true} {
		count, extra := 0, many
		for r, err := range j.Records(t.Context(), Filter{Newest: newest}) {
			if err != nil {
				t.Fatal(err)
			}
			count++
			want := count
			if newest {
				want = many + 1 - count
			}
			if n, _ := strconv.Atoi(strings.TrimPrefix(r.ID, "rec_")); n != want {
				t.Fatalf("record %d of the list is %s", count, r.ID)
			}
			if count%pageSize == 0 { // what comes while it reads is not part of it
				extra++
				put(t, j, sample(1000*extra))
			}
		}
		if count != many {
			t.Errorf("newest=%t: %d records, want %d", newest, count, many)
		}
		if _, err := j.Prune(t.Context(), clock().Add(0)); err != nil {
			t.Fatal(err)
		}
		if _, err := j.db.ExecContext(t.Context(), "DELETE FROM record WHERE seq > ?", many); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPruneKeepsWhatIsStillNeeded(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	put(t, j, sample(1), sample(3))
	if err := queue(t, j, "http://app").Keep(t.Context(), receive.Receipt{Record: sample(2), Forward: true, Mark: &receive.Mark{ID: "whk_2", Accepted: true}}); err != nil {
		t.Fatal(err)
	}
	if n, err := j.CountPrune(t.Context(), clock().Add(3*time.Second)); n != 1 || err != nil {
		t.Errorf("%d would go, %v, want 1", n, err)
	}
	if n, err := j.Prune(t.Context(), clock().Add(3*time.Second)); n != 1 || err != nil {
		t.Errorf("%d went, %v, want 1", n, err)
	}
	if got := ids(t, j, Filter{}); got != "3 2" {
		t.Errorf("left are %s", got)
	}
	if marks, err := j.Marks(t.Context(), 10); len(marks) != 1 || err != nil {
		t.Errorf("marks %v, %v", marks, err)
	}
}
