package journal

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// A record or a delivery is found by the beginning of its id, if that is unique.
func TestGet_by_the_beginning_of_an_id(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	for i, ids := range [][2]string{{"rec_aa", "whk_1"}, {"rec_ab", "whk_1"}, {"rec_b", "whk_2"}, {"rec_bc", ""}, {"é%_", "*"}} {
		r := sample(i)
		r.ID, r.WebhookID = ids[0], ids[1]
		put(t, j, r)
	}
	for prefix, want := range map[string]string{
		"rec_aa": "rec_aa", "rec_ab": "rec_ab", // complete
		"rec_bc": "rec_bc", "rec_b": "rec_b", // complete, and the beginning of another
		"whk_2": "rec_b", "whk_1": "rec_ab", // the last record of a delivery
		"é": "é%_", "é…": "é%_", "é%": "é%_", "*": "é%_", // no character stands for others
	} {
		if r, err := j.Get(t.Context(), prefix); err != nil || r.ID != want {
			t.Errorf("Get(%q) = %s, %v; want %s", prefix, r.ID, err, want)
		}
	}
	for prefix, want := range map[string][]string{
		"rec_a": {"rec_ab", "rec_aa"}, "whk_": {"whk_2", "whk_1"}, "rec": {"rec_bc", "rec_b", "rec_ab", "rec_aa"},
	} {
		var ambiguous *AmbiguousError
		if _, err := j.Get(t.Context(), prefix); !errors.As(err, &ambiguous) || !slices.Equal(ambiguous.IDs, want) {
			t.Errorf("Get(%q): %v, want the candidates %v", prefix, err, want)
		}
		if _, err := j.Count(t.Context(), Filter{IDs: []string{"rec_b", prefix}}); !errors.As(err, &ambiguous) {
			t.Errorf("Count(%q): %v", prefix, err)
		}
	}
	for _, prefix := range []string{"", "rec_c", "%", "_ec", "rec_abc", "REC_B"} {
		if r, err := j.Get(t.Context(), prefix); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q) = %s, %v; want ErrNotFound", prefix, r.ID, err)
		}
	}
}

func TestAmbiguousError_lists_a_few(t *testing.T) {
	t.Parallel()
	j := newJournal(t, Options{})
	records := make([]webhook.Record, 20)
	for i := range records {
		records[i] = sample(i)
		records[i].WebhookID = fmt.Sprintf("whk_%02d", i)
	}
	put(t, j, records...)
	_, err := j.Get(t.Context(), "whk")
	const want = `20 ids begin with "whk": whk_19, whk_18, whk_17, whk_16, whk_15, whk_14, whk_13, whk_12 and 12 more; give more characters of one`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
