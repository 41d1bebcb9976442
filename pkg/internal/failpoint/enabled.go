//go:build failpoint && unix

package failpoint

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Enabled reports whether the program has the failpoints.
const Enabled = true

// action is what a point does at one of its hits.
type action struct {
	do   string
	at   int64 // from 1
	hits atomic.Int64
}

var actions = parse(os.Getenv("WSK_FAILPOINTS"))

func parse(text string) map[string]*action {
	actions := map[string]*action{}
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' }) {
		name, rest, _ := strings.Cut(entry, "=")
		do, nth, _ := strings.Cut(rest, "@")
		at, err := strconv.ParseInt(nth, 10, 64)
		if err != nil || at < 1 || do != "kill" && do != "pause" && do != "error" {
			panic(fmt.Sprintf("failpoint %q: write NAME=kill@N, NAME=pause@N or NAME=error@N", entry))
		}
		actions[name] = &action{do: do, at: at}
	}
	return actions
}

// Hit is a failpoint: its error is the one that a test asked for.
func Hit(name string) error {
	a := actions[name]
	if a == nil || a.hits.Add(1) != a.at {
		return nil
	}
	switch a.do {
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal ends the process, and nothing is done before
	case "pause":
		resumed := make(chan os.Signal, 1)
		signal.Notify(resumed, syscall.SIGCONT)
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-resumed // SIGSTOP stops this thread at any moment
		return nil
	}
	return fmt.Errorf("failpoint %s", name)
}
