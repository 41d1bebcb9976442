package journal

import (
	"context"
	"time"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// Limit allows Count requests in any stretch of time of the length Per. Count
// goes up to [MaxCount], Per to [MaxPer].
type Limit struct {
	Count int
	Per   time.Duration
}

// What a limit may ask for: that many of the newest slots of a key are kept,
// and none is kept for longer.
const (
	MaxCount = 100_000
	MaxPer   = 24 * time.Hour
)

// Slot is a place under the limits.
type Slot struct {
	ID   int64
	Wait time.Duration // if not 0, there is none yet: ask again after this

	key string
}

// openRecheck is how soon to ask again when the way is barred by a request
// that is under way: its answer can come at any time.
const openRecheck = 50 * time.Millisecond

// trimEvery is how many slots go by between two looks at how many there are.
const trimEvery = 1024

// open marks the slots whose requests are under way. They stand at the time by
// which their requests have reached the other side at the latest, for nobody
// may ever tell: the process can be killed.
func open(key string) string { return key + "/open" }

// Reserve asks for a place under all limits for a key, which all processes
// that open this journal share, and takes it if there is one. Its request
// arrives within that time. A slot counts as if it did so at the last moment,
// until [Journal.Answered] tells better.
//
// The clock is read when no other process can write. Slots from the future, as
// a clock that was set back leaves them, count as taken now.
func (j *Journal) Reserve(ctx context.Context, key string, limits []Limit, clock func() time.Time, within time.Duration) (Slot, error) {
	var s Slot
	err := j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		// Read under the lock: what others wrote before is not in the future then.
		now := clock()
		s = Slot{key: key}
		if err := tidy(tx, key, now, within); err != nil {
			return err
		}
		for _, l := range limits {
			wait, err := waitFor(tx, key, l, now)
			if err != nil {
				return err
			}
			s.Wait = max(s.Wait, wait)
		}
		if s.Wait > 0 {
			return nil
		}
		result, err := tx.Run("INSERT INTO slot (key, time) VALUES (?, ?)", open(key), now.Add(within).UnixNano())
		if err == nil {
			s.ID, err = result.LastInsertId()
		}
		if err == nil && s.ID%trimEvery == 0 {
			err = trim(tx, key)
		}
		return err
	})
	return s, explain(j.path, err)
}

// tidy takes away what no limit reaches any more, and brings back what stands
// in the future.
func tidy(tx *sqlfile.Tx, key string, now time.Time, within time.Duration) error {
	for name, latest := range map[string]time.Time{key: now, open(key): now.Add(within)} {
		if err := tx.Exec("DELETE FROM slot WHERE key = ? AND time <= ?", name, now.Add(-MaxPer).UnixNano()); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE slot SET time = ? WHERE key = ? AND time > ?", latest.UnixNano(), name, latest.UnixNano()); err != nil {
			return err
		}
	}
	return nil
}

// trim keeps the newest slots of a key that any limit can reach.
func trim(tx *sqlfile.Tx, key string) error {
	return tx.Exec("DELETE FROM slot WHERE key = ? AND time <= (SELECT time FROM slot WHERE key = ? ORDER BY time DESC LIMIT 1 OFFSET ?)", key, key, MaxCount)
}

// waitFor says how long it takes until a limit has room.
func waitFor(tx *sqlfile.Tx, key string, l Limit, now time.Time) (time.Duration, error) {
	// The slot that must leave the window before another fits.
	var at int64
	var under string
	since := now.Add(-l.Per).UnixNano()
	err := tx.One(`SELECT coalesce(max(time), 0), coalesce(max(key), '') FROM (
		SELECT time, key FROM slot WHERE key = ? AND time > ? UNION ALL SELECT time, key FROM slot WHERE key = ? AND time > ?
		ORDER BY time DESC LIMIT 1 OFFSET ?)`, // each half comes sorted from the index
		[]any{key, since, open(key), since, l.Count - 1}, &at, &under)
	if err != nil || at == 0 {
		return 0, err
	}
	wait := time.Unix(0, at).Add(l.Per).Sub(now)
	if under == open(key) && at > now.UnixNano() {
		wait = min(wait, openRecheck)
	}
	return wait, nil
}

// Answered notes when the request of a slot was answered: it reached the other
// side before that, so a window that is counted from here never holds more
// than the limit, however long requests were on their way.
func (j *Journal) Answered(ctx context.Context, s Slot, at time.Time) error {
	return explain(j.path, j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		return tx.Exec("UPDATE slot SET key = ?, time = ? WHERE id = ?", s.key, at.UnixNano(), s.ID)
	}))
}
