package replay

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/rate"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// How many requests may be in flight by default.
const (
	DefaultOpen   = 1000 // with a rate
	DefaultClosed = 32   // as fast as the answers come
)

// Load is a load test.
type Load struct {
	Client      deliver.Client // Now and Wait are also those of the schedule
	Expect      Expect
	Rate        float64              // requests a second; 0: as fast as the answers come
	Duration    time.Duration        // send the jobs again and again for that long; 0: each once
	Concurrency int                  // requests in flight at most; default: DefaultOpen or DefaultClosed
	Keep        func(webhook.Record) // called for every request, which then costs more; default: not at all
	Progress    func(answers int)    // called now and then with the number of answers; default: not at all
}

// maxRate is the highest rate, in requests a second.
const maxRate = 1_000_000

// ParseRate reads "500/s", "50/m", "1000/h" or "max" as requests a second: 0 is
// as fast as the answers come.
func ParseRate(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	r, err := rate.Parse(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w, or max", err)
	case r.PerSecond() > maxRate:
		return 0, fmt.Errorf("rate %q: the highest is %d/s; max is as fast as the answers come", text, maxRate)
	}
	return r.PerSecond(), nil
}

// Run sends the jobs and reports the answers. The error is not nil only when
// ctx ended or no request can be made of a job; when ctx ended, the report
// covers what was done.
//
// A request waits while as many as Concurrency are in flight, and its wait
// counts as latency. What still waits when the duration is over is not sent,
// and counted in [Report.Unsent].
func (l Load) Run(ctx context.Context, jobs []Job) (Report, error) {
	l.Client = withTime(l.Client)
	transport, closeIdle := loadTransport(l.Client.Transport, l.slots())
	defer closeIdle()
	l.Client.Transport = transport
	run := &loadRun{Load: l, stats: stats{statuses: map[int]int{}, errors: map[string]int{}}}
	for _, job := range jobs {
		prepared, err := l.Client.Prepare(job.Delivery)
		if err != nil {
			return Report{}, err
		}
		run.requests = append(run.requests, request{job.Delivery, prepared})
	}
	if len(run.requests) == 0 {
		return run.report(), ctx.Err()
	}
	run.began = l.Client.Now()
	if l.Rate > 0 {
		run.openLoop(ctx)
	} else {
		run.closedLoop(ctx)
	}
	run.ended = l.Client.Now()
	return run.report(), ctx.Err()
}

// slots returns how many requests may be in flight.
func (l Load) slots() int {
	switch {
	case l.Concurrency > 0:
		return l.Concurrency
	case l.Rate > 0:
		return DefaultOpen
	}
	return DefaultClosed
}

// total returns how many requests a rate asks for.
func (l Load) total(jobs int) int {
	if l.Duration == 0 {
		return jobs
	}
	return max(1, int(l.Rate*l.Duration.Seconds()+1e-9))
}

// loadTransport returns a transport that keeps a connection for every request
// in flight, rather than open and close them. A transport that is not one of
// net/http is returned as it is.
func loadTransport(transport http.RoundTripper, slots int) (http.RoundTripper, func()) {
	if transport == nil {
		transport = deliver.NewTransport()
	}
	known, ok := transport.(*http.Transport)
	if !ok {
		return transport, func() {}
	}
	own := known.Clone()
	own.MaxIdleConns, own.MaxIdleConnsPerHost = slots, slots
	return own, own.CloseIdleConnections
}

// request is one of the requests that a load test repeats.
type request struct {
	delivery deliver.Delivery
	prepared *deliver.Prepared
}

// ticket is a request, and the time from which its latency counts.
type ticket struct {
	request request
	due     time.Time
}

// loadRun is one run of a Load.
type loadRun struct {
	Load
	requests []request
	stats    stats

	began, ended time.Time
	last         time.Duration // how long sending took
	unsent       int
}

// timerSlack is how late a timer may fire without the delay counting as
// latency: Go's poller sleeps for whole milliseconds, which is not the
// receiver's fault.
const timerSlack = 2 * time.Millisecond

