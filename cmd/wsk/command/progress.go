package command

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// Progress shows on a terminal how far a long read has come, and when it will
// end. Where stderr is no terminal, and for what is over at once, it shows
// nothing.
type Progress struct {
	env   *Env
	name  string
	size  int64 // bytes in all; -1: not known
	began time.Time

	mu    sync.Mutex
	read  int64
	shown time.Time
	Width int
}

const (
	progressAfter = time.Second            // what takes less is not worth a line
	ProgressEvery = 200 * time.Millisecond // and more often nobody reads it
)

func NewProgress(env *Env, name string, size int64) *Progress {
	now := env.Now()
	return &Progress{env: env, name: name, size: size, began: now, shown: now.Add(progressAfter - ProgressEvery)}
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
	if now.Sub(p.shown) < ProgressEvery {
		return
	}
	p.shown = now
	p.Draw(p.line(now.Sub(p.began)))
}

func (p *Progress) line(spent time.Duration) string {
	rate := float64(p.read) / max(spent.Seconds(), 0.001)
	text := fmt.Sprintf("%s  %s  %s/s", ui.Clean(SourceName(p.name)), bytesText(float64(p.read)), bytesText(rate))
	if p.size > 0 && rate > 0 {
		left := time.Duration(float64(p.size-p.read) / rate * float64(time.Second))
		text += fmt.Sprintf("  %d %%  %s left", 100*p.read/p.size, max(left, 0).Round(time.Second))
	}
	return text
}

// Draw replaces the line that was there.
func (p *Progress) Draw(text string) {
	width := len([]rune(text))
	fmt.Fprint(p.env.Err, "\r"+text+strings.Repeat(" ", max(0, p.Width-width)))
	p.Width = width
}

// Done takes the line away.
func (p *Progress) Done() {
	if p.Width > 0 {
		fmt.Fprint(p.env.Err, "\r"+strings.Repeat(" ", p.Width)+"\r")
	}
}

// bytesText writes a size as people say it.
func bytesText(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
