package simulation

import (
	"flag"
	"strings"
	"testing"
)

var (
	oneSeed   = flag.Int64("seed", -1, "run this seed alone, and print its history")
	howMany   = flag.Uint64("seeds", 20, "how many seeds a scenario on disk runs; those in memory run 20 times as many")
	firstSeed = flag.Uint64("first", 1, "the first of them")
)

// scenarios are the worlds, by name.
var scenarios = map[string]struct {
	run   scenario
	size  int
	times uint64 // how many seeds of it there are for each of -seeds: most need no disk
}{
	"receivers": {receivers, 12, 20},
	"batch":     {batches, 40, 1},
	"sandbox":   {sandboxes, 8, 1},
}

func TestSimulation(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if *oneSeed >= 0 {
				violations, history := run(t, s.run, uint64(*oneSeed), s.size, allFaults, "")
				t.Logf("%s", strings.Join(history, "\n"))
				if len(violations) > 0 {
					t.Errorf("%s", strings.Join(violations, "\n"))
				}
				return
			}
			for seed := *firstSeed; seed < *firstSeed+*howMany*s.times; seed++ {
				violations, _ := run(t, s.run, seed, s.size, allFaults, "")
				if len(violations) == 0 {
					continue
				}
				size, f := shrink(t, s.run, seed, s.size, allFaults, "")
				smallest, history := run(t, s.run, seed, size, f, "")
				t.Fatalf("seed %d breaks the promise (-seed %d shows it):\n%s\nit still does with %d deliveries and %s:\n%s\n%s",
					seed, seed, strings.Join(violations, "\n"), size, f, strings.Join(smallest, "\n"), strings.Join(history, "\n"))
			}
		})
	}
}

// TestSimulation_finds_planted_faults holds that the worlds would show what they are to
// show: each planted fault is found within a number of seeds.
func TestSimulation_finds_planted_faults(t *testing.T) {
	for plant, scenario := range map[string]string{
		"the answer precedes the record":                  "receivers",
		"a crash loses what was kept last":                "receivers",
		"receivers do not see each other's claims":        "receivers",
		"the result of an attempt is not stored":          "receivers",
		"a captured request is not recognized":            "receivers",
		"a resumed batch sends unknown lines again":       "batch",
		"the window of a minute has one request too many": "batch",
		"a crash loses the newest pages of the sandbox":   "sandbox",
	} {
		t.Run(plant, func(t *testing.T) {
			t.Parallel()
			const enough = 100 // seeds
			for seed := uint64(1); seed <= enough; seed++ {
				s := scenarios[scenario]
				if violations, _ := run(t, s.run, seed, s.size, allFaults, plant); len(violations) > 0 {
					t.Logf("found by seed %d: %s", seed, violations[0])
					return
				}
			}
			t.Errorf("not found by %d seeds", enough)
		})
	}
}
