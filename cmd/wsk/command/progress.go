package command

import (
	"fmt"
	"sync"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// Progress shows on stderr how much of a long input has been read and when the
// rest will be. It shows nothing when stderr is not a terminal, or within the first
// second.
type Progress struct {
	env   *Env
	name  string
	size  int64 // bytes in total; -1 if not known
	began time.Time

	mu    sync.Mutex
	read  int64
	shown time.Time
	row   ui.StatusLine
}

// progressAfter is the time before the first line is shown.
const progressAfter = time.Second

// NewProgress returns the progress of reading an input; size is -1 if it is not
// known.
func NewProgress(env *Env, name string, size int64) *Progress {
	now := env.Now()
	return &Progress{env: env, name: name, size: size, began: now, shown: now.Add(progressAfter - ui.StatusEvery), row: ui.StatusLine{W: env.Err}}
}

// Add counts bytes that were read.
func (p *Progress) Add(n int) {
	if !p.env.ErrTTY {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read += int64(n)
	now := p.env.Now()
	if now.Sub(p.shown) < ui.StatusEvery {
		return
	}
	p.shown = now
	p.row.Draw(p.line(now.Sub(p.began)))
}

func (p *Progress) line(spent time.Duration) string {
	rate := float64(p.read) / max(spent.Seconds(), 0.001)
	text := fmt.Sprintf("%s  %s  %s/s", ui.Clean(SourceName(p.name)), ui.Bytes(float64(p.read)), ui.Bytes(rate))
	if p.size > 0 && rate > 0 {
		left := time.Duration(float64(p.size-p.read) / rate * float64(time.Second))
		text += fmt.Sprintf("  %d %%  %s left", 100*p.read/p.size, max(left, 0).Round(time.Second))
	}
	return text
}

// Done removes the line.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row.Clear()
}
