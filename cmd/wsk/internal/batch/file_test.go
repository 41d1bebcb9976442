package batch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
)

func TestRead(t *testing.T) {
	t.Parallel()
	t.Run("lines and their numbers", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("x", batch.MaxLine)
		for name, test := range map[string]struct {
			text string
			want []string // "" for one that is too long
			at   []int
		}{
			"blank lines are skipped":               {"a\n\n \t\r\nb\n", []string{"a", "b"}, []int{1, 4}},
			"a line end is not of the line":         {"a\r\nb\r\r\n", []string{"a", "b\r"}, []int{1, 2}},
			"the last line needs no end":            {"a\nb", []string{"a", "b"}, []int{1, 2}},
			"an empty file has none":                {"", nil, nil},
			"a line of the limit is taken":          {long + "\r\nb", []string{long, "b"}, []int{1, 2}},
			"a longer line comes without its bytes": {"a\nx" + long + "\nb\n", []string{"a", "", "b"}, []int{1, 2, 3}},
			"a longer one at the end is given":      {"a\n" + long + long, []string{"a", ""}, []int{1, 2}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := 0
				file, err := batch.Read(t.Context(), strings.NewReader(test.text), func(l batch.Line) bool {
					if n >= len(test.want) || l.N != test.at[n] || string(l.Text()) != test.want[n] || l.TooLong != (test.want[n] == "") {
						t.Errorf("line %d (too long: %v): %.40q", l.N, l.TooLong, l.Raw)
					}
					n++
					return true
				})
				if err != nil || n != len(test.want) || file.Len() != n {
					t.Errorf("%d lines, %v; want %d", n, err, len(test.want))
				}
				if sum := sha256.Sum256([]byte(test.text)); file.Digest != hex.EncodeToString(sum[:]) {
					t.Error("the digest is not that of the bytes")
				}
			})
		}
	})
	t.Run("the error of the reader or the context is returned", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		if _, err := batch.Read(t.Context(), io.MultiReader(strings.NewReader("a\nb"), failing{broken}), nil); !errors.Is(err, broken) {
			t.Errorf("the error is %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := batch.Read(ctx, strings.NewReader("a\n"), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestReadMemory reads lines of 64 MiB in all, among them
// one that has no end in sight.
//
//nolint:paralleltest // what other tests allocate would count
func TestReadMemory(t *testing.T) {
	line := bytes.Repeat([]byte("x"), 1<<10)
	line[len(line)-1] = '\n'
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	file, err := batch.Read(t.Context(), io.LimitReader(&repeating{line: line}, 64<<20), nil)
	if err != nil || file.Len() != 64<<10 {
		t.Fatal(file.Len(), err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the memory has grown by %d KiB", grown>>10)
	}
	runtime.KeepAlive(file)
}

type repeating struct {
	line []byte
	at   int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.line[r.at:])
	r.at = (r.at + n) % len(r.line)
	return n, nil
}

// FuzzLines checks that the lines are those of the file, whatever is in it.
func FuzzLines(f *testing.F) {
	f.Add("a\n\nb\r\n c")
	f.Fuzz(func(t *testing.T, text string) {
		var got []string
		_, err := batch.Read(t.Context(), strings.NewReader(text), func(l batch.Line) bool {
			for len(got) < l.N-1 {
				got = append(got, "")
			}
			got = append(got, string(l.Raw))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(text) {
			want := line
			if strings.TrimSpace(line) == "" {
				want = ""
			}
			if n < len(got) && got[n] != want || n >= len(got) && want != "" {
				t.Fatalf("line %d is not %q in %q", n+1, want, got)
			}
			n++
		}
	})
}
