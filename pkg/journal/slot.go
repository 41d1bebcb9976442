package journal

import (
	"context"
	"time"
)

// Limit allows Count requests in any stretch of time of the length Per.
type Limit struct {
	Count int
	Per   time.Duration
}

// Slot is a place under the limits.
type Slot struct {
	ID   int64
	Wait time.Duration // if not 0, there is none yet: ask again after this
}

// Reserve asks for a place under all limits for a key, which all processes
// that open this journal share, and takes it if there is one. A slot counts
// from now, and from [Journal.Answered] once that was told.
//
// Slots from the future, as a clock that was set back leaves them, count as
// taken now.
func (j *Journal) Reserve(ctx context.Context, key string, limits []Limit, now time.Time) (Slot, error) {
	var s Slot
	err := j.write.submit(ctx, func(w *writer) error {
		s = Slot{}
		longest := time.Hour
		for _, l := range limits {
			longest = max(longest, l.Per)
		}
		if err := w.exec("DELETE FROM slot WHERE time <= ?", now.Add(-longest).UnixNano()); err != nil {
			return err
		}
		if err := w.exec("UPDATE slot SET time = ? WHERE key = ? AND time > ?", now.UnixNano(), key, now.UnixNano()); err != nil {
			return err
		}
		for _, l := range limits {
			// The slot that must leave the window before another fits.
			var at int64
			err := w.one("SELECT coalesce((SELECT time FROM slot WHERE key = ? AND time > ? ORDER BY time DESC LIMIT 1 OFFSET ?), 0)",
				[]any{key, now.Add(-l.Per).UnixNano(), l.Count - 1}, &at)
			if err != nil {
				return err
			}
			if at > 0 {
				s.Wait = max(s.Wait, time.Unix(0, at).Add(l.Per).Sub(now))
			}
		}
		if s.Wait > 0 {
			return nil
		}
		result, err := w.run("INSERT INTO slot (key, time) VALUES (?, ?)", key, now.UnixNano())
		if err == nil {
			s.ID, err = result.LastInsertId()
		}
		return err
	})
	return s, explain(j.path, err)
}

// Answered notes when the request of a slot was answered: it reached the other
// side before that, so a window that is counted from here never holds more
// than the limit, however long requests were on their way.
func (j *Journal) Answered(ctx context.Context, s Slot, at time.Time) error {
	return explain(j.path, j.write.submit(ctx, func(w *writer) error {
		return w.exec("UPDATE slot SET time = ? WHERE id = ?", at.UnixNano(), s.ID)
	}))
}
