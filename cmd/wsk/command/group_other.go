//go:build !unix

package command

import "os/exec"

// ownGroup does nothing: this system has no process groups.
func ownGroup(*exec.Cmd) {}

func terminateGroup(c *exec.Cmd) { _ = c.Process.Kill() } // this system has no SIGTERM

func killGroup(c *exec.Cmd) { _ = c.Process.Kill() } // it may have ended already
