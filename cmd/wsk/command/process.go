package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is the command after --, which runs while wsk does its work: a command
// that uses the server of wsk, or the service that wsk tests.
type Process struct {
	name      string
	cmd       *exec.Cmd
	terminate func() // asks the command to end
	kill      func()
	ended     chan struct{} // closed when the command has ended
	err       error         // how it ended, once ended is closed
}

// endPatience is how long a command may take to end before it is killed.
const endPatience = 5 * time.Second

// StartBeside starts a command beside a server, with variables added to its
// environment. It reads the terminal of wsk; its output goes to stderr, since stdout
// carries the server's result.
func StartBeside(env *Env, argv, variables []string) (*Process, error) {
	p := newProcess(env, argv)
	p.cmd.Env = append(p.cmd.Env, variables...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = env.In, env.Err, env.Err
	p.kill = func() { _ = p.cmd.Process.Kill() } // it may have ended already
	p.terminate = func() {
		if p.cmd.Process.Signal(os.Interrupt) != nil {
			p.kill() // Windows has no interrupt
		}
	}
	return p, p.start()
}

// StartService starts a server as a process group of its own, so that Stop also ends
// the children of a shell or of npm. Its output goes to output.
func StartService(env *Env, argv []string, output io.Writer) (*Process, error) {
	p := newProcess(env, argv)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	ownGroup(p.cmd)
	p.terminate, p.kill = func() { terminateGroup(p.cmd) }, func() { killGroup(p.cmd) }
	return p, p.start()
}

func newProcess(env *Env, argv []string) *Process {
	p := &Process{name: argv[0], ended: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...) //nolint:noctx // Stop ends it
	p.cmd.Dir, p.cmd.Env, p.cmd.WaitDelay = env.Dir, env.Environ(), endPatience
	return p
}

func (p *Process) start() error {
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

// Ended is closed when the command has ended. For a nil Process it is never closed.
func (p *Process) Ended() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.ended
}

// Err waits for the command to end and returns the error of [exec.Cmd.Wait].
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Result waits for the command to end. It returns nil if the command succeeded, the
// error of ctx if ctx has ended, since then the command was interrupted, and an
// [*AnswerNo] if it failed.
func (p *Process) Result(ctx context.Context) error {
	err := p.Err()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return No(fmt.Errorf("%s ended with %w", p.name, exit))
	case err != nil:
		return No(fmt.Errorf("running %s: %w", p.name, err))
	}
	return nil
}

// Stop asks the command to end, kills it if that takes more than five seconds, and
// returns when it has ended.
func (p *Process) Stop() {
	p.terminate()
	timer := time.NewTimer(endPatience)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
	}
	p.kill() // and children that outlive it
	<-p.ended
}
