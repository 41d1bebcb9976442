package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Lock keeps other processes from sending the same file to the same URL until
// release is called or the process ends. The error is [journal.ErrLocked] when
// another process has the lock.
func (f *File) Lock(ctx context.Context, j *journal.Journal, url string) (release func() error, err error) {
	sum := sha256.Sum256([]byte(f.Digest + "\n" + webhook.RedactURL(url)))
	return j.Lock(ctx, "batch-"+hex.EncodeToString(sum[:8]))
}

// Begin selects the ledger that [File.Open] returns.
type Begin struct {
	URL     string    // where the batch is sent
	Name    string    // absolute path of the file
	Resume  bool      // continue a batch that was begun
	Restart bool      // begin again, although a batch was begun
	Now     time.Time // when a new batch begins
}

// BegunError is the error for a file of which a batch was begun before.
type BegunError struct {
	Started  time.Time
	Answered int  // lines with an answer
	Lines    int  // lines in all
	Changed  bool // the file had another content then, so that batch cannot be continued
}

func (e *BegunError) Error() string {
	text := fmt.Sprintf("a batch was begun on %s: %d of %d lines are answered", e.Started.UTC().Format(time.DateTime+" UTC"), e.Answered, e.Lines)
	if e.Changed {
		text += ", and the file has changed since"
	}
	return text
}

// Open returns the ledger of the file for a URL: the one that was begun before,
// whose states it loads, or a new one. The error is a [*BegunError] when a
// batch was begun and neither Resume nor Restart is set, or when the file to
// resume has changed. Where a new ledger begins although a batch was begun with
// another content of the file, earlier describes that batch.
func (f *File) Open(ctx context.Context, j *journal.Journal, b Begin) (ledger *journal.Batch, earlier *BegunError, err error) {
	ledger, found, err := j.Batch(ctx, f.Digest, b.URL)
	switch {
	case err != nil:
		return nil, nil, err
	case found && b.Resume:
		return ledger, nil, f.Load(ctx, ledger)
	case found && !b.Restart:
		begun, err := begunError(ctx, ledger, false)
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, begun
	case !found:
		// Sending all of the new content is rarely what Resume means.
		other, changed, err := j.BatchNamed(ctx, b.Name, b.URL)
		if err != nil {
			return nil, nil, err
		}
		if changed {
			if earlier, err = begunError(ctx, other, true); err != nil {
				return nil, nil, err
			}
			if b.Resume {
				return nil, nil, earlier
			}
		}
	}
	ledger, err = j.BeginBatch(ctx, f.Digest, b.URL, b.Name, f.Len(), b.Now)
	return ledger, earlier, err
}

func begunError(ctx context.Context, ledger *journal.Batch, changed bool) (*BegunError, error) {
	answered, err := ledger.Answered(ctx)
	return &BegunError{Started: ledger.Started, Answered: answered, Lines: ledger.Lines, Changed: changed}, err
}
