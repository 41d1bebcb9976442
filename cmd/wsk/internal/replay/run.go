package replay

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Runner sends jobs once each.
type Runner struct {
	Client      deliver.Client
	Wait        func(context.Context, time.Duration) error // default: a timer
	Expect      Expect
	Concurrency int                  // jobs at a time; default: 1, which keeps their order
	Speed       float64              // divides the recorded gaps between requests; 0 or infinite: no gaps
	Keep        func(webhook.Record) // told of every attempt, one that was interrupted included; default: nobody
	Each        func(Result)         // told of every result as it comes, one at a time; default: nobody
}

// Run sends the jobs and counts what became of them. With gaps, a job leaves
// at its recorded distance from the first, or at once when it is late. The
// error is not nil only when ctx ended; the summary then counts what was done.
func (r Runner) Run(ctx context.Context, jobs []Job) (Summary, error) {
	var summary Summary
	var mu sync.Mutex
	var workers sync.WaitGroup
	queue := make(chan *Job)
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

// feed hands the jobs out when they are due.
func (r *Runner) feed(ctx context.Context, jobs []Job, queue chan<- *Job) {
	began := r.Client.Now()
	for i := range jobs {
		job := &jobs[i]
		due := r.gap(&jobs[0], job)
		if pause := due - r.Client.Now().Sub(began); due > 0 && pause > 0 {
			if wait(ctx, r.Wait, pause) != nil {
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

// gap is how long after the first job another one is due.
func (r *Runner) gap(first, job *Job) time.Duration {
	if r.Speed <= 0 || math.IsInf(r.Speed, 0) || first.Item.Record == nil || job.Item.Record == nil {
		return 0
	}
	return time.Duration(float64(job.Item.Record.Time.Sub(first.Item.Record.Time)) / r.Speed)
}

func (r *Runner) send(ctx context.Context, job *Job) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	record, err := r.Client.Attempt(ctx, *job.at(r.Client.Now()), 0)
	if record.Verdict != nil && r.Keep != nil {
		r.Keep(record)
	}
	return r.Expect.result(&job.Item, &record), err
}

// wait pauses by the function given, or by a timer.
func wait(ctx context.Context, by func(context.Context, time.Duration) error, d time.Duration) error {
	if by != nil {
		return by(ctx, d)
	}
	return deliver.Wait(ctx, d)
}
