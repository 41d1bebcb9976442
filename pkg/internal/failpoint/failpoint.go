//go:build !failpoint || !unix

// Package failpoint names the places at which a test can end the process, stop it, or
// have an error returned: the boundaries of what is written to disk, sent and answered.
//
//	if err := failpoint.Hit("sqlfile/before-commit"); err != nil {
//		return err
//	}
//
// In a normal build Hit does nothing and is compiled to nothing. A program built with the
// tag failpoint reads $WSK_FAILPOINTS, such as
//
//	journal/receipt/after-sync=kill@3;sqlfile/before-commit=error@1
//
// which kills the process by SIGKILL at the third hit of the one point, and returns an
// error from the first of the other. pause stops the process by SIGSTOP, until it gets
// SIGCONT. Each name is at one place; TestFailpoints in cmd/wsk knows them all.
package failpoint

// Enabled reports whether the program has the failpoints.
const Enabled = false

// Hit is a failpoint: its error is the one that a test asked for.
func Hit(_ string) error { return nil }
