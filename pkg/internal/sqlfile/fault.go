package sqlfile

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Error is a fault of a file, with the next step for the user.
type Error struct {
	Kind   string // "journal"
	Path   string // "" for a file without a name
	Reason string // what is wrong and what to do about it
	Err    error  // the error of SQLite or of the system; nil if wsk itself refused the file
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Kind + ": " + e.Reason
	}
	return fmt.Sprintf("%s %s: %s", e.Kind, e.Path, e.Reason)
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns SQLite's extended result code of an error, or 0 if the error
// does not come from SQLite.
func Code(err error) int {
	var fault *sqlite.Error
	if errors.As(err, &fault) {
		return fault.Code()
	}
	return 0
}

// Busy reports whether another process holds the lock of the file.
func Busy(err error) bool { return Code(err)&0xff == codes.SQLITE_BUSY }

// Taken reports whether a row violates a UNIQUE or PRIMARY KEY constraint.
func Taken(err error) bool {
	switch Code(err) {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return true
	}
	return false
}

// Unconfirmed reports whether an fsync failed. The page cache and the disk may
// differ from then on, so a later fsync that succeeds proves nothing.
func Unconfirmed(err error) bool {
	switch Code(err) {
	case codes.SQLITE_IOERR_FSYNC, codes.SQLITE_IOERR_DIR_FSYNC:
		return true
	}
	return false
}

// Explain turns an error of SQLite or of the system into an [*Error] that names
// the file and the next step. It returns nil and an *Error unchanged.
func (k Kind) Explain(path string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	salvage, elsewhere := "", "choose another path with "+k.Flag
	if k.Salvage != "" {
		salvage = ": " + k.Salvage
	}
	text := reason(err)
	if errors.Is(err, ErrBroken) {
		return &Error{k.Name, path, text, err}
	}
	switch Code(err) & 0xff {
	case codes.SQLITE_NOTADB:
		text = "it is not a SQLite database" + salvage
	case codes.SQLITE_CORRUPT:
		text = "it is damaged" + salvage + "; then move it away"
	case codes.SQLITE_FULL:
		text = "the disk is full: make room, or " + elsewhere
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		text = fmt.Sprintf("another process held it for more than %s", BusyTimeout)
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		text = "it is not writable: change the mode of the file or its folder, or " + elsewhere
	case codes.SQLITE_CANTOPEN:
		text = "it cannot be opened or created: change the mode of the folder, or " + elsewhere
	case codes.SQLITE_IOERR:
		text = "reading or writing the disk failed: " + err.Error()
	}
	return &Error{k.Name, path, text, err}
}

// reason leaves out the path, which Error adds.
func reason(err error) string {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err.Error()
	}
	return err.Error()
}
