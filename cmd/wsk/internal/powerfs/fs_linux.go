// go-fuse does not compile for 386.

//go:build !386

package powerfs

import (
	"context"
	"os"
	"slices"
	gosync "sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// FS is a mounted file system.
type FS struct {
	Dir string // where it is mounted

	mu     gosync.Mutex
	log    Log
	nodes  int // the last number
	isCut  bool
	counts [operations]int
	inject func(Operation) Fault
}

// Mount mounts a disk with a content until the test ends. It skips the test where
// that is not possible, which takes Linux, /dev/fuse and the right to mount.
func Mount(tb testing.TB, content Image) *FS {
	tb.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		tb.Skip("FUSE is not available: " + err.Error())
	}
	if os.Getuid() != 0 {
		tb.Skip("mounting needs a privilege")
	}
	f := &FS{Dir: tb.TempDir(), log: Log{base: content}}
	forever := time.Hour // nobody else changes the file system
	root := &folder{fs: f}
	server, err := fs.Mount(f.Dir, root, &fs.Options{
		AttrTimeout: &forever, EntryTimeout: &forever,
		MountOptions: fuse.MountOptions{
			DirectMountStrict: true, // without the program fusermount
			FsName:            "powerfs", Name: "powerfs",
			DisableXAttrs: true,
		},
		OnAdd: func(ctx context.Context) { root.fill(ctx, content) },
	})
	if err != nil {
		tb.Skip("mounting FUSE: " + err.Error())
	}
	tb.Cleanup(func() {
		f.Cut()
		if err := server.Unmount(); err != nil {
			// Something is still open. It gets an error, or nobody asks.
			tb.Logf("unmounting: %v", err)
			_ = syscall.Unmount(f.Dir, syscall.MNT_DETACH)
		}
	})
	return f
}

// Mark records that something was promised, at this point of the log.
func (f *FS) Mark(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.record(event{kind: mark, name: name})
}

// Cut ends the power. Every later operation fails with EIO, and nothing more is
// recorded.
func (f *FS) Cut() *Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.isCut = true
	return &Log{base: f.log.base, events: f.log.events}
}

// An Operation is about to take place.
type Operation struct {
	Kind OperationKind
	N    int    // how many of this kind there were since the mount, this one included
	Name string // the last part of the path that the file or folder was created with; "" is the root
	Size int    // of a write, in bytes
}

// OperationKind is a kind of operations.
type OperationKind int

// The operations that can fail. Sync and SyncDir are fsync and fdatasync of a file
// and of a folder.
const (
	Write OperationKind = iota
	Sync
	SyncDir
	Truncate
	Create // of a file or folder
	Unlink
	Rename

	operations = int(Rename) + 1
)

// Fault is what happens instead of an operation. The zero value is the operation.
type Fault struct {
	Err   syscall.Errno // it fails with this error
	Short int           // if it is a write, only so many bytes are written; 0: all of them
	Lie   bool          // it reports success, and nothing is synced
}

// Inject has decide called before each operation; nil is an end to that. decide
// must not use the file system.
func (f *FS) Inject(decide func(Operation) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inject = decide
}

// Count returns how many operations of a kind there were.
func (f *FS) Count(kind OperationKind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[kind]
}

// begin returns what happens to an operation. f.mu is held.
func (f *FS) begin(kind OperationKind, name string, size int) Fault {
	if f.isCut {
		return Fault{Err: syscall.EIO}
	}
	f.counts[kind]++
	if f.inject == nil {
		return Fault{}
	}
	return f.inject(Operation{Kind: kind, N: f.counts[kind], Name: name, Size: size})
}

// record appends an event. f.mu is held.
func (f *FS) record(e event) {
	if !f.isCut {
		f.log.events = append(f.log.events, e)
	}
}

// folder is a folder. The tree of its entries is go-fuse's.
type folder struct {
	fs.Inode

	fs     *FS
	number int
	name   string
}

var _ interface {
	fs.NodeCreater
	fs.NodeMkdirer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeFsyncer
	fs.NodeGetattrer
	fs.NodeSetattrer
} = (*folder)(nil)

// fill adds a content to the root.
func (d *folder) fill(ctx context.Context, content Image) {
	folders := map[int]*folder{0: d}
	content.each(func(node, dir int, name string, data []byte, isFolder bool) {
		d.fs.nodes = node
		var child *fs.Inode
		if isFolder {
			folders[node] = &folder{fs: d.fs, number: node, name: name}
			child = d.NewPersistentInode(ctx, folders[node], fs.StableAttr{Mode: fuse.S_IFDIR})
		} else {
			child = d.NewPersistentInode(ctx, &file{fs: d.fs, number: node, name: name, data: slices.Clone(data)}, fs.StableAttr{Mode: fuse.S_IFREG})
		}
		folders[dir].AddChild(name, child, true)
	})
}

