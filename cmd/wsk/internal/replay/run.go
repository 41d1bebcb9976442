package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Runner sends each job once.
type Runner struct {
	Client      deliver.Client // Now and Wait are also those of the gaps
	Expect      Expect
	Concurrency int                  // jobs at a time; default: 1, which keeps their order
	Speed       float64              // divides the recorded gaps between requests; 0 or infinite: no gaps
	Keep        func(webhook.Record) // called for every attempt, also for one that was interrupted; default: not at all
	Each        func(Result)         // called for every result as it comes, one at a time; default: not at all
}

// Run sends the jobs and counts the results. With gaps, a job is sent at its
// recorded distance from the first one, or at once when it is late. The error
// is not nil only when ctx ended; the summary then counts what was done.
func (r Runner) Run(ctx context.Context, jobs []Job) (Summary, error) {
	r.Client = withTime(r.Client)
	var summary Summary
	var mu sync.Mutex
	var workers sync.WaitGroup
	queue := make(chan Job)
	for range max(r.Concurrency, 1) {
		workers.Go(func() {
			for job := range queue {
				result, err := r.send(ctx, job)
				if err != nil {
					continue // interrupted: the queue ends
				}
				mu.Lock()
				summary.Add(result)
				if r.Each != nil {
					r.Each(result)
				}
				mu.Unlock()
			}
		})
	}
	r.feed(ctx, jobs, queue)
	close(queue)
	workers.Wait()
	return summary, ctx.Err()
}

// feed hands each job out when it is due.
func (r Runner) feed(ctx context.Context, jobs []Job, queue chan<- Job) {
	began := r.Client.Now()
	for _, job := range jobs {
		due := r.gap(jobs[0], job)
		if pause := due - r.Client.Now().Sub(began); due > 0 && pause > 0 {
			if r.Client.Wait(ctx, pause) != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case queue <- job:
		}
	}
}

// gap returns how long after the first job another one is due.
func (r Runner) gap(first, job Job) time.Duration {
	if r.Speed <= 0 || math.IsInf(r.Speed, 0) || first.Item.Record == nil || job.Item.Record == nil {
		return 0
	}
	return time.Duration(float64(job.Item.Record.Time.Sub(first.Item.Record.Time)) / r.Speed)
}

func (r Runner) send(ctx context.Context, job Job) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	record, err := r.Client.Attempt(ctx, job.Delivery, 0)
	record.ReplayOf = job.Item.origin()
	if job.Item.isForwardFailed() && isDuplicate(record.Response) {
		record.Verdict.Outcome, record.Verdict.Detail = webhook.Duplicate, notForwarded
	}
	if why := job.Item.Refused(); why != "" && !job.Delivery.Unsigned && record.Verdict != nil {
		record.Verdict.Warnings = append(record.Verdict.Warnings, "signed again, although it was refused when it was received: "+why)
	}
	if record.Verdict != nil && r.Keep != nil {
		r.Keep(record)
	}
	return r.Expect.result(job.Item, record), err
}

// notForwarded is why a replay to the receiver that gave up forwarding fixes nothing.
const notForwarded = "the receiver has accepted this delivery before, and does not forward it again: send to the app behind it, or give --new-id"

// isDuplicate reports whether a receiver of package receive answered that it has
// seen the delivery, under this id or, signed in the same second, under another.
func isDuplicate(r *webhook.Response) bool {
	var answer struct {
		Duplicate bool `json:"duplicate"`
		Suspect   bool `json:"replay_suspect"`
	}
	return r != nil && r.Status/100 == 2 && json.Unmarshal(r.Body, &answer) == nil && (answer.Duplicate || answer.Suspect)
}

// withTime gives a client the defaults of its Now and Wait.
func withTime(c deliver.Client) deliver.Client {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = deliver.Wait
	}
	return c
}

// Verdict compares the answer to an item with the recorded one.
type Verdict string

// The verdicts. The last two are for an item without a recorded answer.
const (
	Fixed        Verdict = "fixed"         // it failed and passes now
	Regressed    Verdict = "regressed"     // it passed and fails now
	StillFailing Verdict = "still_failing" // it failed and fails now
	StillPassing Verdict = "still_passing" // it passed and passes now
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
)

