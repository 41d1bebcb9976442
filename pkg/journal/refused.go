package journal

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The defaults of [RefusedLimits].
const (
	DefaultRefusedBody    = 4 << 10
	DefaultRefusedRecords = 10_000
	DefaultRefusedBytes   = 64 << 20
)

// RefusedLimits limit what a journal keeps of the requests that were refused
// unverified, see [webhook.Record.RefusedUnverified]. Anyone can send those, and
// they must not fill the disk. Beyond Records or Bytes the oldest are deleted. A
// field that is 0 has its default.
type RefusedLimits struct {
	Body    int   // how many bytes of a body are stored; less than 0: none
	Records int   // how many of these records the journal contains
	Bytes   int64 // how large they are together, about
}

func (l RefusedLimits) withDefaults() RefusedLimits {
	if l.Body == 0 {
		l.Body = DefaultRefusedBody
	}
	if l.Records <= 0 {
		l.Records = DefaultRefusedRecords
	}
	if l.Bytes <= 0 {
		l.Bytes = DefaultRefusedBytes
	}
	return l
}

// refused is how a journal treats the requests that were refused unverified.
type refused struct {
	limits RefusedLimits
	warn   func(text string)

	isFull  atomic.Bool           // the oldest are being deleted
	lost    atomic.Int64          // how many were not stored
	fault   atomic.Pointer[error] // why, the first time, unless too many came at once
	sayFull sync.Once
	sayLost sync.Once

	// Of the writer's goroutine:
	isKnown     bool   // stored is right, if no other process has written since
	stored      totals // as of the last commit
	now         totals // of the transaction in progress
	transaction int64  // that one
	version     int64  // PRAGMA data_version then, which a commit of another process changes
}

// rowBytes is about what a row takes besides its texts and bodies, with its verdict
// and its entries in the indexes.
const rowBytes = 1024

// refusedSize returns what a record takes of [RefusedLimits.Bytes], or 0 if it does
// not count. The migration in kind computes the same.
func refusedSize(r *webhook.Record) int {
	if !r.RefusedUnverified() {
		return 0
	}
	size := rowBytes + len(r.Request.URL) + len(r.Request.Body)
	for _, p := range r.Request.Header {
		size += len(p.Name) + len(": ") + len(p.Value) + len("\n")
	}
	if r.Response != nil {
		size += len(r.Response.Body)
	}
	return size
}

// keepRefused stores the beginning of a request that was refused unverified, some
// time later. It neither waits for the disk nor delays the records of others, and
// under a flood it leaves requests out. A kill may lose these records, and no
// others.
func (j *Journal) keepRefused(r receive.Receipt) error {
	k := &j.refused
	k.report()
	record := r.Record
	record.Request = record.Request.Truncate(k.limits.Body)
	args, err := columns(record, "", "")
	if err != nil {
		return err
	}
	size := refusedSize(&record)
	err = j.write.Defer(size, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/refused")
		return k.store(tx, size, args)
	}, func(err error) {
		if err != nil {
			err = explain(j.path, err)
			k.fault.CompareAndSwap(nil, &err)
			k.lost.Add(1)
		}
	})
	if errors.Is(err, sqlfile.ErrFull) {
		k.lost.Add(1)
		return nil
	}
	return explain(j.path, err)
}

// trimStep is the largest number of records that are deleted for a new one. It is
// more than one, so that a journal far beyond its limits gets there in small steps.
const trimStep = 4

// totals are how many records count against the limits, and how large they are.
type totals struct {
	records int
	bytes   int64
}

func (t totals) within(l RefusedLimits) bool { return t.records <= l.Records && t.bytes <= l.Bytes }

// count sets now to the totals before a write. It reads all the sizes only if another
// process, or another method of this journal, may have changed them.
func (k *refused) count(tx *sqlfile.Tx) error {
	if k.transaction == tx.Number() {
		return nil // an earlier write of the transaction has set it
	}
	var version int64
	if err := tx.One("PRAGMA data_version", nil, &version); err != nil {
		return err
	}
	if k.now = k.stored; !k.isKnown || k.version != version {
		err := tx.One("SELECT count(*), coalesce(sum(refused_size), 0) FROM record WHERE refused_size > 0", nil, &k.now.records, &k.now.bytes)
		if err != nil {
			return err
		}
	}
	k.transaction, k.version = tx.Number(), version
	return nil
}

// store stores a record, and deletes the oldest beyond the limits.
func (k *refused) store(tx *sqlfile.Tx, size int, args []any) error {
	if err := k.count(tx); err != nil {
		return err
	}
	if err := tx.Exec(putRecord, args...); err != nil {
		return err
	}
	now := totals{k.now.records + 1, k.now.bytes + int64(size)}
	if !now.within(k.limits) {
		last := int64(0)
		const oldest = "SELECT seq, refused_size FROM record WHERE refused_size > 0 ORDER BY seq LIMIT ?"
		err := tx.Each(oldest, []any{trimStep}, func(rows *sql.Rows) error {
			if now.within(k.limits) {
				return nil
			}
			var size int64
			err := rows.Scan(&last, &size)
			now.records, now.bytes = now.records-1, now.bytes-size
			return err
		})
		if err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM record WHERE refused_size > 0 AND seq <= ?", last); err != nil {
			return err
		}
		tx.OnCommit(func() { k.isFull.Store(true) })
	}
	k.now = now
	tx.OnCommit(func() { k.stored, k.isKnown = now, true })
	return nil
}

// report says once that records are deleted, and once that some are left out. It is
// called by those who store, not by the writer, which must not wait for a reader of
// the warnings.
func (k *refused) report() {
	if k.isFull.Load() {
		k.sayFull.Do(func() {
			k.warn(fmt.Sprintf("the journal keeps the newest %d requests that were refused unverified, or %.3g MiB of them: older ones are deleted", k.limits.Records, float64(k.limits.Bytes)/(1<<20)))
		})
	}
	if k.lost.Load() > 0 {
		k.sayLost.Do(func() {
			why := "they come faster than it stores them"
			if fault := k.fault.Load(); fault != nil {
				why = (*fault).Error()
			}
			k.warn("the journal leaves out some requests that were refused unverified: " + why)
		})
	}
}

// reportLost says how many requests were left out.
func (k *refused) reportLost() {
	k.report()
	if n := k.lost.Load(); n > 0 {
		k.warn(fmt.Sprintf("left out of the journal: %d requests that were refused unverified", n))
	}
}