// Create implements [fs.NodeCreater].
func (d *folder) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	if fault := d.fs.begin(Create, name, 0); fault.Err != 0 {
		return nil, nil, 0, fault.Err
	}
	d.fs.nodes++
	child := &file{fs: d.fs, number: d.fs.nodes, name: name}
	d.fs.record(event{kind: create, node: child.number, dir: d.number, name: name})
	child.attributes(&out.Attr)
	return d.NewPersistentInode(ctx, child, fs.StableAttr{Mode: fuse.S_IFREG}), nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Mkdir implements [fs.NodeMkdirer].
func (d *folder) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	if fault := d.fs.begin(Create, name, 0); fault.Err != 0 {
		return nil, fault.Err
	}
	d.fs.nodes++
	child := &folder{fs: d.fs, number: d.fs.nodes, name: name}
	d.fs.record(event{kind: create, node: child.number, folder: true, dir: d.number, name: name})
	out.Mode = fuse.S_IFDIR | 0o700
	return d.NewPersistentInode(ctx, child, fs.StableAttr{Mode: fuse.S_IFDIR}), 0
}

// Unlink implements [fs.NodeUnlinker].
func (d *folder) Unlink(_ context.Context, name string) syscall.Errno {
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	if fault := d.fs.begin(Unlink, name, 0); fault.Err != 0 {
		return fault.Err
	}
	d.fs.record(event{kind: unlink, dir: d.number, name: name})
	return 0
}

// Rmdir implements [fs.NodeRmdirer].
func (d *folder) Rmdir(ctx context.Context, name string) syscall.Errno {
	if child := d.GetChild(name); child != nil && len(child.Children()) > 0 {
		return syscall.ENOTEMPTY
	}
	return d.Unlink(ctx, name)
}

// Rename implements [fs.NodeRenamer].
func (d *folder) Rename(_ context.Context, name string, to fs.InodeEmbedder, toName string, flags uint32) syscall.Errno {
	target, ok := to.(*folder)
	child := d.GetChild(name)
	if !ok || child == nil || flags != 0 {
		return syscall.EINVAL
	}
	d.fs.mu.Lock()
	defer d.fs.mu.Unlock()
	if fault := d.fs.begin(Rename, toName, 0); fault.Err != 0 {
		return fault.Err
	}
	e := event{kind: rename, dir: d.number, name: name, toDir: target.number, toName: toName}
	switch moved := child.Operations().(type) {
	case *file:
		e.node = moved.number
	case *folder:
		e.node = moved.number
	}
	d.fs.record(e)
	return 0
}

// Fsync implements [fs.NodeFsyncer].
func (d *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return d.fs.sync(SyncDir, event{kind: syncDir, node: d.number}, d.name)
}

// Getattr implements [fs.NodeGetattrer].
func (d *folder) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = fuse.S_IFDIR | 0o700
	return 0
}

// Setattr implements [fs.NodeSetattrer]. Modes and times are not kept.
func (d *folder) Setattr(ctx context.Context, handle fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return d.Getattr(ctx, handle, out)
}

// sync syncs a file or a folder.
func (f *FS) sync(kind OperationKind, e event, name string) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault := f.begin(kind, name, 0)
	if fault.Lie {
		return 0
	}
	e.failed = fault.Err != 0
	f.record(e)
	return fault.Err
}

// file is a file, with the content that programs see.
type file struct {
	fs.Inode

	fs     *FS
	number int
	name   string
	data   []byte
}

var _ interface {
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeGetattrer
	fs.NodeSetattrer
} = (*file)(nil)

// Open implements [fs.NodeOpener].
func (f *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Read implements [fs.NodeReader].
func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.isCut {
		return nil, syscall.EIO
	}
	n := 0
	if offset < int64(len(f.data)) {
		n = copy(dest, f.data[offset:])
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// Write implements [fs.NodeWriter].
func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	fault := f.fs.begin(Write, f.name, len(data))
	if fault.Err != 0 {
		return 0, fault.Err
	}
	if fault.Short > 0 {
		data = data[:min(fault.Short, len(data))]
	}
	e := event{kind: write, node: f.number, offset: offset, data: slices.Clone(data)}
	f.change(e)
	return uint32(len(data)), 0 //nolint:gosec // the kernel writes at most 1 MiB
}

// change records and carries out a write or a truncation.
func (f *file) change(e event) {
	f.fs.record(e)
	c := content{data: f.data}
	c.change(e)
	f.data = c.data
}

// Fsync implements [fs.NodeFsyncer].
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return f.fs.sync(Sync, event{kind: sync, node: f.number}, f.name)
}

// Getattr implements [fs.NodeGetattrer].
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.attributes(&out.Attr)
	return 0
}

func (f *file) attributes(out *fuse.Attr) {
	out.Mode = fuse.S_IFREG | 0o600
	out.Size = uint64(len(f.data))
}

// Setattr implements [fs.NodeSetattrer]. Modes and times are not kept.
func (f *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		if fault := f.fs.begin(Truncate, f.name, 0); fault.Err != 0 {
			return fault.Err
		}
		f.change(event{kind: truncate, node: f.number, size: int64(size)}) //nolint:gosec // a file of a test
	}
	f.attributes(&out.Attr)
	return 0
}
