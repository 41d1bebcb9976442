package sqlfile

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Error says what is wrong with a file, and what to do.
type Error struct {
	Kind   string // "journal"
	Path   string
	Reason string
	Err    error // what SQLite or the system said; may be nil
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Kind + ": " + e.Reason
	}
	return fmt.Sprintf("%s %s: %s", e.Kind, e.Path, e.Reason)
}

func (e *Error) Unwrap() error { return e.Err }

// Code is SQLite's extended code of an error, or 0.
func Code(err error) int {
	var fault *sqlite.Error
	if errors.As(err, &fault) {
		return fault.Code()
	}
	return 0
}

// Busy reports that another process holds the file.
func Busy(err error) bool { return Code(err)&0xff == codes.SQLITE_BUSY }

// Taken reports that a row breaks a UNIQUE or PRIMARY KEY rule.
func Taken(err error) bool {
	switch Code(err) {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		return true
	}
	return false
}

// Unconfirmed reports whether the disk failed to confirm a write. What the
// page cache holds then is not what the disk holds.
func Unconfirmed(err error) bool {
	switch Code(err) {
	case codes.SQLITE_IOERR_FSYNC, codes.SQLITE_IOERR_DIR_FSYNC:
		return true
	}
	return false
}

// Explain puts words to what SQLite says of a file. An *Error stays as it is.
func (k Kind) Explain(path string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	salvage, elsewhere := "", "choose another place with "+k.Flag
	if k.Salvage != "" {
		salvage = ": " + k.Salvage
	}
	said := reason(err)
	switch Code(err) & 0xff {
	case codes.SQLITE_NOTADB:
		said = "it is no SQLite database" + salvage
	case codes.SQLITE_CORRUPT:
		said = "it is damaged" + salvage + "; then move it away"
	case codes.SQLITE_FULL:
		said = "the disk is full: make room, or " + elsewhere
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		said = fmt.Sprintf("another process held it for more than %s", BusyTimeout)
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		said = "it cannot be written: mend its mode or its folder's, or " + elsewhere
	case codes.SQLITE_CANTOPEN:
		said = "it cannot be opened or made there: mend the folder's mode, or " + elsewhere
	case codes.SQLITE_IOERR:
		said = "the disk has a fault: " + err.Error()
	}
	return &Error{k.Name, path, said, err}
}

// reason leaves the path out, which Error says.
func reason(err error) string {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err.Error()
	}
	return err.Error()
}
