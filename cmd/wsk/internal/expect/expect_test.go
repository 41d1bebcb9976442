package expect_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/expect"
)

func TestTally(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expectations []string
		min          int
		events       string
		met          bool
		missing      string
	}{
		"nothing expected is never met":            {nil, 0, "a b", false, ""},
		"one event":                                {[]string{"a"}, 0, "a", true, ""},
		"one event of another type":                {[]string{"a"}, 0, "b", false, "expected and missing: a (0 of 1 arrived)"},
		"fewer than expected":                      {[]string{"a=3"}, 0, "a a", false, "expected and missing: a (2 of 3 arrived)"},
		"more than expected":                       {[]string{"a=2"}, 0, "a a a", true, ""},
		"a glob counts all that match":             {[]string{"work_order.*=2"}, 0, "work_order.created work_order.deleted", true, ""},
		"an event counts for every match":          {[]string{"work_order.*", "*.created"}, 0, "work_order.created", true, ""},
		"all expectations must be met":             {[]string{"a", "b=2", "c"}, 0, "a b", false, "expected and missing: b (1 of 2 arrived), c (0 of 1 arrived)"},
		"a number of events":                       {nil, 2, "a b", true, ""},
		"too few events":                           {nil, 3, "a", false, "expected and missing: 1 of 3 events"},
		"one event of any type":                    {nil, 1, "", false, "expected and missing: 0 of 1 event"},
		"expectations, and too few events":         {[]string{"a"}, 3, "a b", false, "expected and missing: 2 of 3 events"},
		"enough events, but none that is expected": {[]string{"c"}, 2, "a b", false, "expected and missing: c (0 of 1 arrived)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tally, err := expect.New(test.expectations, test.min)
			if err != nil {
				t.Fatal(err)
			}
			for event := range strings.FieldsSeq(test.events) {
				tally.Add(event)
			}
			met := false
			select {
			case <-tally.Met():
				met = true
			default:
			}
			if missing := tally.Missing(); met != test.met || missing != test.missing {
				t.Errorf("met is %t and %q is missing, want %t and %q", met, missing, test.met, test.missing)
			}
		})
	}
}

func TestTallyWaiting(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expectations []string
		min          int
		events       string
		want         string
	}{
		"nothing":         {[]string{"a"}, 1, "a", ""},
		"some of each":    {[]string{"a=2", "b", "c*=3"}, 4, "a b", "1 more a (--expect), 3 more c* (--expect), 2 more events (--exit-after)"},
		"one of any type": {nil, 2, "x", "1 more event (--exit-after)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tally, err := expect.New(test.expectations, test.min)
			if err != nil {
				t.Fatal(err)
			}
			for event := range strings.FieldsSeq(test.events) {
				tally.Add(event)
			}
			if got := tally.Waiting(); got != test.want {
				t.Errorf("waiting for %q, want %q", got, test.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "=1", "a=", "a=0", "a=-1", "a=x", "a=1=2", "[", "[=2"} {
		if _, err := expect.New([]string{"ok", text}, 0); err == nil || !strings.Contains(err.Error(), "write EVENT=N") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestTallyAddConcurrently(t *testing.T) {
	t.Parallel()
	tally, err := expect.New([]string{"a=100"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 150 {
		wait.Go(func() { tally.Add("a") })
	}
	wait.Wait()
	<-tally.Met()
}
