package send

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/journal"
)

// lock keeps a second process from sending the same file to the same target.
func (b *batchRun) lock(ctx context.Context, j *journal.Journal) (release func() error, err error) {
	sum := sha256.Sum256([]byte(b.file.Digest + "\n" + b.target()))
	release, err = j.Lock(ctx, "batch-"+hex.EncodeToString(sum[:8]))
	if errors.Is(err, journal.ErrLocked) {
		err = fmt.Errorf("%s is being sent by another process", b.o.batch.file)
	}
	return release, err
}

// openLedger finds the ledger of the file, or begins one.
func (b *batchRun) openLedger(ctx context.Context, j *journal.Journal) error {
	o, name := b.o.batch, filepath.Clean(b.env.Path(b.o.batch.file))
	ledger, found, err := j.Batch(ctx, b.file.Digest, b.delivery.URL)
	if err != nil {
		return err
	}
	switch {
	case found && o.resume:
		b.ledger = ledger
		return b.file.Load(ctx, ledger)
	case found && !o.restart:
		text, err := b.begun(ctx, ledger)
		if err != nil {
			return err
		}
		return fmt.Errorf("%s; --resume sends the rest, --restart sends every line again", text)
	case !found:
		if err := b.sameName(ctx, j, name); err != nil {
			return err
		}
	}
	b.ledger, err = j.Begin(ctx, b.file.Digest, b.delivery.URL, name, b.file.Len(), b.env.Now())
	return err
}

// sameName looks for a batch of the file as it was before somebody changed it.
// To go on with that is not possible, and to send all of the new one is rarely
// what --resume means.
func (b *batchRun) sameName(ctx context.Context, j *journal.Journal, name string) error {
	other, found, err := j.BatchNamed(ctx, name, b.delivery.URL)
	if err != nil || !found {
		return err
	}
	text, err := b.begun(ctx, other)
	switch {
	case err != nil:
		return err
	case b.o.batch.resume:
		return fmt.Errorf("%s, and it has changed since: bring the old file back to resume it, or leave --resume out to send every line of the new one", text)
	}
	fmt.Fprintf(b.env.Err, "wsk: warning: %s; it has changed since, so this is a new batch\n", ui.Clean(text))
	return nil
}

// begun says how far a batch has come.
func (b *batchRun) begun(ctx context.Context, ledger *journal.Batch) (string, error) {
	n, err := ledger.Answered(ctx)
	return fmt.Sprintf("%s was begun on %s: %s of %s lines are answered", b.o.batch.file,
		ledger.Started.UTC().Format("2006-01-02 15:04:05 UTC"), ui.Thousands(n), ui.Thousands(ledger.Lines)), err
}
