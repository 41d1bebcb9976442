package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Entry is a record and what is to be remembered with it.
type Entry struct {
	Record webhook.Record

	// Mark is what the receiver is to know again after a restart; nil for none.
	Mark *webhook.Mark

	// ForwardTo is a URL that the record is still to be forwarded to, see
	// [Journal.Due]; "" for none. Its credentials are masked.
	ForwardTo string
}

const putRecord = `
INSERT INTO record (id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, body,
	outcome, verdict, status, answer_headers, answer, answer_truncated, forward, duration, error,
	forward_to, forward_state, forward_tries, forward_next)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0)
ON CONFLICT (id) DO UPDATE SET
	outcome = excluded.outcome, verdict = excluded.verdict, status = excluded.status,
	answer_headers = excluded.answer_headers, answer = excluded.answer, answer_truncated = excluded.answer_truncated,
	forward = excluded.forward, duration = excluded.duration, error = excluded.error,
	forward_to = excluded.forward_to, forward_state = excluded.forward_state`

const putMark = `INSERT INTO seen (webhook_id, signed, body, accepted) VALUES (?,?,?,?)`

// Put stores a record, with its credentials masked, and returns when it is on
// disk. A record of the same id is brought up to date: its verdict, answer and
// times, not its request. The error is a [*FileError], [ErrBroken], or ctx's;
// in the last case the record may be stored all the same.
func (j *Journal) Put(ctx context.Context, e Entry) error {
	if j == nil {
		return nil
	}
	args, err := columns(e)
	if err != nil {
		return err
	}
	return explain(j.path, j.write.Submit(ctx, func(w *sqlfile.Writer) error {
		if err := w.Exec(putRecord, args...); err != nil || e.Mark == nil {
			return err
		}
		return w.Exec(putMark, e.Mark.ID, e.Mark.Signed[:], e.Mark.Body[:], e.Mark.Accepted)
	}))
}

// Import stores records that come from elsewhere, in their order, in one
// commit, and returns how many were new. One whose id is there is left alone.
func (j *Journal) Import(ctx context.Context, records []webhook.Record) (added int, err error) {
	rows := make([][]any, 0, len(records))
	for _, r := range records {
		args, err := columns(Entry{Record: r})
		if err != nil {
			return 0, err
		}
		rows = append(rows, args)
	}
	text, _, _ := strings.Cut(putRecord, "ON CONFLICT")
	err = j.write.Submit(ctx, func(w *sqlfile.Writer) error {
		added = 0
		for _, args := range rows {
			result, err := w.Run(text+"ON CONFLICT DO NOTHING", args...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	return added, explain(j.path, err)
}

// columns are the values of putRecord.
func columns(e Entry) ([]any, error) {
	r := e.Record.Redacted()
	var outcome webhook.Outcome
	var verdict, forward, answerHeaders, answer, status any
	truncated := false
	if v := r.Verdict; v != nil {
		text, err := verdictText(v)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.ID, err)
		}
		outcome, verdict = v.Outcome, text
	}
	if a := r.Response; a != nil {
		status, answerHeaders, answer, truncated = a.Status, lines(a.Header), bytesOrNull(a.Body), a.Truncated
	}
	if r.Forward != nil {
		text, err := webhook.Marshal(r.Forward)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.ID, err)
		}
		forward = string(text)
	}
	state := settled
	if e.ForwardTo != "" {
		state = due
	}
	return []any{
		r.ID, r.Time.UnixNano(), string(r.Direction), string(r.Platform), string(r.Form), r.Event, r.WebhookID, r.Attempt, r.Scheme,
		r.Request.Method, r.Request.URL, lines(r.Request.Header), bytesOrNull(r.Request.Body),
		string(outcome), verdict, status, answerHeaders, answer, truncated, forward, int64(r.Duration), r.Error,
		webhook.RedactURL(e.ForwardTo), state,
	}, nil
}

// verdictText is a verdict as JSON. Most say that all is well, and nothing
// else: that needs no encoder.
func verdictText(v *webhook.Verdict) (string, error) {
	if v.Outcome == webhook.Accepted && v.Verified && v.Reason+v.Detail == "" && len(v.Warnings)+len(v.Findings) == 0 && v.Diagnosis == nil {
		return `{"outcome":"accepted","verified":true}`, nil
	}
	text, err := webhook.Marshal(v)
	return string(text), err
}

func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// lines writes a header as people know it, "Name: value" a line. One that
// would not come back so, as only a record from elsewhere can hold, is written
// as JSON, which begins with a bracket.
func lines(h webhook.Header) string {
	var b strings.Builder
	for _, p := range h {
		if strings.ContainsAny(p.Name, "[:\n") || strings.Contains(p.Value, "\n") {
			text, _ := h.MarshalJSON() // a list of strings always marshals
			return string(text)
		}
		b.WriteString(p.Name)
		b.WriteString(": ")
		b.WriteString(p.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

func header(text string) (webhook.Header, error) {
	if strings.HasPrefix(text, "[") {
		var h webhook.Header
		err := json.Unmarshal([]byte(text), &h)
		return h, err
	}
	var h webhook.Header
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !found {
			return nil, fmt.Errorf("a header line has no colon: %.60q", line)
		}
		h = append(h, webhook.Pair{Name: name, Value: value})
	}
	return h, nil
}

// selected are the columns that scan reads.
const selected = `id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, body,
	verdict, status, answer_headers, answer, answer_truncated, forward, duration, error`

// scan reads one row of selected.
func scan(row interface{ Scan(to ...any) error }) (webhook.Record, error) {
	var r webhook.Record
	var at, duration int64
	var headers string
	var status sql.NullInt64
	var verdict, answerHeaders, forward sql.NullString
	var answer []byte
	var truncated bool
	err := row.Scan(&r.ID, &at, &r.Direction, &r.Platform, &r.Form, &r.Event, &r.WebhookID, &r.Attempt, &r.Scheme,
		&r.Request.Method, &r.Request.URL, &headers, &r.Request.Body,
		&verdict, &status, &answerHeaders, &answer, &truncated, &forward, &duration, &r.Error)
	if err != nil {
		return r, err
	}
	r.Time, r.Duration = time.Unix(0, at).UTC(), time.Duration(duration)
	var faults [4]error
	r.Request.Header, faults[0] = header(headers)
	if verdict.Valid {
		faults[1] = json.Unmarshal([]byte(verdict.String), &r.Verdict)
	}
	if status.Valid {
		r.Response = &webhook.Response{Status: int(status.Int64), Body: answer, Truncated: truncated}
		r.Response.Header, faults[2] = header(answerHeaders.String)
	}
	if forward.Valid {
		faults[3] = json.Unmarshal([]byte(forward.String), &r.Forward)
	}
	if err := errors.Join(faults[:]...); err != nil {
		return r, fmt.Errorf("record %s: %w", r.ID, err)
	}
	return r, nil
}
