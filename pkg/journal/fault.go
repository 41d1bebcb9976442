package journal

import (
	"errors"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// FileError says what is wrong with a journal's file, and what to do.
type FileError = sqlfile.Error

// ErrNotFound says that no record has that id.
var ErrNotFound = errors.New("no such record")

// ErrBroken says that the system could not promise that what was written is on
// disk. Nothing more is written by this process: the file's state is not known.
var ErrBroken = sqlfile.ErrBroken

// kind says what a journal is among SQLite's files.
func kind() sqlfile.Kind {
	return sqlfile.Kind{
		Name: "journal", Flag: "--journal", Absent: "wsk listen makes it",
		Salvage:       "wsk journal export --salvage writes what can still be read",
		ApplicationID: applicationID, Migrations: migrations(),
	}
}

// explain puts words to what SQLite says of a file.
func explain(path string, err error) error {
	if errors.Is(err, ErrBroken) || errors.Is(err, ErrNotFound) {
		return err
	}
	return kind().Explain(path, err)
}
