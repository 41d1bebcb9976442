package journal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestDueReturnsRecordsInOrderWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	j := fresh(t, Options{})
	for n := 1; n <= 3; n++ {
		if err := j.Put(t.Context(), Entry{Record: sample(n), ForwardTo: "http://app"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Put(t.Context(), Entry{Record: sample(4), ForwardTo: "http://other"}); err != nil {
		t.Fatal(err)
	}
	put(t, j, sample(5))
	now := clock()
	want := func(list string, next time.Time, tries int) {
		t.Helper()
		due, at, err := j.Due(t.Context(), "http://app", now, 10)
		var got []string
		for _, d := range due {
			got = append(got, strings.TrimLeft(strings.TrimPrefix(d.Record.ID, "rec_"), "0"))
			if d.Tries != tries && tries >= 0 {
				t.Errorf("%s was tried %d times, want %d", d.Record.ID, d.Tries, tries)
			}
		}
		if strings.Join(got, " ") != list || !at.Equal(next) || err != nil {
			t.Errorf("due are %v, next at %s, %v; want %s, %s", got, at, err, list, next)
		}
	}
	want("1 2 3", time.Time{}, 0)
	answer := sample(1)
	answer.Forward = &webhook.Response{Status: 503}
	later := now.Add(time.Minute)
	if err := j.Forwarded(t.Context(), answer, false, later); err != nil {
		t.Fatal(err)
	}
	want("2 3", later, 0)
	if err := errors.Join(j.Forwarded(t.Context(), sample(2), true, time.Time{}), j.Forwarded(t.Context(), sample(3), false, time.Time{})); err != nil {
		t.Fatal(err)
	}
	want("", later, -1)
	if n, err := j.Undone(t.Context(), "http://app"); n != 1 || err != nil {
		t.Errorf("%d undone, %v", n, err)
	}
	now = later
	want("1", time.Time{}, 1)
	if r, err := j.Get(t.Context(), "rec_000001"); err != nil || r.Forward == nil || r.Forward.Status != 503 || r.Response.Status != 200 {
		t.Errorf("the record is %s, %v", line(t, r), err)
	}
}
