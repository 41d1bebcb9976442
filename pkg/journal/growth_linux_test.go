package journal

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// work is what something cost, apart from time.
type work struct {
	read, written int64 // bytes of files, of the process
	allocations   int64
}

// measure returns the work of the whole process during do.
func measure(t *testing.T, do func()) work {
	t.Helper()
	look := func() (w work) {
		raw, err := os.ReadFile("/proc/self/io")
		if err != nil {
			t.Skip(err)
		}
		for line := range strings.Lines(string(raw)) {
			_, _ = fmt.Sscanf(line, "rchar: %d", &w.read) // each matches one line
			_, _ = fmt.Sscanf(line, "wchar: %d", &w.written)
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		w.allocations = int64(memory.Mallocs)
		return w
	}
	before := look()
	do()
	after := look()
	return work{after.read - before.read, after.written - before.written, after.allocations - before.allocations}
}

// The work for a record is the same in a journal of any size: no row is read twice,
// and nothing is sorted again and again. The journals are larger than SQLite's cache,
// so that what is read twice is read from the file.
func TestJournal_work_grows_with_the_records(t *testing.T) { //nolint:paralleltest // it measures the whole process
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const small, large = 8000, 32_000
	names, first := grow(t, small)
	_, later := grow(t, large)
	for i, name := range names {
		a, b := first[i], later[i]
		// A log of less than 16 MiB is not copied into the file, and the last pages are in the cache.
		if b.read > a.read*3/2+1024 || b.written > a.written*3/2+2048 || b.allocations > a.allocations*3/2+2 {
			t.Errorf("%s: for each of %d records %+v, of %d %+v", name, small, a, large, b)
		}
	}
}

// grow makes a journal of n records, uses it, and returns the work for each record.
func grow(t *testing.T, n int) (names []string, costs []work) {
	t.Helper()
	j := newJournal(t, Options{})
	half := clock().Add(time.Duration(n/2) * time.Second)
	step := func(name string, do func() error) {
		w := measure(t, func() {
			if err := do(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		})
		names = append(names, name)
		costs = append(costs, work{w.read / int64(n), w.written / int64(n), w.allocations / int64(n)})
	}
	store := func() error {
		group := make([]webhook.Record, 1000)
		for i := 0; i < n; i += len(group) {
			for k := range group {
				r := sample(i + k)
				r.Request.Body = fmt.Appendf(nil, `{"notes":%q}`, strings.Repeat("x", 1000))
				if k%10 == 0 {
					r.Response.Status = 500
				}
				group[k] = r
			}
			if _, err := j.Import(t.Context(), group); err != nil {
				return err
			}
		}
		return nil
	}
	read := func(f Filter) func() error {
		return func() error {
			for _, err := range j.Records(t.Context(), f) {
				if err != nil {
					return err
				}
			}
			return nil
		}
	}
	step("Import", store)
	step("Import again", store)
	step("all", read(Filter{}))
	step("all, the newest first", read(Filter{Newest: true}))
	step("since", read(Filter{Since: half, Newest: true}))
	step("until", read(Filter{Until: half}))
	step("failed", read(Filter{Status: []string{"failed"}}))
	step("events", read(Filter{Events: []string{"work*"}, Direction: webhook.Received}))
	step("deliveries", read(Filter{Deliveries: true}))
	step("deliveries that failed", read(Filter{Deliveries: true, Status: []string{"failed"}}))
	step("Count", func() error {
		_, err := j.Count(t.Context(), Filter{Since: half, Status: []string{"failed"}})
		return err
	})
	step("Get by a delivery", func() error {
		_, err := j.Get(t.Context(), "whk_1")
		return err
	})
	step("Prune", func() error {
		_, err := j.Prune(t.Context(), half)
		return err
	})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return names, costs
}
