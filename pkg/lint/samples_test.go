package lint_test

import (
	"testing"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestCheckerSamples(t *testing.T) {
	t.Parallel()
	c := newLinter(t, lint.Config{}).NewChecker()
	n := 0
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		if d.Sample() == nil || d.Form == webhook.Template {
			continue
		}
		n++
		r := c.Check(d.Sample())
		for _, f := range r.Findings {
			t.Errorf("%s/%s: %s", d.Form, d.Type, f)
		}
	}
	t.Log(n)
}

// TestCheckerAllocations protects the throughput of long streams.
func TestCheckerAllocations(t *testing.T) { // alone: it counts every allocation
	c := newLinter(t, lint.Config{}).NewChecker()
	for _, d := range samples() {
		sample := d.Sample()
		if n := testing.AllocsPerRun(10, func() { c.Check(sample) }); n > 0 {
			t.Errorf("%s %s: %v allocations", d.Form, d.Type, n)
		}
	}
}

func BenchmarkCheckerPayload(b *testing.B) {
	c := newLinter(b, lint.Config{}).NewChecker()
	var all [][]byte
	size := 0
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		if d.Sample() != nil && d.Form != webhook.Template {
			all = append(all, d.Sample())
			size += len(d.Sample())
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size / len(all)))
	i := 0
	for b.Loop() {
		c.Check(all[i%len(all)])
		i++
	}
}
