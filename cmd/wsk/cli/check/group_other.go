//go:build !unix

package check

import "os/exec"

// ownGroup does nothing: there are no process groups on this system.
func ownGroup(*exec.Cmd) {}

func interruptGroup(c *exec.Cmd) { _ = c.Process.Kill() } // there is no interrupt on this system

func killGroup(c *exec.Cmd) { _ = c.Process.Kill() } // it may have ended already
