//go:build !386

package powerfs_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wskdev/wsk/cmd/wsk/internal/powerfs"
)

// sectors is a content of n sectors of the same byte.
func sectors(b byte, n int) []byte { return bytes.Repeat([]byte{b}, 512*n) }

// describe writes an image as "a=oo b= c/": a letter for each sector of a file, "."
// for zeros and "?" for garbage.
func describe(image powerfs.Image) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(image)) {
		if strings.HasSuffix(name, "/") {
			parts = append(parts, name)
			continue
		}
		text := name + "="
		for sector := range slices.Chunk(image[name], 512) {
			switch b := sector[0]; {
			case bytes.Count(sector, []byte{b}) < len(sector):
				text += "?"
			case b == 0:
				text += "."
			default:
				text += string(rune(b))
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// disk is what a test does to a disk. The first error is kept.
type disk struct {
	*powerfs.FS

	err error
}

func (d *disk) do(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *disk) path(name string) string { return filepath.Join(d.Dir, name) }

// write writes a content at an offset, without an fsync.
func (d *disk) write(name string, offset int64, content []byte) {
	file, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteAt(content, offset)
		err = errors.Join(err, file.Close())
	}
	d.do(err)
}

// sync syncs a file or a folder; "" is the root.
func (d *disk) sync(name string) error {
	file, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func (d *disk) synced(name string) { d.do(d.sync(name)) }

// outcomes returns what can be on the disk after a power failure at the end of log.
func outcomes(log *powerfs.Log) []string {
	found := map[string]bool{}
	for seed := range uint64(500) {
		found[describe(log.Crash(log.Len(), seed).Image)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestCrash(t *testing.T) {
	t.Parallel()
	old := powerfs.Image{"a": sectors('o', 2)}
	for name, test := range map[string]struct {
		content powerfs.Image
		do      func(*disk)
		want    []string
	}{
		"nothing happens":                     {old, func(*disk) {}, []string{"a=oo"}},
		"a write is lost, kept or torn":       {old, func(d *disk) { d.write("a", 0, sectors('n', 2)) }, []string{"a=nn", "a=no", "a=on", "a=oo"}},
		"a write is certain after its fsync":  {old, func(d *disk) { d.write("a", 0, sectors('n', 2)); d.synced("a") }, []string{"a=nn"}},
		"a sector is not torn":                {old, func(d *disk) { d.write("a", 512, sectors('n', 1)) }, []string{"a=on", "a=oo"}},
		"writes change places":                {old, func(d *disk) { d.write("a", 0, sectors('1', 1)); d.write("a", 512, sectors('2', 1)) }, []string{"a=12", "a=1o", "a=o2", "a=oo"}},
		"a later write may win or be lost":    {old, func(d *disk) { d.write("a", 0, sectors('1', 1)); d.write("a", 0, sectors('2', 1)) }, []string{"a=1o", "a=2o", "a=oo"}},
		"the end grows with or without bytes": {old, func(d *disk) { d.write("a", 1024, sectors('n', 1)) }, []string{"a=oo", "a=oo.", "a=oo?", "a=oon"}},
		"a truncation":                        {old, func(d *disk) { d.do(os.Truncate(d.path("a"), 512)) }, []string{"a=o", "a=oo"}},
		"a truncation is certain after its fsync": {old, func(d *disk) {
			d.do(os.Truncate(d.path("a"), 512))
			d.synced("a")
		}, []string{"a=o"}},
		"a new name": {nil, func(d *disk) { d.write("a", 0, sectors('n', 1)); d.synced("a") }, []string{"", "a=n"}},
		"a new name is certain after the fsync of its folder": {nil, func(d *disk) {
			d.write("a", 0, sectors('n', 1))
			d.synced("a")
			d.synced("")
		}, []string{"a=n"}},
		"the fsync of a folder syncs no file": {nil, func(d *disk) { d.write("a", 0, sectors('n', 1)); d.synced("") }, []string{"a=", "a=.", "a=?", "a=n"}},
		"the fsync of a folder is not about its own name": {nil, func(d *disk) {
			d.do(os.Mkdir(d.path("d"), 0o700))
			d.write("d/a", 0, nil)
			d.synced("d")
		}, []string{"", "d/ d/a="}},
		"a removal": {old, func(d *disk) { d.do(os.Remove(d.path("a"))) }, []string{"", "a=oo"}},
		"a removal is certain after the fsync of the folder": {old, func(d *disk) { d.do(os.Remove(d.path("a"))); d.synced("") }, []string{""}},
		"a rename is whole": {old, func(d *disk) { d.do(os.Rename(d.path("a"), d.path("b"))) }, []string{"a=oo", "b=oo"}},
		"a rename may come before what is written": {powerfs.Image{"a": sectors('o', 1)}, func(d *disk) {
			d.write("b", 0, nil)
			d.synced("")
			d.write("b", 0, sectors('n', 1))
			d.do(os.Rename(d.path("b"), d.path("a")))
			d.synced("")
		}, []string{"a=", "a=.", "a=?", "a=n"}},
		"a failed fsync leaves a write uncertain for ever": {old, func(d *disk) {
			d.Inject(func(o powerfs.Operation) powerfs.Fault {
				if o.Kind == powerfs.Sync && o.N == 1 {
					return powerfs.Fault{Err: syscall.EIO}
				}
				return powerfs.Fault{}
			})
			d.write("a", 0, sectors('n', 1))
			if err := d.sync("a"); !errors.Is(err, syscall.EIO) {
				d.do(errors.New("the fsync did not fail"))
			}
			d.write("a", 512, sectors('m', 1))
			d.synced("a")
		}, []string{"a=nm", "a=om"}},
		"a disk that lies": {old, func(d *disk) {
			d.Inject(func(o powerfs.Operation) powerfs.Fault { return powerfs.Fault{Lie: o.Kind == powerfs.Sync} })
			d.write("a", 0, sectors('n', 1))
			d.synced("a")
		}, []string{"a=no", "a=oo"}},
		"after the power has gone": {old, func(d *disk) {
			d.Cut()
			if file, err := os.OpenFile(d.path("a"), os.O_RDWR, 0); err == nil {
				if _, err := file.WriteAt(sectors('n', 1), 0); !errors.Is(err, syscall.EIO) {
					d.do(errors.New("a write did not fail"))
				}
				_ = file.Close()
			}
		}, []string{"a=oo"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &disk{FS: powerfs.Mount(t, test.content)}
			test.do(d)
			if d.err != nil {
				t.Fatal(d.err)
			}
			if got := outcomes(d.Cut()); !slices.Equal(got, test.want) {
				t.Errorf("the disk has %q, want %q", got, test.want)
			}
		})
	}
}

// A failure in the middle knows nothing of what came later, and repeats.
func TestCrash_at_each_event(t *testing.T) {
	t.Parallel()
	d := &disk{FS: powerfs.Mount(t, powerfs.Image{"a": sectors('o', 1)})}
	d.write("a", 0, sectors('1', 1))
	d.synced("a")
	d.Mark("one")
	d.write("a", 0, sectors('2', 1))
	d.synced("a")
	d.Mark("two")
	log := d.Cut()
	if d.err != nil {
		t.Fatal(d.err)
	}
	for n := range log.Len() + 1 {
		for seed := range uint64(50) {
			crash := log.Crash(n, seed)
			got, marks := describe(crash.Image), len(crash.Marks)
			if marks == 1 && got == "a=o" || marks == 2 && got != "a=2" || n < 3 && got == "a=2" || n == 0 && got != "a=o" {
				t.Errorf("%s: %s after the marks %q", crash.Fate, got, crash.Marks)
			}
			if again := log.Crash(n, seed); !reflect.DeepEqual(crash, again) {
				t.Errorf("%s: another result with the same seed", crash.Fate)
			}
		}
	}
}

func TestInject(t *testing.T) {
	t.Parallel()
	d := &disk{FS: powerfs.Mount(t, powerfs.Image{"d/": nil, "d/a": sectors('o', 1)})}
	var seen []powerfs.Operation
	d.Inject(func(o powerfs.Operation) powerfs.Fault {
		seen = append(seen, o)
		if o.Kind == powerfs.Write {
			return powerfs.Fault{Short: 5}
		}
		return powerfs.Fault{Err: syscall.ENOSPC}
	})
	file, err := os.OpenFile(d.path("d/a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it is checked what it contains
	for range 2 {
		// Not os.File, which writes the rest by another call.
		if n, err := syscall.Pwrite(int(file.Fd()), []byte("0123456789"), 0); n != 5 || err != nil { //nolint:gosec // a descriptor is small
			t.Errorf("%d bytes are written, %v; want 5", n, err)
		}
	}
	for _, err := range []error{
		file.Sync(), d.sync("d"), d.sync(""), file.Truncate(3),
		os.Mkdir(d.path("d/e"), 0o700), os.Remove(d.path("d/a")), os.Rename(d.path("d/a"), d.path("b")),
	} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the error is %v", err)
		}
	}
	want := []powerfs.Operation{
		{powerfs.Write, 1, "a", 10}, {powerfs.Write, 2, "a", 10},
		{powerfs.Sync, 1, "a", 0}, {powerfs.SyncDir, 1, "d", 0}, {powerfs.SyncDir, 2, "", 0}, {powerfs.Truncate, 1, "a", 0},
		{powerfs.Create, 1, "e", 0}, {powerfs.Unlink, 1, "a", 0}, {powerfs.Rename, 1, "b", 0},
	}
	d.Inject(nil)
	if !slices.Equal(seen, want) {
		t.Errorf("the operations are %v, want %v", seen, want)
	}
	if got, err := os.ReadFile(d.path("d/a")); err != nil || string(got[:6]) != "01234o" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

func TestImage_Write(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	image := powerfs.Image{"a": sectors('o', 1), "d/": nil, "d/e/": nil, "d/e/b": {}}
	if err := image.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || !bytes.Equal(got, image["a"]) {
		t.Errorf("a has %d bytes, %v", len(got), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "d", "e", "b")); err != nil || info.Size() != 0 || info.Mode() != 0o600 {
		t.Errorf("d/e/b: %v, %v", info, err)
	}
}
