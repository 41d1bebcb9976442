package sqlfile

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/pkg/internal/failpoint"
)

const (
	// maxGroup is the largest number of writes in one commit.
	maxGroup = 256
	// maxFailures is how many failed writes are taken out of a group, one by
	// one, before each of the rest gets a transaction of its own.
	maxFailures = 16

	// maxDeferred is the largest number of deferred writes in one commit, and
	// deferPause the time between two such commits. What is submitted meanwhile
	// waits for a moment at most, and the disk is not busy with what may wait.
	maxDeferred = 16
	deferPause  = 250 * time.Millisecond
	// The deferred writes that may wait.
	maxWaiting      = 256
	maxWaitingBytes = 4 << 20
)

// ErrBroken is the error of every write after an fsync failed: the disk did not
// confirm a write, the state of the file is unknown, and this process writes
// nothing more to it. [ErrMoved] is one as well.
var ErrBroken = errors.New("the disk did not confirm a write")

// ErrClosed is the error of a write after [Writer.Close].
var ErrClosed = errors.New("the file is closed")

// ErrFull is the error of [Writer.Defer] while too many deferred writes wait.
var ErrFull = errors.New("too many writes wait")

// errUnconfirmed replaces a failed fsync in tests, which have no failing disk.
var errUnconfirmed = errors.New("fsync failed")

// Writer carries out the writes of a process, one transaction at a time. Writes
// that arrive during a commit wait for the next one, so that many callers share
// one fsync.
type Writer struct {
	tx           *Tx
	beforeCommit func() error
	files        watch

	writes   chan write
	deferred chan write
	waiting  atomic.Int64     // the bytes of those in deferred
	pause    <-chan time.Time // receives the end of the pause between deferred writes; nil: there is none
	done     chan struct{}    // closed when the loop has ended

	mu     sync.RWMutex // held for reading while a write is sent
	closed bool
	broken atomic.Pointer[error] // set once, by the loop
}

// write is one call of Submit or of Defer.
type write struct {
	do   func(*Tx) error
	end  func(error)
	size int // of a deferred one
}

// report tells the caller of a write how it ended.
func (o write) report(err error) {
	_ = failpoint.Hit("sqlfile/before-report") // the write has ended
	o.end(err)
}

