package simulation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// disk is what survives a crash: a store in memory with the rules of a receive.Recorder.
// What is on it is durable at once; the tests of the journal show that its file is.
type disk struct {
	mu     sync.Mutex
	plant  string
	queues bool // what is to be forwarded waits for a forwarder
	rows   []*row
	marks  []receive.Mark
	claims []claim
	tokens int
}

// row is a record and what is still to be done with it.
type row struct {
	owner    *process
	record   webhook.Record
	order    string
	due      bool // to be forwarded
	next     time.Time
	attempts int
	isDone   bool // it was forwarded
}

type claim struct {
	receive.Mark
	token string // or the id of a pending record
	owner *process
}

func (d *disk) compare(m receive.Mark, token string) receive.Claim {
	stored := slices.Clone(d.marks)
	for _, c := range d.claims {
		if c.token != token && d.plant != "receivers do not see each other's claims" {
			stored = append(stored, c.Mark)
		}
	}
	if d.plant == "a captured request is not recognized" {
		for i := range stored {
			if stored[i].ID != m.ID {
				stored[i].Signed = [32]byte{}
			}
		}
	}
	return m.Among(stored)
}

func (d *disk) dropClaim(token string) bool {
	i := slices.IndexFunc(d.claims, func(c claim) bool { return c.token == token })
	if i >= 0 {
		d.claims = slices.Delete(d.claims, i, i+1)
	}
	return i >= 0
}

// claim is Store.Claim.
func (d *disk) claim(p *process, m receive.Mark, lease time.Duration) receive.Claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.compare(m, "")
	switch {
	case c.Mark == nil:
	case c.Outcome != webhook.Accepted:
		d.marks = append(d.marks, *c.Mark)
	default:
		d.claims = slices.DeleteFunc(d.claims, func(c claim) bool { return !m.Time.Before(c.Until) })
		d.tokens++
		c.Token = strconv.Itoa(d.tokens)
		m.Until = m.Time.Add(lease)
		d.claims = append(d.claims, claim{m, c.Token, p})
	}
	return c
}

// settle is Store.Finish and Store.Release.
func (d *disk) settle(c receive.Claim, accepted bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dropClaim(c.Token) {
		return receive.ErrLeaseLost
	}
	m := *c.Mark
	m.Accepted = accepted
	d.marks = append(d.marks, m)
	return nil
}

// keep is Recorder.Keep.
func (d *disk) keep(p *process, r receive.Receipt) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	isPending := r.Record.Verdict.Outcome == webhook.Pending
	if r.Once {
		if c := d.compare(*r.Mark, r.Record.ID); c.Outcome != webhook.Accepted {
			if c.Mark != nil {
				d.marks = append(d.marks, *c.Mark)
			}
			return &receive.SeenError{Outcome: c.Outcome, FirstID: c.FirstID}
		}
		if isPending {
			d.claims = append(d.claims, claim{*r.Mark, r.Record.ID, p})
		}
	}
	record := r.Record
	verdict := *record.Verdict
	record.Verdict = &verdict
	if old := d.find(r.Record.ID); old != nil {
		old.record, old.due = record, r.Forward && d.queues
	} else {
		d.rows = append(d.rows, &row{owner: p, record: record, order: r.Order, due: r.Forward && d.queues})
	}
	if !isPending {
		d.dropClaim(r.Record.ID)
		if r.Mark != nil {
			d.marks = append(d.marks, *r.Mark)
		}
	}
	return nil
}

func (d *disk) find(id string) *row {
	for _, r := range d.rows {
		if r.record.ID == id {
			return r
		}
	}
	return nil
}

// crash frees the claims of a process, as a journal does that is opened again.
func (d *disk) crash(p *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.claims = slices.DeleteFunc(d.claims, func(c claim) bool { return c.owner == p })
	if last := len(d.rows) - 1; d.plant == "a crash loses what was kept last" && last >= 0 && d.rows[last].owner == p {
		d.rows = d.rows[:last]
		d.marks = d.marks[:max(len(d.marks)-1, 0)]
	}
}

func (d *disk) allMarks() []receive.Mark {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.marks)
}

