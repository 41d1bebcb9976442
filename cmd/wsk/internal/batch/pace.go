package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
)

// Documented returns the limits of WorkSkedge's Webhooks page: 50 requests a
// minute and 1,000 an hour for an API key.
func Documented() []journal.Limit {
	return []journal.Limit{{Count: 50, Per: time.Minute}, {Count: 1000, Per: time.Hour}}
}

// Key names whose limits hold without giving the API key away: all requests
// with the key share them, or all to the host where there is no key.
func Key(apiKey, host string) string {
	if apiKey == "" {
		return host
	}
	sum := sha256.Sum256([]byte(apiKey))
	return hex.EncodeToString(sum[:16])
}

// ParseRate reads "50/m", "1000/h", "10/s" or "0.5/s" as a limit. A fraction
// makes the window longer: 0.5/s is one request in two seconds.
func ParseRate(text string) (journal.Limit, error) {
	number, unit, _ := strings.Cut(text, "/")
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || per == 0 || !(n > 0) || math.IsInf(n, 0) {
		return journal.Limit{}, fmt.Errorf("rate %q: write N/s, N/m or N/h, such as 50/m or 0.5/s", text)
	}
	count := n
	if n != math.Floor(n) {
		count = 1
	}
	window := math.Ceil(float64(per) * count / n)
	switch {
	case count > journal.MaxCount:
		return journal.Limit{}, fmt.Errorf("rate %q: it goes up to %d", text, journal.MaxCount)
	case window > float64(journal.MaxPer):
		return journal.Limit{}, fmt.Errorf("rate %q: it goes down to one request in %s", text, journal.MaxPer)
	}
	return journal.Limit{Count: int(count), Per: time.Duration(window)}, nil
}

// Pacer keeps the requests of a key under its limits. What other processes
// sent stands in the journal, by the wall clock; what this one sent is counted
// by a clock that nobody sets, too.
type Pacer struct {
	Journal *journal.Journal
	Key     string
	Limits  []journal.Limit
	Within  time.Duration // by when a request has arrived, or never will
	Now     func() time.Time
	Elapsed func() time.Duration // since any moment; it goes on only forward
	Wait    func(context.Context, time.Duration) error

	sent  []time.Duration // when this process was answered, by Elapsed
	taken time.Duration   // when the last place was
	took  time.Duration   // from there to the answer, on average
}

// Take waits until there is room for a request.
func (p *Pacer) Take(ctx context.Context) (journal.Slot, error) {
	for {
		if err := ctx.Err(); err != nil {
			return journal.Slot{}, err
		}
		wait := p.own()
		if wait == 0 {
			slot, err := p.Journal.Reserve(context.WithoutCancel(ctx), p.Key, p.Limits, p.Now, p.Within)
			if err != nil || slot.Wait == 0 {
				p.taken = p.Elapsed()
				return slot, err
			}
			wait = slot.Wait
		}
		if err := p.Wait(ctx, wait); err != nil {
			return journal.Slot{}, err
		}
	}
}

// Answered notes that the request of a slot was answered, or that none comes.
func (p *Pacer) Answered(ctx context.Context, s journal.Slot) error {
	now := p.Elapsed()
	p.sent = append(p.sent, now)
	p.took += (now - p.taken - p.took) / 4
	return p.Journal.Answered(ctx, s, p.Now())
}

// own is how long this process's own requests bar the way.
func (p *Pacer) own() time.Duration {
	now, most := p.Elapsed(), 0
	var wait time.Duration
	for _, l := range p.Limits {
		most = max(most, l.Count)
		if i := len(p.sent) - l.Count; i >= 0 {
			wait = max(wait, p.sent[i]+l.Per-now)
		}
	}
	if len(p.sent) > 2*most { // older ones bar nothing
		p.sent = append(p.sent[:0], p.sent[len(p.sent)-most:]...)
	}
	return wait
}

// maxForeseen is how many requests Left looks at one by one.
const maxForeseen = 20_000

// Left estimates how long n more requests take, if nobody else sends.
func (p *Pacer) Left(n int) time.Duration {
	now := p.Elapsed()
	at, next := slices.Clone(p.sent), now
	for range min(n, maxForeseen) {
		next += p.took
		for _, l := range p.Limits {
			if i := len(at) - l.Count; i >= 0 {
				next = max(next, at[i]+l.Per)
			}
		}
		at = append(at, next)
	}
	var beyond time.Duration
	for _, l := range p.Limits {
		beyond = max(beyond, time.Duration(float64(max(n-maxForeseen, 0))/float64(l.Count)*float64(l.Per)))
	}
	return next - now + beyond
}