// openLoop sends at the rate, in an open loop: one goroutine keeps to the schedule
// and passes each request to a worker that is free, or to a new worker while
// there are slots.
func (r *loadRun) openLoop(ctx context.Context) {
	over, stop := context.WithCancel(ctx)
	defer stop()
	if r.Duration > 0 {
		defer time.AfterFunc(r.Duration, stop).Stop()
	}
	var workers sync.WaitGroup
	tickets := make(chan ticket)
	hired, total := 0, r.total(len(r.requests))
	for i := range total {
		due := time.Duration(float64(i) / r.Rate * float64(time.Second))
		from := due
		if pause := due - r.Client.Now().Sub(r.began); pause > 0 {
			if r.Client.Wait(ctx, pause) != nil {
				break
			}
			if now := r.Client.Now().Sub(r.began); now-due < timerSlack {
				from = now
			}
		}
		t := ticket{r.requests[i%len(r.requests)], r.began.Add(from)}
		select {
		case tickets <- t:
		default:
			if hired < r.slots() {
				hired++
				workers.Go(func() { r.work(ctx, t, tickets) })
			} else if !offer(over, tickets, t) {
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
		r.unsent = 0 // the run was interrupted, which is not the receiver's fault
	}
}

// offer waits for a free worker, until over ends.
func offer(over context.Context, tickets chan<- ticket, t ticket) bool {
	select {
	case tickets <- t:
		return true
	case <-over.Done():
		return false
	}
}

// work sends the first ticket and those that follow.
func (r *loadRun) work(ctx context.Context, t ticket, tickets <-chan ticket) {
	w := newWorker(ctx, r)
	defer w.cancel()
	for ok := true; ok && ctx.Err() == nil; t, ok = <-tickets {
		w.send(t)
	}
	for range tickets { // interrupted: let the schedule end
	}
}

// closedLoop sends as fast as the answers come, in a closed loop: each worker sends
// one request after another.
func (r *loadRun) closedLoop(ctx context.Context) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range r.slots() {
		workers.Go(func() {
			w := newWorker(ctx, r)
			defer w.cancel()
			for ctx.Err() == nil {
				now := r.Client.Now()
				i := int(next.Add(1)) - 1
				if r.Duration > 0 && now.Sub(r.began) >= r.Duration || r.Duration == 0 && i >= len(r.requests) {
					return
				}
				w.send(ticket{r.requests[i%len(r.requests)], now})
			}
		})
	}
	workers.Wait()
}

// worker sends one request at a time. One timer is the time-out of all of
// them: a context for each would cost more than the signature does.
type worker struct {
	run    *loadRun
	parent context.Context
	ctx    context.Context // of the requests; it ends with parent and by a time-out
	cancel context.CancelFunc
	timer  *time.Timer // calls cancel; nil before the first request under ctx
}

func newWorker(ctx context.Context, r *loadRun) *worker {
	w := &worker{run: r, parent: ctx}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

// startTimeout starts the time-out of one request.
func (w *worker) startTimeout(limit time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(limit, w.cancel)
		return
	}
	w.timer.Reset(limit)
}

// stopTimeout ends the time-out of one request, and reports whether it had expired.
func (w *worker) stopTimeout() (timedOut bool) {
	if w.timer.Stop() {
		return false
	}
	w.cancel()
	w.ctx, w.cancel = context.WithCancel(w.parent)
	w.timer = nil
	return true
}

// send sends a request and counts the answer.
func (w *worker) send(t ticket) {
	r := w.run
	if r.Keep != nil {
		w.attempt(t)
		return
	}
	limit := t.request.delivery.Timeout
	if limit <= 0 {
		limit = deliver.DefaultTimeout
	}
	w.startTimeout(limit)
	status, err := t.request.prepared.Send(w.ctx)
	timedOut := w.stopTimeout()
	if w.parent.Err() != nil {
		return // interrupted, not failed
	}
	fault := ""
	if timedOut && err != nil {
		fault = "no answer within " + limit.String()
	} else if err != nil {
		fault = deliver.Explain(err)
	}
	r.count(status, fault, timedOut, r.Client.Now().Sub(t.due))
}

// attempt does the same by way of a record.
func (w *worker) attempt(t ticket) {
	r := w.run
	record, err := r.Client.Attempt(w.parent, t.request.delivery, 0)
	took := r.Client.Now().Sub(t.due)
	if record.Verdict != nil {
		r.Keep(record)
	}
	if err != nil {
		return // interrupted, not failed
	}
	r.count(record.Status(), record.Error, record.Verdict.Outcome == webhook.OutcomeUnknown, took)
}

// stats counts while requests are sent.
type stats struct {
	mu       sync.Mutex
	requests int
	passed   int
	statuses map[int]int
	errors   map[string]int
	latency  Histogram
}

// maxErrors is how many kinds of errors are counted apart: the kinds of errors
// that contain a port or an id would have no end.
const maxErrors = 20

// progressEvery is how many requests lie between two calls of Progress.
const progressEvery = 64

// count counts one request. A fault says why it has no answer.
func (r *loadRun) count(status int, fault string, timedOut bool, took time.Duration) {
	s := &r.stats
	s.mu.Lock()
	s.requests++
	switch {
	case fault == "":
		s.statuses[status]++
		if r.Expect.OK(status) {
			s.passed++
		}
	case s.errors[fault] == 0 && len(s.errors) >= maxErrors:
		s.errors["other errors"]++
	default:
		s.errors[fault]++
	}
	if fault == "" || timedOut {
		s.latency.Add(took)
	}
	n := s.requests
	s.mu.Unlock()
	if r.Progress != nil && n%progressEvery == 0 {
		r.Progress(n)
	}
}

// report sums the run up, when all workers have ended.
func (r *loadRun) report() Report {
	s := &r.stats
	out := Report{
		Rate: r.Rate, Duration: r.ended.Sub(r.began), Requests: s.requests, Unsent: r.unsent, Passed: s.passed,
		Errors: maps.Clone(s.errors), Statuses: map[string]int{}, Latency: &s.latency,
	}
	for status, n := range s.statuses {
		out.Statuses[strconv.Itoa(status)] = n
	}
	span := out.Duration
	if r.Rate > 0 { // the last request covers the time until the next one
		span = r.last
	}
	if span > 0 {
		out.Achieved = float64(s.requests) / span.Seconds()
	}
	return out
}