// dueNow is Queue.Due.
func (d *disk) dueNow(now time.Time, limit int) (due []receive.DueRecord, next time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held := map[string]bool{}
	var ready []*row
	for _, r := range d.rows {
		if !r.due || r.order != "" && held[r.order] {
			continue
		}
		held[r.order] = true
		switch {
		case !r.next.After(now):
			ready = append(ready, r)
		case next.IsZero() || r.next.Before(next):
			next = r.next
		}
	}
	slices.SortStableFunc(ready, func(a, b *row) int { return a.next.Compare(b.next) })
	for _, r := range ready[:min(limit, len(ready))] {
		record := r.record
		verdict := *record.Verdict
		record.Verdict = &verdict
		due = append(due, receive.DueRecord{Record: record, Attempts: r.attempts})
	}
	return due, next
}

// save is Queue.SaveResult.
func (d *disk) save(r receive.ForwardResult) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := d.find(r.Record.ID)
	if kept == nil {
		return
	}
	kept.attempts++
	kept.next, kept.due, kept.isDone = r.Next, !r.OK && !r.Next.IsZero(), r.OK
	if d.plant == "the result of an attempt is not stored" && kept.attempts == 1 {
		kept.due, kept.isDone = true, false
	}
}

func (d *disk) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, r := range d.rows {
		if r.due {
			n++
		}
	}
	return n
}

// view is the disk as a process sees it: each step may fail, take time, or be the last.
type view struct {
	disk    *disk
	process *process
}

var _ receive.Queue = view{}

func (v view) Claim(ctx context.Context, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	err = v.process.step(ctx, "claim "+m.ID, true, func() error { c = v.disk.claim(v.process, m, lease); return nil })
	if err != nil {
		return receive.Claim{}, err
	}
	return c, nil
}

func (v view) Finish(ctx context.Context, c receive.Claim) error {
	return v.process.step(ctx, "finish "+c.Mark.ID, true, func() error {
		err := v.disk.settle(c, true)
		if err == nil {
			v.process.site.scene.settled(v.process, c.Mark.ID)
		}
		return err
	})
}

func (v view) Release(ctx context.Context, c receive.Claim) error {
	return v.process.step(ctx, "release "+c.Mark.ID, true, func() error { return v.disk.settle(c, false) })
}

func (v view) Keep(ctx context.Context, r receive.Receipt) error {
	if r.Unverified {
		return nil
	}
	name := fmt.Sprint("keep ", r.Record.Verdict.Outcome, " ", r.Record.WebhookID)
	if v.disk.plant == "the answer precedes the record" && v.process.site.scene.w.roll("lie", name).IntN(10) == 0 {
		return nil
	}
	return v.process.step(ctx, name, false, func() error {
		err := v.disk.keep(v.process, r)
		if err == nil && r.Record.Verdict.Outcome == webhook.Accepted && !v.process.site.scene.background {
			v.process.site.scene.settled(v.process, r.Record.WebhookID)
		}
		return err
	})
}

func (v view) Marks(_ context.Context, limit int) ([]receive.Mark, error) {
	marks := v.disk.allMarks()
	return marks[max(0, len(marks)-limit):], nil
}

func (v view) Seen(ctx context.Context, m receive.Mark) (marks []receive.Mark, err error) {
	err = v.process.step(ctx, "seen "+m.ID, true, func() error { marks = v.disk.allMarks(); return nil })
	return marks, err
}

func (v view) Due(ctx context.Context, now time.Time, limit int) (due []receive.DueRecord, next time.Time, err error) {
	err = v.process.step(ctx, "due", true, func() error { due, next = v.disk.dueNow(now, limit); return nil })
	return due, next, err
}

func (v view) SaveResult(ctx context.Context, r receive.ForwardResult) error {
	return v.process.step(ctx, "result "+cmp.Or(r.Record.WebhookID, "none"), true, func() error {
		v.disk.save(r)
		if r.OK {
			v.process.site.scene.settled(v.process, r.Record.WebhookID)
		}
		return nil
	})
}

// shared is a view that keeps no records: a Store alone.
type shared struct{ receive.Store }
