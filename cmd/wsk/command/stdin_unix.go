//go:build linux || darwin

package command

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hasData reports whether bytes can be read from a file or a pipe now, and waits
// up to a time for a pipe. A device such as /dev/null and a closed pipe have none.
// Nothing is read: what follows in a shell script may need it.
func hasData(f *os.File, wait time.Duration) bool {
	info, err := f.Stat()
	switch {
	case err != nil:
		return false
	case info.Mode().IsRegular():
		return restOf(f, info) > 0
	case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0:
		return false
	}
	deadline := time.Now().Add(wait)
	for {
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}} //nolint:gosec // a descriptor is a small number
		_, err := unix.Poll(fds, int(max(0, time.Until(deadline)).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		break
	}
	n, err := unix.IoctlGetInt(int(f.Fd()), fionread) // a pipe that is closed is readable as well, and has 0 bytes
	return err == nil && n > 0
}
