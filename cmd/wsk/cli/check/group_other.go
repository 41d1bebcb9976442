//go:build !unix

package check

import "os/exec"

// ownGroup does nothing: there are no groups of processes to end at once.
func ownGroup(*exec.Cmd) {}

func interruptGroup(c *exec.Cmd) { _ = c.Process.Kill() } // nothing asks a process to end here

func killGroup(c *exec.Cmd) { _ = c.Process.Kill() } // it may have ended
