// Command wsk is the webhook workbench for WorkSkedge, Work Market and
// Worksome. See "wsk help".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wskdev/wsk/cmd/wsk/cli"
	"github.com/wskdev/wsk/cmd/wsk/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Without a handler, SIGPIPE ends the process when the reader of stdout leaves. A
	// signal that is ignored would stay ignored in the commands that wsk starts.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	dir, _ := os.Getwd()         // if the folder is gone, there is no project file in it
	env := command.NewEnv(os.Stdin, os.Stdout, os.Stderr, dir, os.LookupEnv, os.Environ)
	code := cli.Main(ctx, env, os.Args[1:])
	stop()
	os.Exit(code)
}
