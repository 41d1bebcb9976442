package command_test

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/command/commandtest"
)

func TestListen_explains_errors(t *testing.T) {
	t.Parallel()
	bind := func(number syscall.Errno) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", number)}
	}
	for want, err := range map[string]error{
		"port 3000 is in use: stop what listens there, or choose another with --port; --port 0 picks a free one":         bind(syscall.EADDRINUSE),
		"port 3000 needs privileges: choose one above 1023":                                                              bind(syscall.EACCES),
		"--host h: this machine does not have the address: write one that it has, such as 127.0.0.1, or 0.0.0.0 for all": bind(syscall.EADDRNOTAVAIL),
		"--host h: protocol not supported":                                                                               bind(syscall.EPROTONOSUPPORT),
		"--host h: no address has this name: write an IP address of this machine, such as 127.0.0.1":                     &net.OpError{Op: "listen", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}},
	} {
		env := commandtest.New(t).Env
		env.Listen = func(context.Context, string) (net.Listener, error) { return nil, err }
		if _, got := command.Listen(t.Context(), env, "h", 3000); got == nil || got.Error() != want {
			t.Errorf("%v: %v, want %q", err, got, want)
		}
	}
}
