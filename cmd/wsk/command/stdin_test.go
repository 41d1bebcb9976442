package command

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestHasData(t *testing.T) {
	t.Parallel()
	pipe := func(write string, closed bool) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			t.Helper()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _, _ = r.Close(), w.Close() })
			if _, err := w.WriteString(write); err != nil {
				t.Fatal(err)
			}
			if closed {
				_ = w.Close()
			}
			return r
		}
	}
	file := func(text string, at int64) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			t.Helper()
			name := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			if _, err := f.Seek(at, 0); err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	null := func(t *testing.T) *os.File {
		t.Helper()
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	for name, test := range map[string]struct {
		open func(*testing.T) *os.File
		want bool
	}{
		"a pipe with a byte":                {pipe("x", false), true},
		"a pipe with a byte that is closed": {pipe("x", true), true},
		"a pipe that is closed":             {pipe("", true), false},
		"a pipe that nobody writes to":      {pipe("", false), false},
		"a file":                            {file("x", 0), true},
		"an empty file":                     {file("", 0), false},
		"a file that was read to its end":   {file("x", 1), false},
		"the null device":                   {null, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := hasData(test.open(t), time.Millisecond); got != test.want {
				t.Errorf("hasData %t, want %t", got, test.want)
			}
		})
	}
}
