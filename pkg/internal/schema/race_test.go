//go:build race

package schema_test

// slowdown is how much less the long tests do under the race detector.
const slowdown = 10
