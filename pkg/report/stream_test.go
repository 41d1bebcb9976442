package report_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/report"
)

// counter counts what is written, and keeps nothing.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// ordinary returns a finding of a common size.
func ordinary() report.Finding {
	return report.Finding{
		File: "orders.ndjson", Column: 5, Severity: report.Error, Rule: "type", Pointer: "/data/priority",
		Message: "priority must be a string, is an object", Event: "work_order.created", Form: "inbound",
	}
}

// TestWriterMemory writes a million findings about one file. It is not parallel
// because it measures the heap of the process.
func TestWriterMemory(t *testing.T) {
	findings := 1_000_000
	if testing.Short() || underRace() {
		findings = 100_000
	}
	const bound = 4 << 20 // bytes: a suite of JUnit, twice, and the garbage collector's own
	for _, format := range report.Formats() {
		var written counter
		w, err := report.New(format, &written, tool())
		if err == nil {
			err = w.Source("orders.ndjson")
		}
		if err != nil {
			t.Fatal(err)
		}
		f := ordinary()
		before := heap()
		for f.Line = 1; f.Line <= findings; f.Line++ {
			if err := w.Finding(f); err != nil {
				t.Fatal(err)
			}
			if f.Line%(findings/4) == 0 {
				if now := heap(); now > before+bound {
					t.Errorf("%s: %d KiB more after %d findings", format, (now-before)>>10, f.Line)
				}
			}
		}
		if err := w.Close(report.Summary{Files: 1, Events: findings, Errors: findings}); err != nil {
			t.Fatal(err)
		}
		if int(written) < 50*findings {
			t.Errorf("%s: only %d bytes", format, written)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// underRace reports whether the race detector is on, which makes everything ten
// times slower.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func BenchmarkWriterFinding(b *testing.B) {
	for _, format := range report.Formats() {
		b.Run(format, func(b *testing.B) {
			var written counter
			w, err := report.New(format, &written, tool())
			if err != nil {
				b.Fatal(err)
			}
			f := ordinary()
			b.ReportAllocs()
			for b.Loop() {
				f.Line++
				if err := w.Finding(f); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(written) / int64(f.Line))
		})
	}
}

var errFull = []error{errors.New("no space left on device"), nil}

// full accepts a number of bytes and no more, as a disk does. Without an error
// it makes a short write.
type full struct {
	bytes.Buffer
	left int
	err  error
}

func (f *full) Write(b []byte) (int, error) {
	if len(b) <= f.left {
		f.left -= len(b)
		return f.Buffer.Write(b)
	}
	n, _ := f.Buffer.Write(b[:f.left])
	f.left = 0
	return n, f.err
}

func TestWriterOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		r := nasty()
		r.findings = r.findings[:4] // two errors, a warning, a note
		whole := r.write(t, format, tool())
		for size := range len(whole) {
			for _, cause := range errFull {
				disk := &full{left: size, err: cause}
				w, err := report.New(format, disk, tool())
				if err != nil {
					t.Fatal(err)
				}
				err = r.feed(w)
				want := cause
				if want == nil {
					want = io.ErrShortWrite
				}
				if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "writing the report: ") {
					t.Fatalf("%s, full after %d bytes: %v", format, size, err)
				}
				if got := disk.String(); got != whole[:size] {
					t.Fatalf("%s, full after %d bytes, continues after the gap: %q", format, size, got)
				}
				for _, again := range []error{w.Source("x"), w.Finding(ordinary()), w.Close(report.Summary{})} {
					if !errors.Is(again, want) {
						t.Fatalf("%s, full after %d bytes: then %v", format, size, again)
					}
				}
			}
		}
	}
}
