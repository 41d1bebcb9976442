package webhook

import (
	"testing"
)

func TestPosition(t *testing.T) {
	t.Parallel()
	raw := []byte("ab\n🔧é\n")
	for offset, want := range map[int][2]int{-5: {1, 1}, 0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 7: {2, 2}, 9: {2, 3}, 10: {3, 1}, 99: {3, 1}} {
		if line, column := position(raw, offset); line != want[0] || column != want[1] {
			t.Errorf("offset %d is %d:%d, want %d:%d", offset, line, column, want[0], want[1])
		}
	}
	if line, column := position(nil, 3); line != 1 || column != 1 {
		t.Errorf("in nothing: %d:%d", line, column)
	}
}