// NewWriter returns a writer on a connection of its own. If beforeCommit is not
// nil, it runs before each commit, and its error replaces the commit's: it is
// for tests.
func NewWriter(ctx context.Context, db *sql.DB, beforeCommit func() error) (*Writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	files, err := newWatch(ctx, conn)
	if err == nil {
		err = files.sync()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &Writer{
		tx: &Tx{conn: conn, queries: map[string]*sql.Stmt{}, commands: map[string]command{}}, beforeCommit: beforeCommit, files: files,
		writes: make(chan write, maxGroup), deferred: make(chan write, maxWaiting), done: make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

// Submit runs do in a transaction and returns when its changes are on disk. An
// error of do undoes its changes. Submit may run do again after a rollback, so do
// must not accumulate state. If ctx ends first, Submit returns its error, but the
// write still takes place. A panic of do undoes its changes and becomes a panic
// of Submit.
func (w *Writer) Submit(ctx context.Context, do func(*Tx) error) error {
	result := make(chan error, 1)
	o := write{do: do, end: func(err error) { result <- err }}
	w.mu.RLock()
	closed := w.closed
	if !closed {
		w.writes <- o // Close cannot close the channel before the lock is released
	}
	w.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	select {
	case err := <-result:
		var p *panicError
		if errors.As(err, &p) {
			panic(p.Error()) // in the caller's goroutine, where it can be recovered
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Defer runs do in a transaction at some time, and returns at once. end receives
// the result, in the writer's goroutine. Deferred writes do not hold up those of
// Submit: a few at a time, with a pause after them, they join a commit, or are
// committed without an fsync of their own while nothing else is to be written. A
// kill loses those that wait, and a loss of power also those that no other commit
// has followed.
//
// size is how many bytes do holds in memory. The error is [ErrFull] if too many
// writes or bytes wait already, or [ErrBroken] or [ErrClosed]; do is not run then.
// A panic of do undoes its changes and is the error of end.
func (w *Writer) Defer(size int, do func(*Tx) error, end func(error)) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	if broken := w.broken.Load(); broken != nil {
		return *broken
	}
	if others := w.waiting.Add(int64(size)) - int64(size); others > 0 && others+int64(size) > maxWaitingBytes {
		w.waiting.Add(-int64(size))
		return ErrFull
	}
	select {
	case w.deferred <- write{do, end, size}:
		return nil
	default:
		w.waiting.Add(-int64(size))
		return ErrFull
	}
}

func (w *Writer) loop() {
	defer close(w.done)
	group := make([]write, 0, maxGroup)
	for {
		var first write
		open := false
		select {
		case first, open = <-w.writes:
		default: // only then the deferred ones
			deferred := w.deferred
			if w.pauses() {
				deferred = nil
			}
			select {
			case first, open = <-w.writes:
			case o := <-deferred:
				w.commitDeferred(w.gatherDeferred(o))
				continue
			case <-w.pause:
				w.pause = nil
				continue
			}
		}
		if !open {
			break
		}
		group = w.gather(append(group[:0], first))
		w.commit(group)
	}
	for group := w.gatherDeferred(); len(group) > 0; group = w.gatherDeferred() {
		w.commitDeferred(group)
	}
}

// pauses reports whether the deferred writes have a pause.
func (w *Writer) pauses() bool {
	select {
	case <-w.pause:
		w.pause = nil
	default:
	}
	return w.pause != nil
}

// gatherDeferred returns a group of deferred writes, which begins with first, and
// begins a pause if there are any.
func (w *Writer) gatherDeferred(first ...write) []write {
	group := first
	for len(group) < maxDeferred {
		select {
		case o := <-w.deferred:
			group = append(group, o)
			continue
		default:
		}
		break
	}
	for _, o := range group {
		w.waiting.Add(-int64(o.size))
	}
	if len(group) > 0 {
		w.pause = time.After(deferPause)
	}
	return group
}

// gather adds the writes that wait to the group. It yields the processor for as
// long as more of them arrive, so that callers that are about to write join
// this commit. On an idle machine this takes no time.
func (w *Writer) gather(group []write) []write {
	for waiting := -1; len(w.writes) > waiting; {
		waiting = len(w.writes)
		for range 8 {
			runtime.Gosched()
		}
	}
	for len(group) < maxGroup {
		select {
		case o, open := <-w.writes:
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

// commit writes a group, and deferred writes that wait, in one transaction.
func (w *Writer) commit(group []write) {
	var joined []write
	if !w.pauses() {
		joined = w.gatherDeferred()
	}
	if len(joined) == 0 {
		w.commitGroup(group)
		return
	}
	all := slices.Concat(group, joined)
	if _, err := w.transact(all, true); err == nil {
		for _, o := range all {
			o.report(nil)
		}
		return
	}
	w.commitGroup(group)
	w.commitDeferred(joined)
}

// commitGroup writes a group in one transaction. A write that fails does not undo the
// others: it gets a transaction of its own, and the group starts again without
// it. After maxFailures of those, or when the commit itself fails, every write
// gets a transaction of its own.
func (w *Writer) commitGroup(group []write) {
	for range maxFailures {
		failed, err := w.transact(group, true)
		if err == nil || len(group) == 1 || errors.Is(err, ErrBroken) {
			for _, o := range group {
				o.report(err)
			}
			return
		}
		if failed < 0 {
			break
		}
		w.commitAlone(group[failed], true)
		group = slices.Delete(group, failed, failed+1)
	}
	for _, o := range group {
		w.commitAlone(o, true)
	}
}

// commitDeferred writes a group in one transaction without an fsync. If it fails,
// every write gets a transaction of its own.
func (w *Writer) commitDeferred(group []write) {
	_, err := w.transact(group, false)
	for _, o := range group {
		if err == nil {
			o.report(nil)
			continue
		}
		w.commitAlone(o, false)
	}
}

func (w *Writer) commitAlone(o write, synced bool) {
	_, err := w.transact([]write{o}, synced)
	o.report(err)
}

// transact writes a group. If synced is set, it is on disk then. failed is the
// index of the write that failed, or -1 if the transaction itself did.
func (w *Writer) transact(group []write, synced bool) (failed int, err error) {
	if broken := w.broken.Load(); broken != nil {
		return -1, *broken
	}
	if err := w.tx.setSynced(synced); err != nil {
		return -1, err
	}
	w.tx.number++
	w.tx.committed, w.tx.failpoints = nil, nil
	if err := failpoint.Hit("sqlfile/before-begin"); err != nil {
		return -1, err
	}
	if err := w.tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			_ = w.tx.Exec("ROLLBACK") // fails if SQLite has already rolled back
		}
	}()
	for i, o := range group {
		if err := o.run(w.tx); err != nil {
			return i, err
		}
	}
	if err = w.tx.hit("/after-write", "sqlfile/before-commit"); err == nil && w.beforeCommit != nil {
		err = w.beforeCommit()
	}
	if err == nil {
		err = w.files.check()
	}
	if err == nil {
		err = w.tx.Exec("COMMIT")
	}
	if Unconfirmed(err) || errors.Is(err, errUnconfirmed) {
		err = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if errors.Is(err, ErrBroken) {
		w.broken.Store(&err)
	}
	if err == nil {
		_ = w.tx.hit("/after-sync", "sqlfile/after-commit") // the commit cannot be taken back
		for _, f := range w.tx.committed {
			f()
		}
	}
	return -1, err
}

// run calls do and turns a panic into an error, so that it does not end the
// loop.
func (o write) run(tx *Tx) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, debug.Stack()}
		}
	}()
	tx.failed = nil
	if err := o.do(tx); err != nil {
		return err
	}
	return tx.failed
}

// panicError is the panic of a write.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// Close waits for the writes that were submitted or deferred and closes the connection.
func (w *Writer) Close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.writes)
	}
	w.mu.Unlock()
	<-w.done
	return w.tx.close()
}

