package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// insertRecord takes the values that columns returns.
const insertRecord = `
INSERT INTO record (id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, body,
	outcome, verdict, status, answer_headers, answer, answer_truncated, forward, duration, error,
	replay_of, body_size, refused_size, forward_to, forward_state, forward_order, forward_tries, forward_next)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0)`

const (
	importRecord = insertRecord + `
ON CONFLICT DO NOTHING`

	putRecord = insertRecord + `
ON CONFLICT (id) DO UPDATE SET
	outcome = excluded.outcome, verdict = excluded.verdict, status = excluded.status,
	answer_headers = excluded.answer_headers, answer = excluded.answer, answer_truncated = excluded.answer_truncated,
	forward = excluded.forward, duration = excluded.duration, error = excluded.error,
	forward_to = excluded.forward_to, forward_state = excluded.forward_state, forward_order = excluded.forward_order`
)

// Put stores a record, with its credentials masked, and returns when it is on
// disk. If there is a record with the same id, Put updates its verdict, its
// response, its duration and its error, but not its request. The error is a
// [*FileError], [ErrBroken], or that of ctx; in the last case the record may
// still be stored.
func (j *Journal) Put(ctx context.Context, r webhook.Record) error {
	return j.put(ctx, receive.Receipt{Record: r}, "")
}

// Keep stores a record as Put does, together with the mark of its delivery, see
// [receive.Recorder]. If the receipt's Once is set and another receiver on this file
// has accepted the delivery, or is handling it, Keep stores nothing, and the error
// is a [*receive.SeenError]. Of a receipt that is Unverified, Keep stores a part
// within [RefusedLimits], and returns before it is on disk. A receiver that forwards in
// the background uses [Queue.Keep].
func (j *Journal) Keep(ctx context.Context, r receive.Receipt) error {
	return j.put(ctx, r, "")
}

// put stores a record and a mark, if there is one. The record waits to be
// forwarded to a target unless that is "".
func (j *Journal) put(ctx context.Context, r receive.Receipt, forwardTo string) error {
	if r.Unverified {
		return j.keepRefused(r)
	}
	args, err := columns(r.Record, forwardTo, r.Order)
	if err != nil {
		return err
	}
	var seen *receive.SeenError
	err = j.write.Submit(ctx, func(tx *sqlfile.Tx) (err error) {
		tx.Failpoints("journal/record")
		seen = nil
		if r.Record.RefusedUnverified() {
			j.refused.isKnown = false
		}
		if r.Once {
			if seen, err = j.claim(tx, r); err != nil || seen != nil {
				return err
			}
		}
		if err := tx.Exec(putRecord, args...); err != nil {
			return err
		}
		return j.storeMark(tx, r)
	})
	if err == nil && seen != nil {
		return seen
	}
	return explain(j.path, err)
}

// Import stores records of another journal in one commit, in the order given,
// and returns how many of them were new. It does not change a record that is
// already stored under the same id.
func (j *Journal) Import(ctx context.Context, records []webhook.Record) (added int, err error) {
	rows := make([][]any, 0, len(records))
	for _, r := range records {
		args, err := columns(r, "", "")
		if err != nil {
			return 0, err
		}
		rows = append(rows, args)
	}
	err = j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/import")
		added, j.refused.isKnown = 0, false
		for _, args := range rows {
			n, err := tx.Change(importRecord, args...)
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	return added, explain(j.path, err)
}

// columns returns the values of insertRecord, in its order. A record that waits to
// be forwarded is pending.
func columns(r webhook.Record, forwardTo, order string) ([]any, error) {
	r = r.Redacted()
	if forwardTo != "" && r.Verdict != nil {
		verdict := *r.Verdict
		verdict.Outcome = pending
		r.Verdict = &verdict
	}
	verdict, err := verdictColumn(r.Verdict)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", r.ID, err)
	}
	forward, err := forwardColumn(r.Forward)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", r.ID, err)
	}
	var status, answerHeaders, answer any
	truncated := false
	if a := r.Response; a != nil {
		status, answerHeaders, answer, truncated = a.Status, headerLines(a.Header), bytesOrNull(a.Body), a.Truncated
	}
	state := notForwarded
	if forwardTo != "" {
		state = forwardDue
	}
	var bodySize any
	if r.Request.Truncated {
		bodySize = r.Request.Size
	}
	return []any{
		r.ID, r.Time.UnixNano(), string(r.Direction), string(r.Platform), string(r.Form), r.Event, r.WebhookID, r.Attempt, r.Scheme,
		r.Request.Method, r.Request.URL, headerLines(r.Request.Header), bytesOrNull(r.Request.Body),
		string(outcomeOf(r)), verdict, status, answerHeaders, answer, truncated, forward, int64(r.Duration), r.Error,
		r.ReplayOf, bodySize, refusedSize(&r), forwardTo, state, order,
	}, nil
}

