//go:build unix

package check

import (
	"os/exec"
	"syscall"
)

// ownGroup lets a command be ended together with its children: a shell or npm
// would leave its child behind.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interruptGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM) } // it may have ended already

func killGroup(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // as above
