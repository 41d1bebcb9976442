package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// maxGroup is how many writes one commit takes at most.
const maxGroup = 256

// ErrBroken says that the system could not promise that what was written is on
// disk. Nothing more is written by this process: the file's state is not known.
var ErrBroken = errors.New("the disk did not confirm a write")

// errUnconfirmed stands for a failed fsync where a test has no disk that fails.
var errUnconfirmed = errors.New("fsync failed")

// ErrClosed says that a write came after [Writer.Close].
var ErrClosed = errors.New("the file is closed")

// Writer carries out the writes of a process, one transaction at a time. What
// comes while a commit is on its way waits for the next, so that many callers
// share one fsync.
type Writer struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	fail       func() error

	ops  chan op
	done chan struct{} // closed when the loop has ended

	mu     sync.RWMutex // held to read while sending to ops
	shut   bool
	broken atomic.Pointer[error] // set once, by the loop
}

// op is one write. do may be called again after a rollback.
type op struct {
	do    func(*Writer) error
	reply chan error
}

// NewWriter returns a writer with a connection of its own. fail, if not nil, is
// asked before each commit, and its error stands for the commit's: it is for
// tests.
func NewWriter(ctx context.Context, db *sql.DB, fail func() error) (*Writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &Writer{conn: conn, statements: map[string]*sql.Stmt{}, fail: fail, ops: make(chan op, maxGroup), done: make(chan struct{})}
	go w.loop()
	return w, nil
}

// Submit carries out do in a transaction and returns when it is on disk.
// do may be called again, after a rollback, and what it returns undoes what it
// did. Should ctx end first, the write goes on all the same. Should do panic, so
// does Submit, and what it did is undone.
func (w *Writer) Submit(ctx context.Context, do func(*Writer) error) error {
	o := op{do, make(chan error, 1)}
	w.mu.RLock()
	shut := w.shut
	if !shut {
		w.ops <- o // the loop takes what is sent before shut is set
	}
	w.mu.RUnlock()
	if shut {
		return ErrClosed
	}
	select {
	case err := <-o.reply:
		var p *panicked
		if errors.As(err, &p) {
			panic(p.Error()) // in the goroutine that asked for it, where it can be recovered from
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer) loop() {
	defer close(w.done)
	group := make([]op, 0, maxGroup)
	for first := range w.ops {
		group = w.gather(append(group[:0], first))
		w.commit(group)
	}
}

// gather lets callers that are about to write join the group, as long as more
// of them come, and takes what is there. Where nothing else is to be done this
// takes no time.
func (w *Writer) gather(group []op) []op {
	for had := -1; len(w.ops) > had; {
		had = len(w.ops)
		for range 8 {
			runtime.Gosched()
		}
	}
	for len(group) < maxGroup {
		select {
		case o, open := <-w.ops:
			if !open {
				return group
			}
			group = append(group, o)
		default:
			return group
		}
	}
	return group
}

// maxBad is how many writes are taken out of a group, one by one, before the
// group is given up.
const maxBad = 16

// commit writes a group in one transaction. A bad write does not take the
// others along: it gets a transaction of its own, and they begin again without
// it. Should that go on, or the commit fail, each gets one of its own.
func (w *Writer) commit(group []op) {
	for range maxBad {
		bad, err := w.transact(group)
		if err == nil || len(group) == 1 || errors.Is(err, ErrBroken) {
			for _, o := range group {
				o.reply <- err
			}
			return
		}
		if bad < 0 {
			break
		}
		w.alone(group[bad])
		group = slices.Delete(group, bad, bad+1)
	}
	for _, o := range group {
		w.alone(o)
	}
}

func (w *Writer) alone(o op) {
	_, err := w.transact([]op{o})
	o.reply <- err
}

// panicked is a write that panicked, which must not end the writer.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func (w *Writer) carryOut(o op) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value, debug.Stack()}
		}
	}()
	return o.do(w)
}

// transact writes a group. bad is the write that failed, or -1.
func (w *Writer) transact(group []op) (bad int, err error) {
	if broken := w.broken.Load(); broken != nil {
		return -1, *broken
	}
	if err := w.Exec("BEGIN IMMEDIATE"); err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			_ = w.Exec("ROLLBACK") // SQLite may have done so by itself
		}
	}()
	for i, o := range group {
		if err := w.carryOut(o); err != nil {
			return i, err
		}
	}
	if w.fail != nil {
		err = w.fail()
	}
	if err == nil {
		err = w.Exec("COMMIT")
	}
	if Unconfirmed(err) || errors.Is(err, errUnconfirmed) {
		err = fmt.Errorf("%w: %w", ErrBroken, err)
		w.broken.Store(&err)
	}
	return -1, err
}

// statement prepares a text once.
func (w *Writer) statement(text string) (*sql.Stmt, error) {
	if s := w.statements[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err == nil {
		w.statements[text] = s
	}
	return s, err
}

// Exec carries out a statement in the write at hand.
func (w *Writer) Exec(text string, args ...any) error {
	_, err := w.Run(text, args...)
	return err
}

// Run is Exec with what the statement gives.
func (w *Writer) Run(text string, args ...any) (sql.Result, error) {
	s, err := w.statement(text) //nolint:sqlclosecheck // kept until the writer is closed
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

// Query reads rows in the write at hand.
func (w *Writer) Query(text string, args ...any) (*sql.Rows, error) {
	s, err := w.statement(text) //nolint:sqlclosecheck // kept until the writer is closed
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

// One reads a single row.
func (w *Writer) One(text string, args []any, to ...any) error {
	s, err := w.statement(text) //nolint:sqlclosecheck // as above
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(to...)
}

// Close lets the writer finish what it was given.
func (w *Writer) Close() error {
	w.mu.Lock()
	if !w.shut {
		w.shut = true
		close(w.ops)
	}
	w.mu.Unlock()
	<-w.done
	var faults []error
	for _, s := range w.statements {
		faults = append(faults, s.Close())
	}
	return errors.Join(append(faults, w.conn.Close())...)
}