// pending is the outcome of a record that is stored before it is handled.
const pending = webhook.Pending

func outcomeOf(r webhook.Record) webhook.Outcome {
	if r.Verdict == nil {
		return ""
	}
	return r.Verdict.Outcome
}

// verdictColumn returns a verdict as JSON, or nil. Most verdicts only report
// success, which needs no encoder.
func verdictColumn(v *webhook.Verdict) (any, error) {
	if v == nil {
		return nil, nil
	}
	if v.Outcome == webhook.Accepted && v.Verified && v.Reason+v.Detail == "" && len(v.Warnings)+len(v.Findings) == 0 && v.Diagnosis == nil {
		return `{"outcome":"accepted","verified":true}`, nil
	}
	text, err := jsontext.Marshal(v)
	return string(text), err
}

// forwardColumn returns the app's response as JSON, or nil.
func forwardColumn(r *webhook.Response) (any, error) {
	if r == nil {
		return nil, nil
	}
	text, err := jsontext.Marshal(r)
	return string(text), err
}

func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// headerLines writes a header as lines of "Name: value", which people can read.
// A header that could not be read back from that, which only an imported record
// can contain, is written as JSON, which begins with a bracket.
func headerLines(h webhook.Header) string {
	size := 0
	for _, p := range h {
		size += len(p.Name) + len(p.Value) + len(": \n")
	}
	var b strings.Builder
	b.Grow(size)
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

// parseHeader reads what headerLines wrote.
func parseHeader(text string) (webhook.Header, error) {
	var h webhook.Header
	if strings.HasPrefix(text, "[") {
		err := json.Unmarshal([]byte(text), &h)
		return h, err
	}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !found {
			return nil, fmt.Errorf("header line without a colon: %.60q", line)
		}
		h = append(h, webhook.Pair{Name: name, Value: value})
	}
	return h, nil
}

// recordColumns are the columns that scanRecord reads.
const recordColumns = `id, time, direction, platform, form, event, webhook_id, attempt, scheme, method, url, headers, body,
	verdict, status, answer_headers, answer, answer_truncated, forward, duration, error, replay_of, body_size`

// scanRecord reads a row of recordColumns, which other columns may precede:
// their values go to first.
func scanRecord(row interface{ Scan(to ...any) error }, first ...any) (webhook.Record, error) {
	var r webhook.Record
	var at, duration int64
	var headers string
	var status, bodySize sql.NullInt64
	var verdict, answerHeaders, forward sql.NullString
	var answer []byte
	var truncated bool
	err := row.Scan(append(first, &r.ID, &at, &r.Direction, &r.Platform, &r.Form, &r.Event, &r.WebhookID, &r.Attempt, &r.Scheme,
		&r.Request.Method, &r.Request.URL, &headers, &r.Request.Body,
		&verdict, &status, &answerHeaders, &answer, &truncated, &forward, &duration, &r.Error, &r.ReplayOf, &bodySize)...)
	if err != nil {
		return r, err
	}
	r.Request.Truncated, r.Request.Size = bodySize.Valid, bodySize.Int64
	r.Time, r.Duration = time.Unix(0, at).UTC(), time.Duration(duration)
	r.Request.Header, err = parseHeader(headers)
	if err == nil && verdict.Valid {
		err = json.Unmarshal([]byte(verdict.String), &r.Verdict)
	}
	if err == nil && status.Valid {
		r.Response = &webhook.Response{Status: int(status.Int64), Body: answer, Truncated: truncated}
		r.Response.Header, err = parseHeader(answerHeaders.String)
	}
	if err == nil && forward.Valid {
		err = json.Unmarshal([]byte(forward.String), &r.Forward)
	}
	if err != nil {
		return r, fmt.Errorf("record %s: %w", r.ID, err)
	}
	return r, nil
}
