// Package powerfs is a file system for tests that loses power: a program runs on
// it, and out come the states in which a power failure could have left the disk.
//
//	disk := powerfs.Mount(t, nil) // skips the test where FUSE cannot be mounted
//	run(program, disk.Dir)        // with disk.Mark(id) for each promise that it made
//	log := disk.Cut()             // from now on, every operation fails
//	for seed := range uint64(100) {
//		crash := log.Crash(int(seed)%(log.Len()+1), seed)
//		check(crash.Image, crash.Marks) // what was promised by then is in the image
//	}
//
// A write, a truncation, and the creation, the removal and the renaming of a
// directory entry are certain to be on the disk after the fsync of their file or
// of their folder, and no earlier. As in ALICE (Pillai et al., OSDI 2014) and
// CrashMonkey (Mohan et al., OSDI 2018), one run is recorded, and the states after
// a failure at any of its operations are derived from the recording: what was not
// synced is lost, kept, kept up to some point, kept in any selection, or, as in
// the crash tests of SQLite's test_vfs, torn at the sectors of 512 bytes. What a
// lost write should have filled is zero or garbage. An fsync that fails leaves
// what it should have written uncertain for ever, whatever later ones report, as
// Linux does.
//
// The file system is stricter than ext4, where the fsync of a new file also stores
// the file's name. A rename is atomic, and a sector is written whole or not at
// all; SQLite relies on both.
//
// It also fails on demand, see [FS.Inject]. A program that maps a file into its
// memory must run in another process than the tests: a page fault that waits for
// the file system stops Go's scheduler.
//
// Only tests import this package. This package is experimental: its API may
// change.
package powerfs

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// sectorSize is the size in bytes of what a disk writes whole or not at all.
const sectorSize = 512

// The kinds of events.
type kind int

const (
	create kind = iota // of a file or a folder, in a folder
	unlink
	rename
	write
	truncate
	sync
	syncDir
	mark
)

// event is an operation that has succeeded, or a mark.
type event struct {
	kind   kind
	node   int    // the file or folder; 0 is the root
	folder bool   // the node that is created is a folder
	dir    int    // the folder of the entry
	name   string // the entry's, or the mark's
	toDir  int    // of a rename
	toName string
	offset int64
	data   []byte // of a write
	size   int64  // of a truncation
	failed bool   // a sync: it reported an error
}

// Log is the recording of what happened between [Mount] and [FS.Cut].
type Log struct {
	base   Image
	events []event
}

// Len returns the number of events: operations that changed or synced something,
// and marks.
func (l *Log) Len() int { return len(l.events) }

// Crash is what a power failure leaves.
type Crash struct {
	Image Image
	Marks []string // made before the failure
	Fate  string   // of what was not synced, for messages
}

// Crash returns the state after a power failure behind the first n events. What
// happens to operations that were not synced depends on seed.
func (l *Log) Crash(n int, seed uint64) Crash {
	rng := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // it repeats on purpose
	d := newDevice(l.base)
	c := Crash{}
	for i, e := range l.events[:n] {
		if e.kind == mark {
			c.Marks = append(c.Marks, e.name)
			continue
		}
		d.apply(i, e)
	}
	f := newFate(rng, d.unsynced())
	c.Fate = fmt.Sprintf("event %d of %d, seed %d: %s", n, len(l.events), seed, f.name)
	c.Image = d.fail(f)
	return c
}

// fate decides what happens to operations that were not synced.
type fate struct {
	rng     *rand.Rand
	name    string
	keep    func(event int) bool
	tear    func(event int) bool // a write that is not kept leaves some of its sectors
	garbage bool                 // is what fills the holes
}

// newFate returns one of the fates, for operations with these event numbers.
func newFate(rng *rand.Rand, unsynced []int) fate {
	f := fate{rng: rng, garbage: rng.IntN(2) == 0, tear: func(int) bool { return false }}
	coin := func(int) bool { return rng.IntN(2) == 0 }
	switch rng.IntN(5) {
	case 0:
		f.name, f.keep = "all that is not synced is lost", func(int) bool { return false }
	case 1:
		f.name, f.keep = "all is kept", func(int) bool { return true }
	case 2:
		last := -1
		if len(unsynced) > 0 {
			last = unsynced[rng.IntN(len(unsynced))]
		}
		f.name, f.keep, f.tear = "it is kept in order, up to a torn write", func(i int) bool { return i < last }, func(i int) bool { return i == last }
	case 3:
		f.name, f.keep = "some of it is kept", coin
	case 4:
		f.name, f.keep, f.tear = "some of it is kept, and some torn", coin, coin
	}
	return f
}

// device is the durable state of a disk, and the operations that are not synced.
type device struct {
	files   map[int]*content
	folders map[int]map[string]int // the entries
	pending []numbered             // changes of entries
}

type numbered struct {
	event
	i int
}

// content is the durable content of a file.
type content struct {
	data    []byte
	pending []change
}

