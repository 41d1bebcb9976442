package journal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Pages end by rows, by bytes and by the limit, and no record is left out or repeated
// between them, in either order.
func TestRecords_in_pages(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	const many = 2*pageSize + 7
	var want []string
	for n := range many {
		r := sample(n)
		if n > 100 && n < 110 { // 4 of them fill a page, and one more than fills it
			r.Request.Body = bytes.Repeat([]byte("x"), pageBytes/4)
		}
		if n == 105 {
			r.Response.Body = bytes.Repeat([]byte("y"), pageBytes)
		}
		want = append(want, fmt.Sprint(n))
		put(t, j, r)
	}
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	for _, f := range []Filter{{}, {Deliveries: true}, {Since: clock()}, {Until: clock().Add(time.Hour)}} {
		for _, limit := range []int{0, 1, 104, 106, pageSize, pageSize + 1, many, many + 1} {
			for _, newest := range []bool{false, true} {
				f.Limit, f.Newest = limit, newest
				list := want
				if newest {
					list = backwards
				}
				if limit > 0 {
					list = list[:min(limit, many)]
				}
				if got := ids(t, j, f); got != strings.Join(list, " ") {
					t.Errorf("%+v: %s", f, got)
				}
			}
		}
	}
	next, err := j.pages(t.Context(), Filter{})
	for more := true; more && err == nil; {
		var records []webhook.Record
		records, more, err = next(pageSize)
		held := 0
		for i, r := range records {
			if held >= pageBytes {
				t.Errorf("a page holds %d bytes and %d records more", held, len(records)-i)
				break
			}
			held += len(r.Request.Body) + len(r.Response.Body)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// What is deleted while a list is read is left out of it.
func TestRecords_without_what_was_deleted_meanwhile(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]Filter{"all": {}, "deliveries": {Deliveries: true}, "a time": {Since: clock()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJournal(t, Options{})
			const many = 3 * pageSize
			for n := range many {
				put(t, j, sample(n))
			}
			read := 0
			for r, err := range j.Records(t.Context(), f) {
				if err != nil {
					t.Fatal(err)
				}
				if read == 0 { // the first page is in memory
					if _, err := j.Prune(t.Context(), clock().Add((2*pageSize+10)*time.Second)); err != nil {
						t.Fatal(err)
					}
				}
				want := read
				if read >= pageSize {
					want += pageSize + 10
				}
				if r.ID != sample(want).ID {
					t.Fatalf("record %d is %s, want %s", read, r.ID, sample(want).ID)
				}
				read++
			}
			if want := many - pageSize - 10; read != want {
				t.Errorf("%d records, want %d", read, want)
			}
		})
	}
}
