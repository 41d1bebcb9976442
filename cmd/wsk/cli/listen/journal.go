package listen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// listenJournal keeps what a listener receives, and hands on from there what
// is to be forwarded in the background.
type listenJournal struct {
	env     *command.Env
	journal *journal.Journal // nil with --no-journal
	broken  chan error       // what ends the listener: the disk confirms nothing any more
	forward *forwarder       // nil unless forwarding is durable
}

// openJournal opens the journal of a listener, and takes the lock of its
// forwarder.
func (o *options) openJournal(ctx context.Context, env *command.Env) (*listenJournal, error) {
	l := &listenJournal{env: env, broken: make(chan error, 1)}
	switch {
	case o.forwardRetries < 0:
		return nil, errors.New("--forward-retries may not be less than 0")
	case o.forwardRetries > 0 && o.forwardTo == "":
		return nil, errors.New("--forward-retries has nothing to retry: give --forward-to URL")
	case o.forwardRetries > 0 && o.journal.Off:
		return nil, errors.New("--forward-retries works from the journal, and --no-journal keeps none")
	case o.journal.Off:
		return l, nil
	}
	var err error
	if l.journal, err = o.journal.Open(ctx, env, false); err != nil {
		return nil, fmt.Errorf("%w; --no-journal receives without one", err)
	}
	if o.forwardRetries > 0 {
		l.forward, err = newForwarder(ctx, env, l.journal, o.forwardTo, o.forwardRetries)
	}
	if err != nil {
		return nil, errors.Join(err, l.journal.Close())
	}
	return l, nil
}

// memory is what the receiver knows from before.
func (l *listenJournal) memory(ctx context.Context) (*receive.Memory, error) {
	m := receive.NewMemory(receive.DefaultMemory)
	marks, err := l.journal.Marks(ctx, receive.DefaultMemory)
	m.Restore(marks)
	return m, err
}

// keep is the receiver's Keep.
func (l *listenJournal) keep() func(context.Context, receive.Receipt) error {
	if l.journal == nil {
		return nil
	}
	return func(ctx context.Context, receipt receive.Receipt) error {
		r := receipt.Record
		e := journal.Entry{Record: r, Mark: receipt.Mark}
		if l.forward != nil && receipt.Forward {
			e.ForwardTo = l.forward.target
		}
		err := l.journal.Put(ctx, e)
		switch {
		case err == nil && e.ForwardTo != "":
			l.forward.wake()
		case errors.Is(err, journal.ErrBroken):
			select {
			case l.broken <- fmt.Errorf("journal %s: %w; what was answered with 200 before is safe, and what comes now cannot be", l.journal.Path(), err):
			default: // said before
			}
		case err != nil && (r.Response == nil || r.Response.Status/100 != 2): // else the record says so
			fmt.Fprintf(l.env.Err, "wsk: warning: a record was not kept: %s\n", ui.Clean(err.Error()))
		}
		return err
	}
}

// close ends the forwarder, which gets a moment for what is due now, a short
// one when ctx has ended, and closes the journal.
func (l *listenJournal) close(ctx context.Context) error {
	var left error
	if l.forward != nil {
		patience := 5 * time.Second
		if ctx.Err() != nil { // the person waits, and the journal can
			patience = time.Second
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		left = l.forward.close(last)
	}
	return errors.Join(left, l.journal.Close())
}

// forwarder hands what is due in the journal on to an app, one record after
// another, until it is taken, refused for good, or has failed too often.
type forwarder struct {
	env     *command.Env
	journal *journal.Journal
	target  string
	retries int
	app     receive.App
	release func() error

	woken  chan struct{}
	last   chan struct{} // closed when nothing comes any more
	cancel context.CancelFunc
	ended  chan struct{}
}

// forwardPage is how many records are taken from the journal at a time.
const forwardPage = 50

func newForwarder(ctx context.Context, env *command.Env, j *journal.Journal, target string, retries int) (*forwarder, error) {
	sum := sha256.Sum256([]byte(webhook.RedactURL(target)))
	release, err := j.Lock(ctx, "forward-"+hex.EncodeToString(sum[:8]))
	if errors.Is(err, journal.ErrLocked) {
		err = fmt.Errorf("another listener forwards from this journal to %s: stop it, or give --journal PATH", webhook.RedactURL(target))
	}
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &forwarder{
		env: env, journal: j, target: target, retries: retries, release: release, app: receive.Forward(env.Transport, target),
		woken: make(chan struct{}, 1), last: make(chan struct{}), cancel: cancel, ended: make(chan struct{}),
	}
	f.wake() // for what is due from before
	go f.run(running)
	return f, nil
}

func (f *forwarder) wake() {
	select {
	case f.woken <- struct{}{}:
	default: // it is about to look anyway
	}
}

func (f *forwarder) run(ctx context.Context) {
	defer close(f.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ending := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-f.last:
			ending = true
		case <-f.woken:
		case <-timer.C:
		}
		next, err := f.drain(ctx)
		switch {
		case ctx.Err() != nil, ending:
			return
		case err != nil:
			fmt.Fprintf(f.env.Err, "wsk: warning: forwarding: %s\n", ui.Clean(err.Error()))
			timer.Reset(time.Second)
		case !next.IsZero():
			timer.Reset(max(next.Sub(f.env.Now()), 0))
		}
	}
}

// drain forwards all that is due, and says when something is due again.
func (f *forwarder) drain(ctx context.Context) (time.Time, error) {
	for {
		due, next, err := f.journal.Due(ctx, f.target, f.env.Now(), forwardPage)
		if err != nil || len(due) == 0 {
			return next, err
		}
		for _, d := range due {
			if err := f.one(ctx, d); err != nil {
				return next, err
			}
		}
	}
}

// one forwards a record and notes how that went.
func (f *forwarder) one(ctx context.Context, d journal.Due) error {
	r := d.Record
	r.Error = ""
	answer := f.app(ctx, &r)
	if ctx.Err() != nil { // interrupted: it stays due
		return ctx.Err()
	}
	done := answer.Status/100 == 2
	var again time.Time
	what := r.Error
	if what == "" {
		what = fmt.Sprintf("the app answered %d %s", answer.Status, http.StatusText(answer.Status))
	}
	name := ui.Clean(idOf(r))
	switch {
	case done:
	case (answer.Status >= 500 || answer.Status == http.StatusTooManyRequests) && d.Tries < f.retries:
		pause := min(time.Second<<min(d.Tries, 6), time.Minute)
		again = f.env.Now().Add(pause)
		fmt.Fprintf(f.env.Err, "wsk: %s: %s; again in %s\n", name, ui.Clean(what), pause)
	default:
		fmt.Fprintf(f.env.Err, "wsk: warning: %s was not taken: %s; wsk replay %s sends it again\n", name, ui.Clean(what), r.ID)
	}
	return f.journal.Forwarded(context.WithoutCancel(ctx), r, done, again)
}

// close lets what is due now go out until ctx ends, and says what is left.
func (f *forwarder) close(ctx context.Context) error {
	defer func() { _ = f.release() }() // the process ends, and the lock with it
	close(f.last)
	select {
	case <-ctx.Done():
		f.cancel()
		<-f.ended
	case <-f.ended:
		f.cancel()
	}
	n, err := f.journal.Undone(context.WithoutCancel(ctx), f.target)
	if n > 0 {
		fmt.Fprintf(f.env.Err, "wsk: %s not forwarded yet: the next listener with --forward-retries on this journal does it\n", ui.Plural(n, "event"))
	}
	return err
}