// change is a write or a truncation. Once it is synced it is certain, but stays in
// the list behind an uncertain one.
type change struct {
	numbered
	synced bool
	failed bool // the sync failed: no later one is about it
}

func newDevice(base Image) *device {
	d := &device{files: map[int]*content{}, folders: map[int]map[string]int{0: {}}}
	base.each(func(node, dir int, name string, data []byte, folder bool) {
		d.folders[dir][name] = node
		if folder {
			d.folders[node] = map[string]int{}
		} else {
			d.files[node] = &content{data: slices.Clone(data)}
		}
	})
	return d
}

func (d *device) apply(i int, e event) {
	switch e.kind {
	case create, unlink, rename:
		if e.kind == create && e.folder {
			d.folders[e.node] = map[string]int{}
		} else if e.kind == create {
			d.files[e.node] = &content{}
		}
		d.pending = append(d.pending, numbered{e, i})
	case write, truncate:
		f := d.files[e.node]
		f.pending = append(f.pending, change{numbered: numbered{e, i}})
	case sync:
		d.files[e.node].sync(e.failed)
	case syncDir:
		if e.failed {
			return
		}
		d.pending = slices.DeleteFunc(d.pending, func(p numbered) bool {
			if p.dir != e.node && (p.kind != rename || p.toDir != e.node) {
				return false
			}
			d.enter(p.event)
			return true
		})
	case mark:
	}
}

// enter changes a durable entry.
func (d *device) enter(e event) {
	switch e.kind {
	case create:
		d.folders[e.dir][e.name] = e.node
	case unlink:
		delete(d.folders[e.dir], e.name)
	case rename:
		delete(d.folders[e.dir], e.name)
		d.folders[e.toDir][e.toName] = e.node
	}
}

func (f *content) sync(failed bool) {
	for i := range f.pending {
		c := &f.pending[i]
		c.failed = c.failed || failed && !c.synced
		c.synced = c.synced || !c.failed
	}
	certain := 0
	for certain < len(f.pending) && f.pending[certain].synced {
		f.change(f.pending[certain].event)
		certain++
	}
	f.pending = slices.Delete(f.pending, 0, certain)
}

// change carries out a write or a truncation.
func (f *content) change(e event) {
	if e.kind == truncate {
		f.resize(e.size, nil)
		return
	}
	f.resize(max(int64(len(f.data)), e.offset+int64(len(e.data))), nil)
	copy(f.data[e.offset:], e.data)
}

// resize fills what is added with zeros, or with garbage if rng is not nil.
func (f *content) resize(size int64, rng *rand.Rand) {
	old := int64(len(f.data))
	if size <= old {
		f.data = f.data[:size]
		return
	}
	f.data = slices.Grow(f.data, int(size-old))[:size]
	clear(f.data[old:])
	for i := old; rng != nil && i < size; i++ {
		f.data[i] = byte(rng.Uint32())
	}
}

// tear writes some of the sectors of a write. The file may get its new length
// without its new content.
func (f *content) tear(e event, t fate) {
	var filler *rand.Rand
	if t.garbage {
		filler = t.rng
	}
	end := e.offset + int64(len(e.data))
	for at := e.offset; at < end; {
		next := min(at-at%sectorSize+sectorSize, end)
		if t.rng.IntN(2) == 0 {
			f.resize(max(int64(len(f.data)), next), filler)
			copy(f.data[at:next], e.data[at-e.offset:])
		}
		at = next
	}
	if t.rng.IntN(2) == 0 {
		f.resize(max(int64(len(f.data)), end), filler)
	}
}

// unsynced returns the numbers of the uncertain operations, in order.
func (d *device) unsynced() (events []int) {
	for _, p := range d.pending {
		events = append(events, p.i)
	}
	for _, f := range d.files {
		for _, c := range f.pending {
			if !c.synced {
				events = append(events, c.i)
			}
		}
	}
	slices.Sort(events)
	return events
}

// fail ends the power. The order in which it asks the fate is that of the events.
func (d *device) fail(f fate) Image {
	for _, p := range d.pending {
		if f.keep(p.i) {
			d.enter(p.event)
		}
	}
	nodes := make([]int, 0, len(d.files))
	for node := range d.files {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	for _, node := range nodes {
		file := d.files[node]
		for _, c := range file.pending {
			switch {
			case c.synced || f.keep(c.i):
				file.change(c.event)
			case c.kind == write && f.tear(c.i):
				file.tear(c.event, f)
			}
		}
	}
	image := Image{}
	d.collect(image, 0, "")
	return image
}

// collect adds a folder to an image.
func (d *device) collect(image Image, folder int, path string) {
	for name, node := range d.folders[folder] {
		if file := d.files[node]; file != nil {
			image[path+name] = file.data
			continue
		}
		image[path+name+"/"] = nil
		d.collect(image, node, path+name+"/")
	}
}
