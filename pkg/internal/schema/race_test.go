//go:build race

package schema_test

// slowdown divides the work of the long tests under the race detector.
const slowdown = 10
