package replay

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// How many requests may be in flight when nothing else is said.
const (
	DefaultOpen   = 1000 // with a rate
	DefaultClosed = 32   // as fast as the answers come
)

// Load is a load test. Client's Transport and Now are required.
type Load struct {
	Client      deliver.Client
	Wait        func(context.Context, time.Duration) error // default: a timer
	Expect      Expect
	Rate        float64              // requests a second; 0: as fast as the answers come
	Duration    time.Duration        // send the jobs again and again for that long; 0: each once
	Concurrency int                  // requests in flight at most; default: DefaultOpen or DefaultClosed
	Keep        func(webhook.Record) // told of every request, which then costs more; default: nobody
	Progress    func(answers int)    // told now and then how many are done; default: nobody
}

// Run sends the jobs and reports what came back. The error is not nil only
// when ctx ended or a job cannot be made a request; after the former, the
// report tells of what was done.
//
// A request without a free place waits for one, and its wait counts as
// latency. What is still without a place when the duration is over is not sent
// and counted in [Report.Unsent].
func (l Load) Run(ctx context.Context, jobs []Job) (Report, error) {
	run := &loadRun{Load: l, stats: newStats()}
	var closeIdle func()
	run.Client.Transport, closeIdle = forLoad(l.Client.Transport, l.places())
	defer closeIdle()
	for i := range jobs {
		s, err := newShot(&jobs[i], l.Client.UserAgent, l.Client.Now())
		if err != nil {
			return Report{}, err
		}
		run.shots = append(run.shots, s)
	}
	if len(run.shots) == 0 {
		return run.report(), ctx.Err()
	}
	run.began = l.Client.Now()
	if l.Rate > 0 {
		run.open(ctx)
	} else {
		run.closed(ctx)
	}
	run.ended = l.Client.Now()
	return run.report(), ctx.Err()
}

// places is how many requests may be in flight.
func (l Load) places() int {
	switch {
	case l.Concurrency > 0:
		return l.Concurrency
	case l.Rate > 0:
		return DefaultOpen
	}
	return DefaultClosed
}

// total is how many requests a rate asks for.
func (l Load) total(jobs int) int {
	if l.Duration == 0 {
		return jobs
	}
	return max(1, int(l.Rate*l.Duration.Seconds()+1e-9))
}

// forLoad makes net/http's transport keep a connection for every request in
// flight, rather than open and close them. Another transport is left alone.
func forLoad(transport http.RoundTripper, places int) (http.RoundTripper, func()) {
	known, ok := transport.(*http.Transport)
	if !ok {
		return transport, func() {}
	}
	own := known.Clone()
	own.MaxIdleConns, own.MaxIdleConnsPerHost = places, places
	return own, own.CloseIdleConnections
}

// loadRun is one run of a Load.
type loadRun struct {
	Load
	shots []*shot
	stats *stats

	began, ended time.Time
	last         time.Duration // how long sending took
	unsent       int
}

// timerSlack is how late a timer may wake the schedule without the request's
// latency being counted from before: Go's poller sleeps for whole
// milliseconds, and the receiver has no part in that.
const timerSlack = 2 * time.Millisecond

// open sends at the rate: one goroutine keeps to the schedule and hands each
// request to a worker that is free, or to a new one while there are places.
func (r *loadRun) open(ctx context.Context) {
	over, stop := context.WithCancel(ctx)
	defer stop()
	if r.Duration > 0 {
		defer time.AfterFunc(r.Duration, stop).Stop()
	}
	var workers sync.WaitGroup
	tickets := make(chan ticket)
	hired, total := 0, r.total(len(r.shots))
	for i := range total {
		due := time.Duration(float64(i) / r.Rate * float64(time.Second))
		from := due
		if pause := due - r.Client.Now().Sub(r.began); pause > 0 {
			if wait(ctx, r.Wait, pause) != nil {
				break
			}
			if now := r.Client.Now().Sub(r.began); now-due < timerSlack {
				from = now
			}
		}
		t := ticket{r.shots[i%len(r.shots)], r.began.Add(from)}
		select {
		case tickets <- t:
		default:
			if hired < r.places() {
				hired++
				workers.Go(func() { r.work(ctx, t, tickets) })
			} else if !place(over, tickets, t) {
				r.unsent = total - i
			}
		}
		if r.unsent > 0 {
			break
		}
		r.last = max(due+time.Duration(float64(time.Second)/r.Rate), r.Client.Now().Sub(r.began))
	}
	close(tickets)
	workers.Wait()
	if ctx.Err() != nil {
		r.unsent = 0 // interrupted, which is nobody's failure
	}
}

// place waits for a worker, until it is over.
func place(over context.Context, tickets chan<- ticket, t ticket) bool {
	select {
	case tickets <- t:
		return true
	case <-over.Done():
		return false
	}
}

// work sends what comes, the first ticket first.
func (r *loadRun) work(ctx context.Context, t ticket, tickets <-chan ticket) {
	w := newWorker(ctx, r)
	defer w.close()
	for ok := true; ok && ctx.Err() == nil; t, ok = <-tickets {
		w.fire(t.shot, t.due)
	}
	for range tickets { // interrupted: let the schedule end
	}
}

// closed sends as fast as the answers come, one request a worker.
func (r *loadRun) closed(ctx context.Context) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range r.places() {
		workers.Go(func() {
			w := newWorker(ctx, r)
			defer w.close()
			for ctx.Err() == nil {
				now := r.Client.Now()
				i := int(next.Add(1)) - 1
				if r.Duration > 0 && now.Sub(r.began) >= r.Duration || r.Duration == 0 && i >= len(r.shots) {
					return
				}
				w.fire(r.shots[i%len(r.shots)], now)
			}
		})
	}
	workers.Wait()
}

// ticket is a request and when its latency begins.
type ticket struct {
	shot *shot
	due  time.Time
}
