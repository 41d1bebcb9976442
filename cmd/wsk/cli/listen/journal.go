package listen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// storage stores what a listener receives, and forwards in the background what
// --forward-retries asks for. With --no-journal it is empty.
type storage struct {
	env       *command.Env
	journal   *journal.Journal   // nil with --no-journal
	queue     *journal.Queue     // nil without --forward-retries
	forwarder *receive.Forwarder // likewise
	broken    chan error         // ends the listener: the disk does not confirm writes
}

// openStorage opens the journal and starts the forwarder.
func (o *options) openStorage(ctx context.Context, env *command.Env) (*storage, error) {
	s := &storage{env: env, broken: make(chan error, 1)}
	switch {
	case o.forwardRetries < 0:
		return nil, errors.New("--forward-retries may not be less than 0")
	case o.forwardRetries > 0 && o.forwardTo == "":
		return nil, errors.New("--forward-retries has nothing to retry: give --forward-to URL")
	case o.forwardRetries > 0 && o.journal.Off:
		return nil, errors.New("--forward-retries works from the journal, and --no-journal keeps none")
	case o.journal.Off:
		return s, nil
	}
	var err error
	if s.journal, err = o.journal.Open(ctx, env, false); err != nil {
		return nil, fmt.Errorf("%w; --no-journal receives without one", err)
	}
	if o.forwardRetries > 0 {
		err = s.startForwarder(ctx, o.forwardTo, o.forwardRetries)
	}
	if err != nil {
		return nil, errors.Join(err, s.journal.Close())
	}
	return s, nil
}

func (s *storage) startForwarder(ctx context.Context, target string, retries int) (err error) {
	s.queue, err = s.journal.Queue(ctx, target)
	switch {
	case errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("another listener forwards from this journal to %s: stop it, or give --journal PATH", webhook.RedactURL(target))
	case err != nil:
		return err
	}
	s.forwarder, err = receive.NewForwarder(receive.ForwarderConfig{
		Queue: s.queue, URL: target, Retries: retries, Transport: s.env.Transport, Now: s.env.Now,
		OnResult: s.showForwarded,
		OnError: func(err error) {
			fmt.Fprintf(s.env.Err, "wsk: warning: forwarding: %s\n", ui.Clean(err.Error()))
		},
	})
	if err != nil {
		return errors.Join(err, s.queue.Close())
	}
	return nil
}

// showForwarded reports an attempt that failed.
func (s *storage) showForwarded(r receive.ForwardResult) {
	name, problem := ui.Clean(idOf(r.Record)), ui.Clean(r.Problem)
	switch {
	case r.OK:
	case r.Next.IsZero():
		fmt.Fprintf(s.env.Err, "wsk: warning: %s was not taken: %s; wsk replay %s sends it again\n", name, problem, r.Record.ID)
	default:
		fmt.Fprintf(s.env.Err, "wsk: %s: %s; again in %s\n", name, problem, r.Pause)
	}
}

// memory returns what the listeners before have seen.
func (s *storage) memory(ctx context.Context) (*receive.Memory, error) {
	m := receive.NewMemory(receive.DefaultMemory)
	if s.journal == nil {
		return m, nil
	}
	marks, err := s.journal.Marks(ctx, receive.DefaultMemory)
	m.Restore(marks)
	return m, err
}

// keep returns the receiver's Keep.
func (s *storage) keep() func(context.Context, receive.Receipt) error {
	switch {
	case s.journal == nil:
		return nil
	case s.forwarder != nil:
		return s.reporting(s.forwarder.Keep)
	}
	return s.reporting(s.journal.Keep)
}

// reporting reports the errors of a Keep, unless the record of the request does.
func (s *storage) reporting(keep func(context.Context, receive.Receipt) error) func(context.Context, receive.Receipt) error {
	return func(ctx context.Context, r receive.Receipt) error {
		err := keep(ctx, r)
		shown := r.Record.Response != nil && r.Record.Response.Status/100 == 2
		switch {
		case errors.Is(err, journal.ErrBroken):
			select {
			case s.broken <- fmt.Errorf("journal %s: %w; what was answered with 200 before is safe, and what comes now cannot be", s.journal.Path(), err):
			default: // one is enough
			}
		case err != nil && !shown:
			fmt.Fprintf(s.env.Err, "wsk: warning: a record was not kept: %s\n", ui.Clean(err.Error()))
		}
		return err
	}
}

// close stops the forwarder, which has a moment for what is due now, a short one
// after Ctrl-C, and closes the journal.
func (s *storage) close(ctx context.Context) error {
	if s.journal == nil {
		return nil
	}
	var err error
	if s.forwarder != nil {
		patience := 5 * time.Second
		if ctx.Err() != nil { // a person is waiting, and the next listener goes on
			patience = time.Second
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		s.forwarder.Shutdown(last)
		var waiting int
		waiting, err = s.queue.Len(context.WithoutCancel(ctx))
		if waiting > 0 {
			fmt.Fprintf(s.env.Err, "wsk: %s not forwarded yet: the next listener with --forward-retries on this journal does it\n", ui.Plural(waiting, "event"))
		}
		err = errors.Join(err, s.queue.Close())
	}
	return errors.Join(err, s.journal.Close())
}
