package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// endpoint is a platform to which batches are sent, over a network.
type endpoint struct {
	w       *world
	process int // how often a batch was started

	accepted map[string]int // lines, how often
	arrivals []arrival
	tries    map[string]int
}

type arrival struct {
	at      time.Time
	process int
}

// errCrash is the panic that ends a process at once: of what it would do next, nothing is done.
var errCrash = errors.New("the process has died")

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	e.tries[string(body)]++
	name := fmt.Sprint(lineOf(body), " try ", e.tries[string(body)])
	crash := func(when string) {
		if e.w.happens(crashes, 0.03, when, name) {
			e.w.log("the process crashes %s %s arrives", when, name)
			panic(errCrash)
		}
	}
	lost := func(kind faults) bool { return e.w.happens(kind, 0.05, name) }
	crash("before")
	if lost(requestsLost) {
		return nil, errors.New("connection refused")
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	if e.w.happens(delays, 0.3, name) {
		time.Sleep(e.w.between(0, 5*time.Second, name))
	}
	if lost(requestsCut) {
		return nil, io.ErrUnexpectedEOF
	}
	e.arrivals = append(e.arrivals, arrival{time.Now(), e.process})
	status, header := http.StatusOK, http.Header{}
	switch {
	case e.w.happens(refusals, 0.05, "429", name):
		status = http.StatusTooManyRequests
		header.Set("Retry-After", fmt.Sprint(e.w.roll(name).IntN(90)))
	case e.w.happens(refusals, 0.05, "503", name):
		status = http.StatusServiceUnavailable
	default:
		e.accepted[lineOf(body)]++
		e.w.log("%s is accepted", name)
	}
	crash("after")
	if lost(answersLost) {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody}, nil
}

func lineOf(body []byte) string {
	_, rest, _ := bytes.Cut(body, []byte(`"n":`))
	n, _, _ := bytes.Cut(rest, []byte("}"))
	return "line " + string(n)
}

const batchURL = "https://api.example.com/webhooks/inbound"

// batches is a world in which a file is sent by processes of which each continues what the
// one before has left.
func batches(t *testing.T, w *world) {
	e := &endpoint{w: w, accepted: map[string]int{}, tries: map[string]int{}}
	path := filepath.Join(t.TempDir(), "journal.db")
	var lines strings.Builder
	for n := range w.size {
		fmt.Fprintf(&lines, `{"event_type":"employee.created","timestamp":"2026-01-15T14:30:00Z","source":"hr","data":{"n":%d}}`+"\n", n+1)
	}
	stop := make(chan struct{})
	jumped := make(chan struct{})
	go func() {
		defer close(jumped)
		for n := range 4 {
			select {
			case <-stop:
				return
			case <-time.After(w.between(0, time.Hour, "jump", n)):
			}
			if w.happens(clockJumps, 0.5, n) {
				w.jump(w.between(-time.Hour, time.Hour, "by", n))
			}
		}
	}()
	limits := []deliver.Limit{{Count: 5, Per: time.Minute}, {Count: 20, Per: time.Hour}}
	done := false
	for !done && e.process < 500 {
		if e.process == 100 {
			w.heal() // whatever the faults were, it must end
		}
		e.process++
		done = e.send(t, path, lines.String(), limits)
		time.Sleep(w.between(0, 3*time.Minute, "restart", e.process))
	}
	close(stop)
	<-jumped
	if !done {
		w.fail("the batch did not end in %d starts", e.process)
	}
	e.checkWindows(limits)
}

// send continues the batch until it ends, or the process does.
func (e *endpoint) send(t *testing.T, path, lines string, limits []deliver.Limit) (done bool) {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	source := strings.NewReader(lines)
	file, err := batch.Read(t.Context(), source, nil)
	if err != nil {
		t.Fatal(err)
	}
	ledger, _, err := file.Open(t.Context(), j, batch.Begin{URL: batchURL, Name: "events", Resume: true, Now: e.w.now()})
	if err != nil {
		t.Fatal(err)
	}
	paced := append([]deliver.Limit(nil), limits...)
	if e.w.plant == "the window of a minute has one request too many" {
		paced[0].Count++
	}
	process, began, records := e.process, time.Now(), 0
	s := batch.Sender{
		File: file, Source: source, Ledger: ledger,
		Pacer: &batch.Pacer{Journal: j, Key: "key", Limits: paced, Within: 30 * time.Second, Now: e.w.now, Elapsed: func() time.Duration { return time.Since(began) }},
		Client: deliver.Client{Transport: e, Now: e.w.now, NewID: func() string {
			records++
			return fmt.Sprint("rec_", process, "_", records)
		}},
		Make: func(l batch.Line) (deliver.Delivery, error) {
			event, err := webhook.ParseEvent(l.Text())
			return deliver.Delivery{URL: batchURL, Event: event, Unsigned: true}, err
		},
		Policy: deliver.Policy{Retries: 2, RetryUnknown: e.w.plant == "a resumed batch sends unknown lines again"},
	}
	err = e.runUntilCrash(&s)
	var stopped *batch.StopError
	switch {
	case errors.Is(err, errCrash):
		return false
	case errors.As(err, &stopped):
		e.w.log("stopped: %v", err)
		return false
	case err != nil:
		e.w.fail("the batch ended with %v", err)
		return true
	}
	e.checkLedger(file)
	return true
}

func (e *endpoint) runUntilCrash(s *batch.Sender) (err error) {
	defer func() {
		switch value := recover(); value {
		case nil:
		case errCrash:
			err = errCrash
		default:
			panic(value)
		}
	}()
	return s.Run(context.Background())
}

// checkLedger compares the ledger with what the endpoint has accepted.
func (e *endpoint) checkLedger(file *batch.File) {
	for line, n := range e.accepted {
		if n > 1 {
			e.w.fail("%s was accepted %d times", line, n)
		}
	}
	r := file.Report(batch.Summary{})
	e.w.log("%+v", r)
	answered := map[string]bool{}
	for n := range e.w.size {
		answered[fmt.Sprint("line ", n+1)] = true
	}
	for _, n := range r.UnknownLines {
		delete(answered, fmt.Sprint("line ", n))
	}
	for _, a := range r.RefusedLines {
		delete(answered, fmt.Sprint("line ", a.Line))
		if n := e.accepted[fmt.Sprint("line ", a.Line)]; n > 0 {
			e.w.fail("line %d was accepted, and counts as refused with %d", a.Line, a.Status)
		}
	}
	for line := range answered {
		if e.accepted[line] != 1 {
			e.w.fail("%s counts as accepted, and was accepted %d times", line, e.accepted[line])
		}
	}
}

// checkWindows holds that no window has more requests than its limit. A process that was
// started after the clock was set forward cannot know how long ago the one before sent.
func (e *endpoint) checkWindows(limits []deliver.Limit) {
	for _, l := range limits {
		for i := l.Count; i < len(e.arrivals); i++ {
			first, last := e.arrivals[i-l.Count], e.arrivals[i]
			excused := first.process != last.process && e.w.jumpedSince(first.at)
			if last.at.Sub(first.at) < l.Per && !excused {
				e.w.fail("%d requests within %s, from the one at %s on", l.Count+1, last.at.Sub(first.at), first.at.Sub(e.w.began))
			}
		}
	}
}
