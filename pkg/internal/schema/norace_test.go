//go:build !race

package schema_test

// slowdown divides the work of the long tests: not at all without the race
// detector.
const slowdown = 1
