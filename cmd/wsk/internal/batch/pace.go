package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/internal/rate"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Key returns the name under which the requests of a delivery are counted: all
// requests with an API key share its limits, and without a key all requests to
// the host. The name does not reveal the API key.
func Key(d deliver.Delivery) string {
	apiKey := d.Header.Get(webhook.HeaderAPIKey)
	if d.Override.Has(webhook.HeaderAPIKey) {
		apiKey = d.Override.Get(webhook.HeaderAPIKey)
	}
	if apiKey != "" {
		sum := sha256.Sum256([]byte(apiKey))
		return hex.EncodeToString(sum[:16])
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// ParseRate reads "50/m", "1000/h", "10/s" or "0.5/s" as a limit. A fraction
// makes the period longer: 0.5/s is one request in two seconds.
func ParseRate(text string) (deliver.Limit, error) {
	r, err := rate.Parse(text)
	if err != nil {
		return deliver.Limit{}, err
	}
	count := r.N
	if r.N != math.Floor(r.N) {
		count = 1
	}
	period := math.Ceil(float64(r.Per) * count / r.N)
	switch {
	case count > journal.MaxCount:
		return deliver.Limit{}, fmt.Errorf("rate %q: the highest is %d", text, journal.MaxCount)
	case period > float64(journal.MaxPer):
		return deliver.Limit{}, fmt.Errorf("rate %q: the lowest is one request in %s", text, journal.MaxPer)
	}
	return deliver.Limit{Count: int(count), Per: time.Duration(period)}, nil
}

// Pacer keeps the requests of a key under its limits, one request at a time.
// The journal counts the requests of all processes, by the wall clock. The
// pacer also counts its own by a monotonic clock.
type Pacer struct {
	Journal *journal.Journal // nil: only this pacer's requests count
	Key     string           // see [Key]
	Limits  []deliver.Limit  // none: the requests are counted and never wait
	Within  time.Duration    // by when a request has arrived, or never will; default: [deliver.DefaultTimeout]

	Now     func() time.Time                           // the wall clock; default: time.Now
	Elapsed func() time.Duration                       // the time since any moment, which never goes back; default: by Now
	Wait    func(context.Context, time.Duration) error // default: [deliver.Wait]

	began  time.Time
	window *deliver.Window // when this pacer's requests were answered, by Elapsed
	slot   journal.Slot    // of the last request
	taken  time.Time       // when that was, by Elapsed
	took   time.Duration   // from there to the answer, on average
}

// begin sets the defaults.
func (p *Pacer) begin() {
	if p.window != nil {
		return
	}
	p.window = deliver.NewWindow(p.Limits...)
	if p.Within <= 0 {
		p.Within = deliver.DefaultTimeout
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Wait == nil {
		p.Wait = deliver.Wait
	}
	if p.began = p.Now(); p.Elapsed == nil {
		p.Elapsed = func() time.Duration { return p.Now().Sub(p.began) }
	}
}

// elapsed is the time by the monotonic clock.
func (p *Pacer) elapsed() time.Time { return time.Unix(0, 0).Add(p.Elapsed()) }

// Take waits until there is room for a request, and counts it.
func (p *Pacer) Take(ctx context.Context) error {
	p.begin()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		wait := p.window.Wait(p.elapsed())
		if wait == 0 {
			var err error
			if p.slot, err = p.reserve(ctx); err != nil {
				return err
			}
			if wait = p.slot.Wait; wait == 0 {
				p.taken = p.elapsed()
				return nil
			}
		}
		if err := p.Wait(ctx, wait); err != nil {
			return err
		}
	}
}

func (p *Pacer) reserve(ctx context.Context) (journal.Slot, error) {
	if p.Journal == nil {
		return journal.Slot{}, nil
	}
	return p.Journal.Reserve(context.WithoutCancel(ctx), p.Key, p.Limits, p.Now, p.Within)
}

// Answered notes that the request that was taken last was answered, or that no
// answer comes. Until then it counts as if it arrived at the last moment.
func (p *Pacer) Answered(ctx context.Context) error {
	p.begin()
	now := p.elapsed()
	p.window.Add(now)
	p.took += (now.Sub(p.taken) - p.took) / 4
	if p.Journal == nil || p.slot.ID == 0 {
		return nil
	}
	return p.Journal.Answered(context.WithoutCancel(ctx), p.slot, p.Now())
}

// Left estimates how long n more requests take, if nobody else sends.
func (p *Pacer) Left(n int) time.Duration {
	p.begin()
	return p.window.Estimate(n, p.took, p.elapsed())
}
