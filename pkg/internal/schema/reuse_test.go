package schema_test

import (
	"bytes"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

func TestCheckerReuse(t *testing.T) {
	reused := new(schema.Checker)
	all := pairs(t)
	for round := range 6000 / slowdown {
		p := &all[round*7919%len(all)]
		m := newMutator(uint64(round))
		payload := m.tokens[m.IntN(len(m.tokens))]
		if len(p.payloads) > 0 {
			payload = p.payloads[m.IntN(len(p.payloads))]
		}
		text := []byte(m.mutate(payload))
		if m.IntN(3) == 0 { // broken anywhere
			text = text[:m.IntN(len(text)+1)]
		}
		fresh := new(schema.Checker).Check(p.ours, text)
		if got := reused.Check(p.ours, text); len(got)+len(fresh) > 0 && !reflect.DeepEqual(got, fresh) {
			t.Fatalf("%s: %q:\nreused: %+v\n fresh: %+v", p.name, text, got, fresh)
		}
	}
}

func TestCheckerChangesNothing(t *testing.T) {
	s := mustCompile(t, `{"properties":{"a":{"maxLength":1}}}`)
	checker := new(schema.Checker)
	payload := []byte(`{"\u0061":"\n\u00e9","a":1.0,"nope":2}`)
	before := bytes.Clone(payload)
	found := append([]schema.Finding(nil), checker.Check(s, payload)...)
	want := allInFull(found)
	if !bytes.Equal(payload, before) {
		t.Errorf("the payload became %s", payload)
	}
	clear(payload)
	checker.Check(s, []byte(`{"zzzzzzzzzzz":"zzzzzzzzzzzzzzzzzzzzzzzzzz"}`))
	if got := allInFull(found); got != want || len(found) != 4 {
		t.Errorf("the findings became\n%s\nfrom\n%s", got, want)
	}
}

func TestCheckerAllocationsOfTheCatalog(t *testing.T) {
	checker := new(schema.Checker)
	for _, s := range samples(t) {
		compiled, err := schema.Compile(loadCatalog, s.file)
		if err != nil {
			t.Fatal(err)
		}
		if len(checker.Check(compiled, s.payload)) > 0 {
			continue
		}
		if n := testing.AllocsPerRun(20, func() { checker.Check(compiled, s.payload) }); n != 0 {
			t.Errorf("%s: %v allocations", s.file, n)
		}
	}
}

// No keyword allocates: failed alternatives, escapes, names of any kind, formats,
// large numbers, violations in trials.
func TestCheckerAllocationsOfEachKeyword(t *testing.T) {
	checker := new(schema.Checker)
	checked := 0
	for _, c := range keywordCases(t) {
		if strings.Contains(c.schema, `"pattern"`) {
			continue // package regexp takes its memory from a pool
		}
		s := mustCompile(t, c.schema)
		for _, payload := range c.right {
			text := []byte(payload)
			if len(checker.Check(s, text)) > 0 {
				continue // an observation
			}
			checked++
			if n := testing.AllocsPerRun(20, func() { checker.Check(s, text) }); n != 0 {
				t.Errorf("%s: %s: %v allocations", c.name, payload, n)
			}
		}
	}
	if checked < 150 {
		t.Errorf("%d payloads only", checked)
	}
}

func TestSchemaIsShared(t *testing.T) {
	all := pairs(t)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			checker := new(schema.Checker)
			for i := range all {
				p := &all[(i+worker*31)%len(all)]
				for _, payload := range p.payloads {
					p.compare(t, checker, []byte(payload))
				}
			}
		})
	}
	wait.Wait()
}

// The buffers that one huge payload needed are released, and invalid payloads
// leave nothing in the checker.
func TestCheckerReleasesLargeBuffers(t *testing.T) {
	var names, nested strings.Builder
	for i := range 1_000_000 {
		names.WriteString(`,"n` + strconv.Itoa(i) + `":0`)
	}
	nested.WriteString(strings.Repeat(`{"a":1,"b":`, 500) + `"` + strings.Repeat(`\n`, 1<<20) + `"` + strings.Repeat("}", 500))
	checker := new(schema.Checker)
	s := mustCompile(t, `{"properties":{"b":{"$ref":"#"}},"maxLength":10000000}`)
	before := heap()
	found := checker.Check(s, []byte(`{"last":0`+names.String()+`,"n777777":0,"\u006east":0,"l\u0061st":0}`))
	if got, want := summarize(found, schema.Kind.IsViolation), "duplicate-key /n777777; duplicate-key /last"; got != want {
		t.Errorf("a million names: got %s, want %s", got, want)
	}
	for _, payload := range []string{`{"first":0` + names.String() + `}`, nested.String(), `[0` + strings.Repeat(`,{"a":{"b":1}}`, 100_000) + `]`} {
		checker.Check(s, []byte(payload))
	}
	for range 200_000 { // broken within objects
		checker.Check(s, []byte(`{"a":1,"b":{"a":1,"b":{"a":1,"`))
	}
	checker.Check(s, []byte(`{}`))
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the checker keeps %d bytes", grown)
	}
	runtime.KeepAlive(checker)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Names are kept only while their object is open: a list of any length needs the
// memory of one item.
func TestCheckerMemoryOfManyObjects(t *testing.T) {
	payload := []byte("[" + strings.Repeat(`{"a":1,"b":{"c":2}},`, 500_000/slowdown) + "0]")
	checker := new(schema.Checker)
	checker.Check(nil, []byte(`{"a":{"b":1}}`))
	if n := testing.AllocsPerRun(1, func() { checker.Check(nil, payload) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
