package command

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// WithJournal opens a journal that must be there and closes it after use.
func WithJournal(ctx context.Context, env *Env, f *Journal, use func(*journal.Journal) error) error {
	j, err := f.Open(ctx, env, true)
	if err != nil {
		return err
	}
	return errors.Join(use(j), j.Close())
}

// FindRecord finds one by its id, or by its webhook's.
func FindRecord(ctx context.Context, j *journal.Journal, id string) (webhook.Record, error) {
	r, err := j.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		err = fmt.Errorf("%q: %w in %s; wsk journal list shows what is there", id, err, j.Path())
	}
	return r, err
}

// Filter pick records of a journal.
type Filter struct {
	Since, Until string
	Events       []string
	Status       []string
	Direction    string
	ids          []string
}

func (q *Filter) Add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.Since, "since", "", "what came in the last `TIME`, 2h or 7d, or since 2026-01-15T14:30:00Z")
	f.StringVar(&q.Until, "until", "", "what came before `TIME`, as --since takes it")
	f.StringArrayVar(&q.Events, "event", nil, "events that match `GLOB`, 'work_order.*'; repeatable")
	f.StringArrayVar(&q.Status, "status", nil, "`STATUS`: ok, failed, an outcome such as duplicate, 503 or 5xx; repeatable")
	f.StringVar(&q.Direction, "direction", "", "`WAY`: sent or received")
	f.StringArrayVar(&q.ids, "id", nil, "the record or the webhook of that `ID`; repeatable")
	CompleteFlag(cmd, "status", "ok", "failed", "refused", "duplicate", "pending", "5xx")
	CompleteFlag(cmd, "direction", "sent", "received")
}

// Filter reads the flags.
func (q *Filter) Filter(now time.Time) (f journal.Filter, err error) {
	if f.Since, err = ParseTime("--since", q.Since, now); err != nil {
		return f, err
	}
	if f.Until, err = ParseTime("--until", q.Until, now); err != nil {
		return f, err
	}
	for _, glob := range q.Events {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return f, fmt.Errorf("--event %q: write an event, or a glob such as 'work_order.*'", glob)
		}
	}
	for _, s := range q.Status {
		if err := journal.CheckStatus(s); err != nil {
			return f, fmt.Errorf("--status: %w", err)
		}
	}
	switch f.Direction = webhook.Direction(q.Direction); f.Direction {
	case "", webhook.Sent, webhook.Received:
	default:
		return f, webhook.Unknown("direction", q.Direction, []string{"sent", "received"})
	}
	f.Events, f.Status, f.IDs = q.Events, q.Status, q.ids
	return f, nil
}

// ParseTime reads a time of RFC 3339, a day, or how long ago it was. It is the
// zero time for "".
func ParseTime(flag, text string, now time.Time) (time.Time, error) {
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
