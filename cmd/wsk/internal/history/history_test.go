package history_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/history"
)

// logOf reads "id: op op …" lines.
func logOf(text string) *history.Log {
	l := &history.Log{}
	for line := range strings.SplitSeq(text, "; ") {
		id, ops, _ := strings.Cut(line, ": ")
		for op := range strings.FieldsSeq(ops) {
			l.Add(history.Op(op), id)
		}
	}
	return l
}

// rules returns which rule is broken for which id.
func rules(found []history.Violation) (list []string) {
	for _, v := range found {
		list = append(list, v.ID+" "+string(v.Rule))
	}
	return list
}

func TestLog_CheckReceiver(t *testing.T) {
	t.Parallel()
	forwards := history.Receiver{HandsOn: true, Crashes: 1}
	for name, test := range map[string]struct {
		promise history.Receiver
		log     string
		want    []string
	}{
		"all is right":                     {forwards, "a: sent acked kept handed done; b: sent kept; c: sent", nil},
		"a retry after a crash":            {forwards, "a: sent sent acked kept handed handed done", nil},
		"lost":                             {forwards, "a: sent acked handed; b: sent acked kept handed", []string{"a lost"}},
		"lost without an app":              {history.Receiver{}, "a: sent acked", []string{"a lost"}},
		"sent again":                       {forwards, "a: sent acked sent acked known kept handed", nil},
		"forgotten":                        {forwards, "a: sent acked sent acked kept handed", []string{"a forgotten"}},
		"kept twice":                       {forwards, "a: sent acked kept kept handed", []string{"a kept twice"}},
		"damaged":                          {forwards, "a: sent acked kept torn handed", []string{"a damaged"}},
		"invented":                         {forwards, "a: kept", []string{"a invented"}},
		"invented at the app":              {forwards, "a: handed", []string{"a invented"}},
		"not handed":                       {forwards, "a: sent acked kept", []string{"a not handed"}},
		"false done":                       {forwards, "a: sent kept done", []string{"a false done"}},
		"twice without a crash":            {history.Receiver{HandsOn: true}, "a: sent acked kept handed handed", []string{"a too often", "all too often"}},
		"more often than a crash explains": {forwards, "a: sent acked kept handed handed; b: sent acked kept handed handed", []string{"all too often"}},
		"as often as were on their way":    {history.Receiver{HandsOn: true, Crashes: 1, Width: 2}, "a: sent acked kept handed handed; b: sent acked kept handed handed", nil},
		"no app, nothing handed":           {history.Receiver{}, "a: sent acked kept", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := rules(logOf(test.log).CheckReceiver(test.promise)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLog_CheckBatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		retried bool
		log     string
		want    []string
	}{
		"all is right":         {false, "1: sent accepted handed; 2: sent unknown handed; 3: sent unknown; 4: sent unsent", nil},
		"unknown, sent again":  {true, "1: sent accepted handed handed", nil},
		"sent twice":           {false, "1: sent accepted handed handed", []string{"1 too often"}},
		"accepted, not sent":   {false, "1: sent accepted", []string{"1 false state"}},
		"sent, said unsent":    {false, "1: sent unsent handed", []string{"1 false state"}},
		"refused by nobody":    {false, "1: sent refused handed", []string{"1 false state"}},
		"no state":             {false, "1: sent", []string{"1 false state"}},
		"two states":           {false, "1: sent accepted unsent handed", []string{"1 false state", "1 false state"}},
		"a line of no file":    {false, "9: accepted handed", []string{"9 invented"}},
		"unknown sent unasked": {false, "1: sent unknown handed handed", []string{"1 too often"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rules(logOf(test.log).CheckBatch(test.retried))
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCheckSchedule(t *testing.T) {
	t.Parallel()
	type attempts = []history.Attempt
	for name, test := range map[string]struct {
		attempts attempts
		crashes  int
		want     int
	}{
		"delivered at once":     {attempts{{0, 200}}, 0, 0},
		"delivered later":       {attempts{{0, 500}, {1, 500}, {2, 200}}, 0, 0},
		"one lost in a crash":   {attempts{{0, 500}, {2, 200}}, 1, 0},
		"taken before a crash":  {attempts{{0, 200}, {1, 200}}, 1, 0},
		"taken twice":           {attempts{{0, 200}, {1, 200}}, 0, 1},
		"the same number twice": {attempts{{0, 500}, {0, 500}}, 1, 1},
		"back":                  {attempts{{1, 500}, {0, 200}}, 1, 1},
		"a seventh":             {attempts{{5, 500}, {6, 500}}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := history.CheckSchedule("d", test.attempts, 6, test.crashes); len(got) != test.want {
				t.Errorf("got %v, want %d", got, test.want)
			}
		})
	}
}

func TestLog_counts(t *testing.T) {
	t.Parallel()
	l := logOf("a: sent handed handed handed; b: sent handed; c: sent")
	if got := l.IDs(history.Handed); !slices.Equal(got, []string{"a", "b"}) || l.Twice() != 2 || l.Count(history.Handed, "a") != 3 {
		t.Errorf("handed on %v, %d again", got, l.Twice())
	}
	v := history.Violation{Rule: history.Lost, ID: "a", Detail: "why"}
	if got := fmt.Sprint(v); got != "a: lost: why" {
		t.Errorf("got %q", got)
	}
}
