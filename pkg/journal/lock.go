package journal

import (
	"context"

	"github.com/wskdev/wsk/pkg/internal/sqlfile"
)

// ErrLocked says that another process holds a lock.
var ErrLocked = sqlfile.ErrLocked

// Lock takes a lock of that name, which may hold letters, digits and dashes,
// or returns [ErrLocked] at once. It ends with release, and with the process,
// however that ends. It is SQLite's own lock on a file beside the journal, so
// it works wherever the journal does.
func (j *Journal) Lock(ctx context.Context, name string) (release func() error, err error) {
	return sqlfile.Lock(ctx, j.path+"-"+name+".lock", kind())
}
