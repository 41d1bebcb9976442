package cli

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/replay"
	"github.com/wskdev/wsk/pkg/webhook"
)

// replayQuery picks records.
type replayQuery struct {
	failed       bool
	since, until string
	events       []string
	status       []string
	direction    string
}

func (q *replayQuery) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&q.failed, "failed", false, "replay what was not answered with 2xx")
	f.StringVar(&q.since, "since", "", "replay what came in the last `TIME`, 2h or 7d, or since 2026-01-15T14:30:00Z")
	f.StringVar(&q.until, "until", "", "replay what came before `TIME`, as --since takes it")
	f.StringArrayVar(&q.events, "event", nil, "replay events that match `GLOB`, 'work_order.*'; repeatable")
	f.StringArrayVar(&q.status, "status", nil, "replay what was answered `STATUS`: 503, 5xx, failed, ok, refused, …; repeatable")
	f.StringVar(&q.direction, "direction", "received", "replay what was `WAY`: received, sent, or any; in files, all")
	complete(cmd, "direction", "received", "sent", "any")
}

// filter reads the flags. asked is false when none was given.
func (q *replayQuery) filter(now time.Time, given func(string) bool) (f replay.Filter, asked bool, err error) {
	f = replay.Filter{Events: q.events, Status: slices.Clone(q.status)}
	for _, flag := range []string{"failed", "since", "until", "event", "status", "direction"} {
		asked = asked || given(flag)
	}
	if f.Since, err = replayTime("--since", q.since, now); err != nil {
		return f, asked, err
	}
	if f.Until, err = replayTime("--until", q.until, now); err != nil {
		return f, asked, err
	}
	for _, glob := range q.events {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return f, asked, fmt.Errorf("--event %q: write an event, or a glob such as 'work_order.*'", glob)
		}
	}
	for _, s := range q.status {
		if err := journal.CheckStatus(s); err != nil {
			return f, asked, fmt.Errorf("--status: %w", err)
		}
	}
	switch q.direction {
	case "received", "sent":
		f.Direction = webhook.Direction(q.direction)
	case "any":
	default:
		return f, asked, webhook.Unknown("direction", q.direction, []string{"received", "sent", "any"})
	}
	if q.failed {
		if len(q.status) > 0 {
			return f, asked, errors.New("--failed and --status contradict each other: --status failed is the same as --failed")
		}
		f.Status = []string{"failed"}
	}
	return f, asked, nil
}

// replayTime reads a moment: a time of RFC 3339, or how long ago it was.
func replayTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.ParseUint(days, 10, 15); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%s %q: write how long ago, 90s, 2h or 7d, or a time such as 2026-01-15T14:30:00Z", flag, text)
}
