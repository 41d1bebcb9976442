package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wskdev/wsk/cmd/wsk/command"
)

// checkFailedTo sees to it that the refused lines can be written, before hours
// go by: to another file than the batch, in a folder that takes one.
func (b *batchRun) checkFailedTo(source fs.FileInfo) error {
	name := b.o.batch.failedTo
	if name == "" {
		return nil
	}
	info, err := os.Stat(b.env.Path(name))
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("--failed-to %s: it is a folder: name a file in it", name)
	case err == nil && os.SameFile(info, source):
		return fmt.Errorf("--failed-to %s: it is the batch itself: name another file", name)
	}
	file, err := os.CreateTemp(filepath.Dir(b.env.Path(name)), ".wsk-failed-*")
	if err != nil {
		return command.WritingError(name, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// writeRefused writes the refused lines, whole or not at all. With none the
// file is empty, so that a script can rely on it.
func (b *batchRun) writeRefused(ctx context.Context) error {
	name := b.o.batch.failedTo
	if name == "" {
		return nil
	}
	return command.WriteFile(b.env, name, func(w io.Writer) error { return b.file.WriteRefused(ctx, b.source, w) })
}
