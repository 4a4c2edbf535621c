//go:build parity

package main

import (
	"os/exec"
	"syscall"
)

// inOwnGroup makes cmd the head of a process group, so that killGroup ends its
// children too: mlflow's server leaves several.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	_ = cmd.Wait()
}
