package journal

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// FileError says what is wrong with a journal's file, and what to do.
type FileError struct {
	Path   string
	Reason string
	Err    error // what SQLite or the system said; may be nil
}

func (e *FileError) Error() string { return fmt.Sprintf("journal %s: %s", e.Path, e.Reason) }
func (e *FileError) Unwrap() error { return e.Err }

// ErrNotFound says that no record has that id.
var ErrNotFound = errors.New("no such record")

// ErrBroken says that the system could not promise that what was written is on
// disk. Nothing more is written by this process: the file's state is not known.
var ErrBroken = errors.New("the disk did not confirm a write")

// errUnconfirmed stands for a failed fsync where a test has no disk that fails.
var errUnconfirmed = errors.New("fsync failed")

// code is SQLite's extended code of an error, or 0.
func code(err error) int {
	var fault *sqlite.Error
	if errors.As(err, &fault) {
		return fault.Code()
	}
	return 0
}

// explain puts words to what SQLite says of a file.
func explain(path string, err error) error {
	var known *FileError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known), errors.Is(err, ErrBroken), errors.Is(err, ErrNotFound):
		return err
	}
	switch full := code(err); full & 0xff {
	case codes.SQLITE_NOTADB:
		return &FileError{path, "it is no SQLite database: wsk journal export --salvage writes what can still be read", err}
	case codes.SQLITE_CORRUPT:
		return &FileError{path, "it is damaged: wsk journal export --salvage writes what can still be read; then move it away", err}
	case codes.SQLITE_FULL:
		return &FileError{path, "the disk is full: make room, or choose another place with --journal", err}
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return &FileError{path, fmt.Sprintf("another process held it for more than %s", busyTimeout), err}
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return &FileError{path, "it cannot be written: mend its mode or its folder's, or choose another place with --journal", err}
	case codes.SQLITE_CANTOPEN:
		return &FileError{path, "it cannot be opened or made there: mend the folder's mode, or choose another place with --journal", err}
	case codes.SQLITE_IOERR:
		return &FileError{path, "the disk has a fault: " + err.Error(), err}
	}
	return &FileError{path, reason(err), err}
}

// reason leaves the path out, which FileError says.
func reason(err error) string {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err.Error()
	}
	return err.Error()
}

// unconfirmed reports whether the disk failed to confirm a write. What the
// page cache holds then is not what the disk holds.
func unconfirmed(err error) bool {
	if errors.Is(err, errUnconfirmed) {
		return true
	}
	switch code(err) {
	case codes.SQLITE_IOERR_FSYNC, codes.SQLITE_IOERR_DIR_FSYNC:
		return true
	}
	return false
}
