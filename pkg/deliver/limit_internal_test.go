package deliver

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiterMemory(t *testing.T) {
	l := NewLimiter(Limit{Count: 1, Per: time.Minute})
	now := time.Unix(1_768_000_000, 0)
	for i := range 100_000 {
		l.Take(strconv.Itoa(i), now.Add(time.Duration(i)*time.Second))
	}
	if n := len(l.windows); n > minSweep {
		t.Errorf("%d keys are remembered, of which 60 were used within the last minute", n)
	}
}
