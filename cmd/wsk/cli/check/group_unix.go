//go:build unix

package check

import (
	"os/exec"
	"syscall"
)

// ownGroup lets a command and what it starts be ended together: a shell or npm
// leaves its child behind otherwise.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interruptGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM) } // it may have ended

func killGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // as above
