//go:build !linux && !darwin

package command

import (
	"os"
	"time"
)

// hasData reports whether a file has bytes left. It does not look into a pipe:
// on this system nothing can look without reading.
func hasData(f *os.File, _ time.Duration) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular() && restOf(f, info) > 0
}
