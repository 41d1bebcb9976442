package replay

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Report is what a load test found.
type Report struct {
	Rate     float64        // requests a second that were asked for; 0: as many as could be
	Achieved float64        // requests a second that left
	Duration time.Duration  // from the first request to the last answer
	Requests int            // that were sent
	Unsent   int            // that were due and found no place before the end
	Passed   int            // of Requests
	Statuses map[string]int // answers by status
	Errors   map[string]int // requests without an answer, by what happened
	Latency  Histogram      // of answers and time-outs, from when they were due
}

// Success is the share of what was due that passed, from 0 to 1.
func (r Report) Success() float64 {
	if n := r.Requests + r.Unsent; n > 0 {
		return float64(r.Passed) / float64(n)
	}
	return 0
}

// Answered returns how many requests got an answer.
func (r Report) Answered() int {
	n := 0
	for _, count := range r.Statuses {
		n += count
	}
	return n
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

func newStats() *stats { return &stats{statuses: map[int]int{}, errors: map[string]int{}} }

// maxErrors is how many kinds of errors are told apart; what holds a port or
// an id would have no end.
const maxErrors = 20

// progressEvery is how many requests lie between two reports of progress.
const progressEvery = 64

// done counts one request. A fault is why it has no answer.
func (r *loadRun) done(status int, fault string, timedOut bool, took time.Duration) {
	s := r.stats
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

// report sums the run up. Nobody sends any more.
func (r *loadRun) report() Report {
	s := r.stats
	out := Report{
		Rate: r.Rate, Duration: r.ended.Sub(r.began), Requests: s.requests, Unsent: r.unsent, Passed: s.passed,
		Errors: s.errors, Statuses: map[string]int{}, Latency: s.latency,
	}
	for status, n := range s.statuses {
		out.Statuses[strconv.Itoa(status)] = n
	}
	span := out.Duration
	if r.Rate > 0 { // the last request stands for the time until the next one
		span = r.last
	}
	if span > 0 {
		out.Achieved = float64(s.requests) / span.Seconds()
	}
	return out
}

// explain says in a few words why there is no answer, without what differs
// from one request to the next.
func explain(err error) string {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	case errors.As(err, &call):
		return call.Err.Error()
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return webhook.RedactURLs(err.Error())
}
