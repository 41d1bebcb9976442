package command

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// Progress shows on stderr how far a long task is. It shows nothing when stderr is not
// a terminal, or within the first second.
type Progress struct {
	env   *Env
	line  func(spent time.Duration) string
	began time.Time

	mu    sync.Mutex
	shown time.Time
	row   ui.StatusLine
}

// progressAfter is the time before the first line is shown.
const progressAfter = time.Second

// NewProgress returns the progress of a task that begins now. line returns the text for
// the time that the task has taken.
func NewProgress(env *Env, line func(spent time.Duration) string) *Progress {
	now := env.Now()
	return &Progress{env: env, line: line, began: now, shown: now.Add(progressAfter - ui.StatusEvery), row: ui.StatusLine{W: env.Err}}
}

// Update shows the line again if it is due. It does not wait for another Update.
func (p *Progress) Update() {
	if !p.env.ErrTTY || !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	now := p.env.Now()
	if now.Sub(p.shown) < ui.StatusEvery {
		return
	}
	p.shown = now
	p.row.Draw(p.line(now.Sub(p.began)))
}

// Done removes the line.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row.Clear()
}

// ReadProgress shows how much of an input has been read and when the rest will be.
type ReadProgress struct {
	*Progress
	read atomic.Int64
}

// NewReadProgress returns the progress of reading an input; size is -1 if it is not
// known.
func NewReadProgress(env *Env, name string, size int64) *ReadProgress {
	p := &ReadProgress{}
	p.Progress = NewProgress(env, func(spent time.Duration) string {
		read := p.read.Load()
		rate := float64(read) / max(spent.Seconds(), 0.001)
		text := fmt.Sprintf("%s  %s  %s/s", ui.Clean(SourceName(name)), ui.Bytes(float64(read)), ui.Bytes(rate))
		if size > 0 && rate > 0 {
			left := time.Duration(float64(size-read) / rate * float64(time.Second))
			text += fmt.Sprintf("  %d %%  %s left", 100*read/size, ui.Duration(max(left, 0).Round(time.Second)))
		}
		return text
	})
	return p
}

// Add counts bytes that were read.
func (p *ReadProgress) Add(n int) {
	p.read.Add(int64(n))
	p.Update()
}
