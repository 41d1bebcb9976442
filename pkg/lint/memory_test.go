package lint_test

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
)

// endless repeats lines up to a size.
type endless struct {
	lines []byte
	left  int
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		more := copy(p[n:], e.lines[e.at:])
		e.at, n = (e.at+more)%len(e.lines), n+more
	}
	e.left -= n
	return n, nil
}

// TestStreamMemory reads 300 MB of valid and of invalid lines in little memory.
func TestStreamMemory(t *testing.T) { // alone: it looks at the whole heap
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var lines bytes.Buffer
	for _, d := range samples() {
		lines.Write(append(d.Sample(), '\n'))
	}
	for name, text := range map[string][]byte{"samples": lines.Bytes(), "braces": []byte("{}\n")} {
		size := 300 << 20
		if name == "braces" {
			size = 12 << 20
		}
		runtime.GC()
		var most uint64
		var stats runtime.MemStats
		blocks := 0
		s := lint.Stream{Lines: true, Workers: 2, Emit: func([]report.Finding) {}, Read: func(int) {
			if blocks++; blocks%50 == 0 {
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapInuse)
			}
		}}
		counts, err := s.Run(t.Context(), newLinter(t, lint.Config{}), &endless{lines: text, left: size})
		t.Logf("%s: %v, %v, at most %d KiB of heap in use", name, counts, err, most>>10)
		if err != nil || most > 64<<20 {
			t.Errorf("%s: %d MiB", name, most>>20)
		}
	}
}
