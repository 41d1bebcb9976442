package batch

import (
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	for want, test := range map[string]struct {
		summary    batch.Summary
		next, left time.Duration
	}{
		"312 of 5,000  48 refused  next in 41s  about 4h41m left": {batch.Summary{Lines: 5000, Accepted: 264, Refused: 48, Pending: 4688}, 41 * time.Second, 4*time.Hour + 41*time.Minute},
		"2 of 3  1 unknown  next in 1m5s  about 3s left":          {batch.Summary{Lines: 3, Accepted: 1, Unknown: 1, Pending: 1}, 65 * time.Second, 3 * time.Second},
		"3 of 3": {batch.Summary{Lines: 3, Accepted: 3}, time.Millisecond, 0},
	} {
		if got := progressLine(test.summary, test.next, test.left); got != want {
			t.Errorf("progressLine(%+v) = %q, want %q", test.summary, got, want)
		}
	}
}
