package listen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// storage stores what a receiver receives, and with --forward-retries forwards it in
// the background. With --no-journal it is empty.
type storage struct {
	env       *command.Env
	journal   *journal.Journal   // nil with --no-journal
	queue     *journal.Queue     // nil without --forward-retries
	forwarder *receive.Forwarder // likewise
	target    string             // of the forwarder
	outcomes  *command.OutcomeCounts
	started   time.Time
	broken    chan error // receives one error when the journal can store nothing more
}

// openStorage opens the journal and starts the forwarder, which masks the secrets in
// what the app answers.
func (o *options) openStorage(ctx context.Context, env *command.Env, secrets []webhook.Secret, outcomes *command.OutcomeCounts) (*storage, error) {
	s := &storage{env: env, target: o.forwardTo, outcomes: outcomes, started: env.Now(), broken: make(chan error, 1)}
	var err error
	if o.journal.Refused.Body, err = refusedBody(o.keepRefused); err != nil {
		return nil, err
	}
	switch {
	case o.forwardRetries < 0:
		return nil, errors.New("--forward-retries must not be negative")
	case o.forwardConcurrency < 1:
		return nil, errors.New("--forward-concurrency must be greater than 0")
	case o.forwardRetries == 0 && (o.forwardOrder || o.forwardConcurrency != receive.DefaultConcurrency):
		return nil, errors.New("--forward-order and --forward-concurrency need --forward-retries N: without it, the sender waits for the app")
	case o.forwardRetries > 0 && o.forwardTo == "":
		return nil, errors.New("--forward-retries needs --forward-to URL")
	case o.forwardRetries > 0 && o.journal.Off:
		return nil, errors.New("--forward-retries needs the journal: leave out --no-journal")
	case o.journal.Off:
		return s, nil
	}
	if s.journal, err = o.journal.Open(ctx, env, false); err != nil {
		return nil, fmt.Errorf("%w; --no-journal receives without one", err)
	}
	err = s.showWaiting(ctx, o)
	if err == nil && o.forwardRetries > 0 {
		err = s.startForwarder(ctx, o, secrets)
	}
	if err != nil {
		return nil, errors.Join(err, s.journal.Close())
	}
	return s, nil
}

// refusedBody reads --keep-refused as a [journal.RefusedLimits.Body].
func refusedBody(text string) (int, error) {
	n, err := strconv.ParseInt(text, 0, strconv.IntSize)
	switch {
	case text == "all":
		return math.MaxInt, nil
	case err != nil || n < 0:
		return 0, fmt.Errorf("--keep-refused %q: write a number of bytes, or all", text)
	case n == 0:
		return -1, nil
	}
	return int(n), nil
}

func (s *storage) startForwarder(ctx context.Context, o *options, secrets []webhook.Secret) (err error) {
	s.queue, err = s.journal.Queue(ctx, o.forwardTo)
	switch {
	case errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("another listener forwards from this journal to %s: stop it, or give --journal PATH", webhook.RedactURL(o.forwardTo))
	case err != nil:
		return err
	}
	c := receive.ForwarderConfig{
		Queue: s.queue, URL: o.forwardTo, Retries: o.forwardRetries, Concurrency: o.forwardConcurrency,
		Transport: s.env.Transport, Now: s.env.Now, Secrets: secrets,
		OnResult: s.showForwarded,
		OnError: func(err error) {
			if s.stopIfBroken(err) {
				return
			}
			fmt.Fprintf(s.env.Err, "wsk: warning: forwarding: %s\n", ui.Clean(err.Error()))
		},
	}
	if o.forwardOrder {
		c.OrderBy = subject
	}
	if s.forwarder, err = receive.NewForwarder(c); err != nil {
		return errors.Join(err, s.queue.Close())
	}
	return nil
}

// showWaiting warns of events that wait to be forwarded to a target that this listener
// does not forward them to.
func (s *storage) showWaiting(ctx context.Context, o *options) error {
	waiting, err := s.journal.Waiting(ctx)
	if o.forwardRetries > 0 {
		delete(waiting, webhook.RedactURL(o.forwardTo))
	}
	for _, target := range slices.Sorted(maps.Keys(waiting)) {
		fmt.Fprintf(s.env.Err, "wsk: warning: %s in the journal not forwarded yet: wsk listen --forward-to %s --forward-retries N forwards what waits for that URL\n",
			ui.Plural(waiting[target], "event"), ui.Quote(target))
	}
	return err
}

