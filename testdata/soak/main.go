//go:build linux

// Command soak holds wsk to its promise for a long time, on one machine:
//
//	soak [-for 1h] [-size 256] WSK
//
// It runs wsk listen, which journals and forwards to an app, and wsk sandbox, which
// keeps its state in a file and delivers to a subscriber, and sends to both. Trouble
// comes in turns: other programs read the journal, prune it, the disk is full, the
// servers are killed. After each turn everything that was answered with 200 has to be
// there once and to be handed on, the write-ahead logs have to be small, and the
// memory of the servers as well.
//
// It prints a line for each turn and a verdict. The exit code is 0 if all was kept, 1
// if not, and 2 if it could not be tried. The disk is a file system in memory of -size
// MiB; where none can be mounted, there is no full disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	length := flag.Duration("for", time.Hour, "how long")
	size := flag.Int("size", 512, "the size of the disk, in MiB")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "soak: give the path of wsk")
		os.Exit(2)
	}
	kept, err := soak(ctx, flag.Arg(0), *length, *size)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	case !kept:
		os.Exit(1)
	}
}

// soak takes turns until the time is over, and reports whether all was kept.
func soak(ctx context.Context, wsk string, length time.Duration, size int) (kept bool, err error) {
	wsk, err = filepath.Abs(wsk)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "wsk-soak-*")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	isSmall := true
	if fault := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); fault != nil {
		isSmall = false
		fmt.Println("no turn with a full disk: a file system could not be mounted:", fault)
	} else {
		defer func() { err = errors.Join(err, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
	}
	w, err := newWorld(ctx, wsk, dir)
	if err != nil {
		return false, err
	}
	defer w.close()
	turns := []turn{
		{"load alone", nil},
		{"readers", w.read},
		{"kills", w.kill},
		{"prune", w.prune},
		{"full disk", w.fillDisk},
		{"kills, readers, prune", w.everything},
	}
	if !isSmall {
		turns = append(turns[:4], turns[5])
	}
	// At least every turn once, and a minute for each if there is time.
	each := min(time.Minute, length/time.Duration(len(turns)))
	var history []checkpoint
	for end, i := time.Now().Add(length), 0; (i < len(turns) || time.Now().Before(end)) && ctx.Err() == nil; i++ {
		t := turns[i%len(turns)]
		c, err := w.take(ctx, t, each)
		if err != nil && ctx.Err() == nil {
			return false, fmt.Errorf("%s: %w", t.name, err)
		}
		if ctx.Err() == nil {
			fmt.Println(c)
			history = append(history, c)
		}
	}
	return verdict(history), nil
}

// turn is a kind of trouble, which ends with its context.
type turn struct {
	name string
	make func(context.Context) error
}

// verdict prints the sums, and reports whether all was kept.
func verdict(history []checkpoint) bool {
	var sum checkpoint
	for _, c := range history {
		sum.add(c)
	}
	sum.faults = append(sum.faults, growing(history)...)
	fmt.Printf("\n%d deliveries and %d events were answered with 200 in %d turns: %d and %d lost, %d stored twice, %d handed on again after %d kills and %d answers of 503; "+
		"logs up to %s, memory up to %s and %s\n", sum.deliveries, sum.events, len(history), sum.lost, sum.eventsLost, sum.twice, sum.again, sum.kills, sum.refused, mb(sum.log), mb(sum.listener), mb(sum.sandbox))
	for _, fault := range sum.faults {
		fmt.Println("  not kept:", fault)
	}
	kept := len(sum.faults) == 0 && sum.deliveries > 0 && sum.events > 0
	if kept {
		fmt.Println("kept")
	} else {
		fmt.Println("NOT KEPT")
	}
	return kept
}

// growing compares the memory of the servers in the second half with that in the
// first. A listener remembers 100,000 deliveries, and grows until it does.
func growing(history []checkpoint) (faults []string) {
	if len(history) < 12 {
		return nil
	}
	var early, late checkpoint
	for i, c := range history {
		if i < len(history)/2 {
			early.add(c)
		} else {
			late.add(c)
		}
	}
	const allowed = 32 << 20
	if late.listener > early.listener+allowed {
		faults = append(faults, fmt.Sprintf("the memory of listen grew from %s to %s", mb(early.listener), mb(late.listener)))
	}
	if late.sandbox > early.sandbox+allowed {
		faults = append(faults, fmt.Sprintf("the memory of sandbox grew from %s to %s", mb(early.sandbox), mb(late.sandbox)))
	}
	return faults
}

func mb(bytes int64) string { return fmt.Sprintf("%d MB", bytes/1e6) }
