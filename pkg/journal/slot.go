package journal

import (
	"context"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// The bounds of a limit of [Journal.Reserve]: the journal keeps the newest
// MaxCount slots of a key, and none of them for longer than MaxPer.
const (
	MaxCount = 100_000
	MaxPer   = 24 * time.Hour
)

// Slot is the place of one request under rate limits.
type Slot struct {
	ID   int64
	Wait time.Duration // if not 0, there is no place yet: ask again after this

	key string
}

const (
	// openRecheck is how soon to ask again when the request that occupies the
	// place is under way: its response can come at any time.
	openRecheck = 50 * time.Millisecond
	// trimEvery is how many slots pass between two removals of superfluous ones.
	trimEvery = 1024
)

// openKey is the key of the slots whose requests are under way. Their time is the
// one by which the request has arrived at the latest, because the process may be
// killed before it reports the response.
func openKey(key string) string { return key + "/open" }

// Reserve asks for a place for one request under all limits of a key, which all
// processes that use this journal share, and takes it if there is one. Otherwise
// the slot's Wait says when to ask again. Limits have a Count of at most
// [MaxCount] and a Per of at most [MaxPer].
//
// The request must arrive within the given time. Until [Journal.Answered] is
// called, the slot counts as if it arrived at the last moment.
//
// Reserve reads the clock while no other process can write. A slot in the
// future, which a clock that was set back leaves behind, counts as taken now.
func (j *Journal) Reserve(ctx context.Context, key string, limits []deliver.Limit, clock func() time.Time, within time.Duration) (Slot, error) {
	var s Slot
	err := j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/slot")
		// Under the lock, what others wrote before is not in the future.
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
		var err error
		s.ID, err = tx.Insert("INSERT INTO slot (key, time) VALUES (?, ?)", openKey(key), now.Add(within).UnixNano())
		if err == nil && s.ID%trimEvery == 0 {
			err = trim(tx, key)
		}
		return err
	})
	return s, explain(j.path, err)
}

// tidy removes the slots that no limit reaches any more, and moves those in the
// future to now.
func tidy(tx *sqlfile.Tx, key string, now time.Time, within time.Duration) error {
	for name, latest := range map[string]time.Time{key: now, openKey(key): now.Add(within)} {
		if err := tx.Exec("DELETE FROM slot WHERE key = ? AND time <= ?", name, now.Add(-MaxPer).UnixNano()); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE slot SET time = ? WHERE key = ? AND time > ?", latest.UnixNano(), name, latest.UnixNano()); err != nil {
			return err
		}
	}
	return nil
}

// trim removes all but the newest MaxCount slots of a key.
func trim(tx *sqlfile.Tx, key string) error {
	return tx.Exec("DELETE FROM slot WHERE key = ? AND time <= (SELECT time FROM slot WHERE key = ? ORDER BY time DESC LIMIT 1 OFFSET ?)", key, key, MaxCount)
}

// waitFor returns how long the next request waits under a limit.
func waitFor(tx *sqlfile.Tx, key string, l deliver.Limit, now time.Time) (time.Duration, error) {
	// The Count-th newest slot must leave the window before another fits.
	var at int64
	var under string
	since := now.Add(-l.Per).UnixNano()
	err := tx.One(`SELECT coalesce(max(time), 0), coalesce(max(key), '') FROM (
		SELECT time, key FROM slot WHERE key = ? AND time > ? UNION ALL SELECT time, key FROM slot WHERE key = ? AND time > ?
		ORDER BY time DESC LIMIT 1 OFFSET ?)`, // the index sorts each half
		[]any{key, since, openKey(key), since, l.Count - 1}, &at, &under)
	if err != nil || at == 0 {
		return 0, err
	}
	wait := l.Wait(time.Unix(0, at), now)
	if under == openKey(key) && at > now.UnixNano() {
		wait = min(wait, openRecheck)
	}
	return wait, nil
}

// Answered stores when the request of a slot was answered. It arrived before
// that, so a window that is counted from there never contains more requests than
// the limit allows, however long they were on their way.
func (j *Journal) Answered(ctx context.Context, s Slot, at time.Time) error {
	return explain(j.path, j.write.Submit(ctx, func(tx *sqlfile.Tx) error {
		tx.Failpoints("journal/slot-answered")
		return tx.Exec("UPDATE slot SET key = ?, time = ? WHERE id = ?", s.key, at.UnixNano(), s.ID)
	}))
}
