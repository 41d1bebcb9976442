package cli

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// filterFlags pick records of a journal.
type filterFlags struct {
	since, until string
	events       []string
	status       []string
	direction    string
	ids          []string
}

func (q *filterFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.since, "since", "", "what came in the last `TIME`, 2h or 7d, or since 2026-01-15T14:30:00Z")
	f.StringVar(&q.until, "until", "", "what came before `TIME`, as --since takes it")
	f.StringArrayVar(&q.events, "event", nil, "events that match `GLOB`, 'work_order.*'; repeatable")
	f.StringArrayVar(&q.status, "status", nil, "`STATUS`: ok, failed, an outcome such as duplicate, 503 or 5xx; repeatable")
	f.StringVar(&q.direction, "direction", "", "`WAY`: sent or received")
	f.StringArrayVar(&q.ids, "id", nil, "the record or the webhook of that `ID`; repeatable")
	complete(cmd, "status", "ok", "failed", "refused", "duplicate", "pending", "5xx")
	complete(cmd, "direction", "sent", "received")
}

// filter reads the flags.
func (q *filterFlags) filter(now time.Time) (f journal.Filter, err error) {
	if f.Since, err = moment("--since", q.since, now); err != nil {
		return f, err
	}
	if f.Until, err = moment("--until", q.until, now); err != nil {
		return f, err
	}
	for _, glob := range q.events {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return f, fmt.Errorf("--event %q: write an event, or a glob such as 'work_order.*'", glob)
		}
	}
	for _, s := range q.status {
		if err := journal.CheckStatus(s); err != nil {
			return f, fmt.Errorf("--status: %w", err)
		}
	}
	switch f.Direction = webhook.Direction(q.direction); f.Direction {
	case "", webhook.Sent, webhook.Received:
	default:
		return f, webhook.Unknown("direction", q.direction, []string{"sent", "received"})
	}
	f.Events, f.Status, f.IDs = q.events, q.status, q.ids
	return f, nil
}

// moment reads a time of RFC 3339, a day, or how long ago it was. It is the
// zero time for "".
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
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
