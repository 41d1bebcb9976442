// Command wsk is the webhook workbench for WorkSkedge, Work Market and
// Worksome. See "wsk help".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wskdev/wsk/cmd/wsk/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := cli.Main(ctx, cli.System(), os.Args[1:])
	stop()
	os.Exit(code)
}
