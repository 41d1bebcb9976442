package replay

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// shot is a job made ready for sending often: all that does not change from
// one request to the next is done once.
type shot struct {
	job  *Job
	base *http.Request
	body []byte

	// The canonical names of the lines that are made anew for each request; ""
	// for a line that is not.
	stamp, signature string
}

// newShot makes a job ready. at is any time: its lines are replaced.
func newShot(job *Job, agent string, at time.Time) (*shot, error) {
	request, err := job.at(at).Request(at)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(request.URL)
	if err != nil {
		return nil, err
	}
	s := &shot{job: job, body: request.Body}
	header := request.Header.HTTP()
	s.base = &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(s.body)),
		GetBody: func() (io.ReadCloser, error) { return s.reader(), nil },
	}
	if user := target.User; user != nil && header.Get("Authorization") == "" {
		password, _ := user.Password()
		s.base.SetBasicAuth(user.Username(), password)
	}
	if host := header.Get("Host"); host != "" {
		s.base.Host = host
	}
	if header.Get("User-Agent") == "" && !job.Delivery.Override.Has("User-Agent") {
		header.Set("User-Agent", agent)
	} else if header.Get("User-Agent") == "" {
		header["User-Agent"] = nil // net/http would put its own
	}
	s.fresh(request.Header)
	return s, nil
}

// fresh settles which lines are made anew: what the command line overrides
// stays.
func (s *shot) fresh(lines webhook.Header) {
	d := &s.job.Delivery
	changes := func(name string) string {
		if name == "" || d.Override.Has(name) || !lines.Has(name) {
			return ""
		}
		return http.CanonicalHeaderKey(name)
	}
	if d.Secret.IsZero() {
		return
	}
	s.signature = changes(d.Scheme.SignatureHeader())
	if s.stamp = changes(d.Scheme.TimestampHeader()); d.Scheme.TimestampHeader() == "" {
		s.stamp = changes(webhook.HeaderTimestamp)
	}
}

func (s *shot) reader() io.ReadCloser {
	if len(s.body) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(s.body))
}

// request is the next request, signed at the time given.
func (s *shot) request(ctx context.Context, now time.Time) (*http.Request, error) {
	r := s.base.WithContext(ctx)
	r.Body = s.reader()
	if s.stamp == "" && s.signature == "" {
		return r, nil
	}
	r.Header = maps.Clone(s.base.Header) // one that net/http still writes may not change
	d := &s.job.Delivery
	m := d.Message(now)
	lines := [2]string{m.Timestamp}
	if s.stamp != "" {
		r.Header[s.stamp] = lines[0:1:1]
	}
	if s.signature != "" {
		var err error
		if lines[1], err = d.Scheme.Sign(m, d.Secret); err != nil {
			return nil, err
		}
		r.Header[s.signature] = lines[1:2:2]
	}
	return r, nil
}

// worker sends one request at a time. Its time-out is one timer for all of
// them, where a context each would cost more than the signature does.
type worker struct {
	run    *loadRun
	parent context.Context
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
}

func newWorker(ctx context.Context, r *loadRun) *worker {
	w := &worker{run: r, parent: ctx}
	w.renew()
	return w
}

// renew makes a context that has not timed out.
func (w *worker) renew() {
	w.ctx, w.cancel = context.WithCancel(w.parent)
	w.timer = nil
}

func (w *worker) close() { w.cancel() }

// arm starts the time-out of one request, disarm ends it.
func (w *worker) arm(limit time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(limit, w.cancel)
		return
	}
	w.timer.Reset(limit)
}

func (w *worker) disarm() (timedOut bool) {
	if w.timer.Stop() {
		return false
	}
	w.cancel()
	w.renew()
	return true
}

// fire sends a request that was due at a time and counts what came of it.
func (w *worker) fire(s *shot, due time.Time) {
	r := w.run
	limit := s.job.Delivery.Timeout
	if limit <= 0 {
		limit = deliver.DefaultTimeout
	}
	if r.Keep != nil {
		w.attempt(s, due)
		return
	}
	w.arm(limit)
	status, err := w.exchange(s)
	timedOut := w.disarm()
	if w.parent.Err() != nil {
		return // interrupted, not failed
	}
	fault := ""
	if err != nil {
		if fault = explain(err); timedOut {
			fault = "no answer within " + limit.String()
		}
	}
	r.done(status, fault, timedOut, r.Client.Now().Sub(due))
}

// exchange sends the request and reads the answer as far as it is read at all.
func (w *worker) exchange(s *shot) (status int, err error) {
	request, err := s.request(w.ctx, w.run.Client.Now())
	if err != nil {
		return 0, err
	}
	answer, err := w.run.Client.Transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusSwitchingProtocols { // has the connection for its body, which may not end
		_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, deliver.MaxAnswer)) // the status is the answer
	}
	return answer.StatusCode, nil
}

// attempt does the same by way of a record.
func (w *worker) attempt(s *shot, due time.Time) {
	r := w.run
	record, err := r.Client.Attempt(w.parent, *s.job.at(r.Client.Now()), 0)
	took := r.Client.Now().Sub(due)
	if record.Verdict != nil {
		r.Keep(record)
	}
	if err != nil {
		return // interrupted, not failed
	}
	status := 0
	if record.Response != nil {
		status = record.Response.Status
	}
	r.done(status, record.Error, record.Verdict.Outcome == webhook.OutcomeUnknown, took)
}