// OK reports whether the item passes now.
func (v Verdict) OK() bool { return v == Fixed || v == StillPassing || v == Passed }

// Expect is the status that an answer must have to pass, a recorded answer as
// well as a new one. The zero Expect is 2xx.
type Expect struct{ low, high int }

// ParseExpect reads a status, "204", or a class of statuses, "2xx".
func ParseExpect(text string) (Expect, error) {
	if len(text) == 3 && text[1:] == "xx" && '1' <= text[0] && text[0] <= '5' {
		low := int(text[0]-'0') * 100
		return Expect{low, low + 99}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 599 {
		return Expect{}, fmt.Errorf("%q is not a status: write 200, or 2xx for a class of them", text)
	}
	return Expect{n, n}, nil
}

// OK reports whether a status passes; 0, no answer, never does.
func (e Expect) OK(status int) bool {
	if e.low == 0 {
		return status/100 == 2
	}
	return e.low <= status && status <= e.high
}

// Judge compares a status with the recorded answer to an item.
func (e Expect) Judge(item Item, status int) Verdict {
	before, known := item.Before()
	now, then := e.OK(status), e.OK(before)
	switch {
	case !known && now:
		return Passed
	case !known:
		return Failed
	case now && then:
		return StillPassing
	case now:
		return Fixed
	case then:
		return Regressed
	}
	return StillFailing
}

// Result is the outcome of one item.
type Result struct {
	Source     string  `json:"source"`
	ID         string  `json:"id,omitempty"` // of the recorded request
	Event      string  `json:"event"`
	WebhookID  string  `json:"webhook_id,omitempty"`
	Before     *int    `json:"before,omitempty"` // the recorded status, 0 for no answer; nil: nothing was recorded
	Status     int     `json:"status"`           // 0: no answer
	Verdict    Verdict `json:"verdict"`
	Refused    string  `json:"refused,omitempty"` // why the recorded request was refused
	DurationMS float64 `json:"duration_ms"`
	Error      string  `json:"error,omitempty"` // why there is no answer, or why it fixes nothing

	Record webhook.Record `json:"-"` // of the attempt
}

// result judges the record of an attempt.
func (e Expect) result(item Item, r webhook.Record) Result {
	out := Result{
		Source: item.Source, Event: item.Event.Type, WebhookID: r.WebhookID, Status: r.Status(), Error: r.Error, Record: r,
		DurationMS: Milliseconds(r.Duration),
	}
	if item.Record != nil {
		out.ID, out.Refused = item.Record.ID, item.Refused()
	}
	if before, known := item.Before(); known {
		out.Before = &before
	}
	if r.Verdict != nil && r.Verdict.Outcome == webhook.Duplicate {
		out.Verdict, out.Error = StillFailing, r.Verdict.Detail
		return out
	}
	out.Verdict = e.Judge(item, out.Status)
	return out
}

// Milliseconds returns a duration in milliseconds, rounded to the microsecond.
func Milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// Summary counts results.
type Summary struct {
	Total        int `json:"total"`
	Fixed        int `json:"fixed"`
	Regressed    int `json:"regressed"`
	StillFailing int `json:"still_failing"`
	StillPassing int `json:"still_passing"`
	Passed       int `json:"passed"`
	Failed       int `json:"failed"`

	Answered int `json:"-"` // how many got an answer
}

// Add counts one result.
func (s *Summary) Add(r Result) {
	s.Total++
	if r.Status > 0 {
		s.Answered++
	}
	*s.of(r.Verdict)++
}

// Of returns how many had a verdict.
func (s *Summary) Of(v Verdict) int { return *s.of(v) }

func (s *Summary) of(v Verdict) *int {
	switch v {
	case Fixed:
		return &s.Fixed
	case Regressed:
		return &s.Regressed
	case StillFailing:
		return &s.StillFailing
	case StillPassing:
		return &s.StillPassing
	case Passed:
		return &s.Passed
	}
	return &s.Failed
}

// Bad returns how many do not pass.
func (s Summary) Bad() int { return s.Regressed + s.StillFailing + s.Failed }
