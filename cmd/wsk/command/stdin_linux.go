package command

import "golang.org/x/sys/unix"

// fionread requests the number of bytes that can be read.
const fionread = unix.TIOCINQ
