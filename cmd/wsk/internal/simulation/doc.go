// Package simulation is the proof of what the receiver, the forwarder, the batch and the
// sandbox promise: seeds make worlds in which requests are lost, doubled and cut, clocks jump,
// stores fail and processes crash at any step, under a clock that costs no time. At the
// end of each world a model looks at its history: what was acknowledged is kept, once; it
// was handed on as the promise says; no rate window was exceeded.
//
//	go test ./cmd/wsk/internal/simulation -run Simulation            # a few hundred seeds
//	go test ./cmd/wsk/internal/simulation -run Simulation -seed 4711 # one, with its history
//	make simulate
//
// A seed that fails prints the smallest world that still fails: fewer deliveries, fewer
// kinds of faults. The tests plant faults in the parts, and hold that seeds find them.
package simulation