// Tx is the transaction of a write. It is valid until the function that received
// it returns.
type Tx struct {
	conn      *sql.Conn
	number    int64
	committed []func()
	unsynced  bool // a commit makes no fsync

	failpoints []string // the names of its writes
	failed     error    // of a failpoint

	// What was prepared, until the writer is closed.
	queries  map[string]*sql.Stmt
	commands map[string]command
	values   []driver.NamedValue // of run, which uses it again
}

// command is a prepared statement of the driver, which executes it in less time than
// a [sql.Stmt] does.
type command interface {
	driver.Stmt
	driver.StmtExecContext
}

// setSynced sets whether a commit makes an fsync. Without it the file stays whole:
// SQLite makes one before it moves a commit from the write-ahead log to the file.
// SQLite executes the pragma when it prepares it, so a prepared one would do
// nothing.
func (t *Tx) setSynced(synced bool) error {
	if synced != t.unsynced {
		return nil
	}
	level := "NORMAL"
	if synced {
		level = "FULL"
	}
	_, err := t.conn.ExecContext(context.Background(), "PRAGMA synchronous = "+level)
	if err == nil {
		t.unsynced = !synced
	}
	return err
}

// Number returns the number of the transaction, from 1. Several writes can share
// one.
func (t *Tx) Number() int64 { return t.number }

// OnCommit has f called after the commit of the transaction, and not if it is
// rolled back.
func (t *Tx) OnCommit(f func()) { t.committed = append(t.committed, f) }

// Failpoints names the failpoints of a write, which calls it first: NAME/before-write is
// hit at once, and its error fails the write; NAME/after-write is hit before the commit,
// and NAME/after-sync after it.
func (t *Tx) Failpoints(name string) {
	if failpoint.Enabled {
		t.failpoints = append(t.failpoints, name)
		t.failed = failpoint.Hit(name + "/before-write")
	}
}

// hit hits a failpoint of each write of the transaction, and one of all transactions.
func (t *Tx) hit(ofEach, ofAll string) error {
	for _, name := range t.failpoints {
		if err := failpoint.Hit(name + ofEach); err != nil {
			return err
		}
	}
	return failpoint.Hit(ofAll)
}

// Exec executes a statement.
func (t *Tx) Exec(text string, args ...any) error {
	_, err := t.run(text, args)
	return err
}

// Insert executes an INSERT of one row, and returns the id of the row.
func (t *Tx) Insert(text string, args ...any) (id int64, err error) {
	result, err := t.run(text, args)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// Change executes a statement, and returns how many rows it inserted, updated or
// deleted.
func (t *Tx) Change(text string, args ...any) (rows int, err error) {
	result, err := t.run(text, args)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// run executes a statement.
func (t *Tx) run(text string, args []any) (result driver.Result, err error) {
	t.values = t.values[:0]
	defer func() { clear(t.values) }() // frees the bodies among them
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		t.values = append(t.values, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	err = t.conn.Raw(func(conn any) error {
		s, err := t.command(conn, text)
		if err != nil {
			return err
		}
		result, err = s.ExecContext(context.Background(), t.values)
		return err
	})
	return result, err
}

// command returns the prepared statement of a text. conn is the driver's connection.
func (t *Tx) command(conn any, text string) (command, error) {
	if s := t.commands[text]; s != nil {
		return s, nil
	}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("the driver's %T cannot prepare statements", conn)
	}
	prepared, err := preparer.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(command)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot execute with a context", prepared), prepared.Close())
	}
	t.commands[text] = s
	return s, nil
}

// query returns the prepared query of a text.
func (t *Tx) query(text string) (*sql.Stmt, error) {
	if s := t.queries[text]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), text)
	if err == nil {
		t.queries[text] = s
	}
	return s, err
}

// Each calls scan for every row of a query. scan must not write.
func (t *Tx) Each(text string, args []any, scan func(*sql.Rows) error) error {
	s, err := t.query(text) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	return each(rows, err, scan)
}

// Each calls scan for every row of a query outside of a transaction.
func Each(ctx context.Context, db *sql.DB, text string, args []any, scan func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, text, args...)
	return each(rows, err, scan)
}

// each scans and closes the rows, unless the query failed.
func each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err is checked
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One scans the single row of a query. Without a row the error is
// [sql.ErrNoRows].
func (t *Tx) One(text string, args []any, to ...any) error {
	s, err := t.query(text) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(to...)
}

func (t *Tx) close() error {
	var faults []error
	for _, s := range t.queries {
		faults = append(faults, s.Close())
	}
	faults = append(faults, t.conn.Raw(func(any) error {
		var faults []error
		for _, s := range t.commands {
			faults = append(faults, s.Close())
		}
		return errors.Join(faults...)
	}))
	return errors.Join(append(faults, t.conn.Close())...)
}