// subject returns what an event is about: the kind and the id of its record, such as
// "work_order wo_123", or "" if it does not say.
func subject(r webhook.Record) string {
	event, _ := webhook.ParseEvent(r.Request.Body) // what is not an event has no data
	var data struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(event.Data(), &data) != nil || len(data.ID) == 0 {
		return ""
	}
	kind, _, _ := strings.Cut(event.Type, ".")
	return kind + " " + strings.Trim(string(data.ID), `"`)
}

// showForwarded reports an attempt to forward that failed, and counts an event that
// was given up.
func (s *storage) showForwarded(r receive.ForwardResult) {
	name, problem := ui.Clean(shownID(r.Record)), ui.Clean(r.Problem)
	switch r.Record.Verdict.Outcome {
	case webhook.Pending:
		fmt.Fprintf(s.env.Err, "wsk: %s: %s; again in %s\n", name, problem, ui.Duration(r.Pause))
	case webhook.ForwardFailed:
		if r.Record.Time.Before(s.started) { // an earlier listener received it
			s.outcomes.Add(webhook.ForwardFailed)
		} else {
			s.outcomes.Move(webhook.Accepted, webhook.ForwardFailed)
		}
		fmt.Fprintf(s.env.Err, "wsk: warning: %s was not forwarded: %s; %s sends it again\n", name, problem, s.replayCommand(r.Record.ID))
	}
}

// replayCommand returns the command that forwards a record again, as it was
// received.
func (s *storage) replayCommand(id string) string {
	words := []string{"wsk", "replay", id, "--verbatim", "--to", webhook.RedactURL(s.target), "--journal", s.journal.Path()}
	if !deliver.IsLoopback(s.target) {
		words = append(words, "--yes")
	}
	for i, word := range words {
		words[i] = ui.Quote(word)
	}
	return strings.Join(words, " ")
}

// store returns the receiver's Store; nil without a journal.
func (s *storage) store() receive.Store {
	switch {
	case s.journal == nil:
		return nil
	case s.forwarder != nil:
		return reporting{s.forwarder, s}
	}
	return reporting{s.journal, s}
}

// reporting reports the errors of a Recorder's Keep, unless the record of the request
// shows them: it does if the answer would have been 2xx.
type reporting struct {
	receive.Recorder
	storage *storage
}

func (s reporting) Keep(ctx context.Context, r receive.Receipt) error {
	err := s.Recorder.Keep(ctx, r)
	shown := r.Record.Status()/100 == 2
	var seen *receive.SeenError // no failure: the handler answers it
	if !s.storage.stopIfBroken(err) && err != nil && !shown && !errors.As(err, &seen) {
		fmt.Fprintf(s.storage.env.Err, "wsk: warning: a record was not stored: %s\n", ui.Clean(err.Error()))
	}
	return err
}

// stopIfBroken ends the receiver, and returns true, if the journal can store nothing
// more.
func (s *storage) stopIfBroken(err error) bool {
	rest := "what was answered with 200 is stored, but nothing more can be"
	switch {
	case errors.Is(err, journal.ErrMoved):
		rest = "what was answered with 200 is in that file, and nothing more is stored: start again"
	case !errors.Is(err, journal.ErrBroken):
		return false
	}
	select {
	case s.broken <- fmt.Errorf("%w; %s", err, rest):
	default: // one is enough
	}
	return true
}

// stopForwarder stops the forwarder, if there is one, with a moment for what is due
// now. Further calls do nothing.
func (s *storage) stopForwarder(ctx context.Context) {
	if s.forwarder == nil {
		return
	}
	patience := 5 * time.Second
	if ctx.Err() != nil { // a person waits, and the next receiver continues
		patience = time.Second
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	s.forwarder.Shutdown(last)
}

// close stops the forwarder and closes the journal.
func (s *storage) close(ctx context.Context) error {
	if s.journal == nil {
		return nil
	}
	var err error
	if s.stopForwarder(ctx); s.forwarder != nil {
		var waiting int
		waiting, err = s.queue.Len(context.WithoutCancel(ctx))
		if waiting > 0 {
			fmt.Fprintf(s.env.Err, "wsk: %s not forwarded yet: the next listener with --forward-retries on this journal forwards them\n", ui.Plural(waiting, "event"))
		}
		err = errors.Join(err, s.queue.Close())
	}
	return errors.Join(err, s.journal.Close())
}
