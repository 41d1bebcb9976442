package replay

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/webhook"
)

// replayQuery picks records.
type replayQuery struct {
	command.Filter
	failed bool
}

func (q *replayQuery) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&q.failed, "failed", false, "replay what was not answered with 2xx")
	f.StringVar(&q.Since, "since", "", "replay what came in the last `TIME`, 2h or 7d, or since 2026-01-15T14:30:00Z")
	f.StringVar(&q.Until, "until", "", "replay what came before `TIME`, as --since takes it")
	f.StringArrayVar(&q.Events, "event", nil, "replay events that match `GLOB`, 'work_order.*'; repeatable")
	f.StringArrayVar(&q.Status, "status", nil, "replay what was answered `STATUS`: 503, 5xx, failed, ok, refused, …; repeatable")
	f.StringVar(&q.Direction, "direction", "received", "replay what was `WAY`: received, sent, or any; in files, all")
	command.CompleteFlag(cmd, "direction", "received", "sent", "any")
}

// filter reads the flags. asked is false when none was given.
func (q *replayQuery) filter(now time.Time, given func(string) bool) (f replay.Filter, asked bool, err error) {
	for _, flag := range []string{"failed", "since", "until", "event", "status", "direction"} {
		asked = asked || given(flag)
	}
	flags := q.Filter
	switch {
	case q.Direction == "any":
		flags.Direction = ""
	case q.Direction != "received" && q.Direction != "sent":
		return f, asked, webhook.Unknown("direction", q.Direction, []string{"received", "sent", "any"})
	}
	if q.failed {
		if len(q.Status) > 0 {
			return f, asked, errors.New("--failed and --status contradict each other: --status failed is the same as --failed")
		}
		flags.Status = []string{"failed"}
	}
	picked, err := flags.Filter(now)
	return replay.Filter{Since: picked.Since, Until: picked.Until, Events: picked.Events, Status: picked.Status, Direction: picked.Direction}, asked, err
}
