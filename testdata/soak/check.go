//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	// settle is how long what was answered with 200 may take to be handed on.
	settle = 2 * time.Minute
	// largestLog is how large a write-ahead log may get. It is moved into its file at
	// 16 MiB, but not while someone reads.
	largestLog = 64 << 20
)

// checkpoint is what a turn came to.
type checkpoint struct {
	name               string
	at                 time.Time
	deliveries, events int // answered with 200
	lost, eventsLost   int // of those
	twice              int // stored twice
	again              int // handed on again
	kills, full        int64
	refused            int   // answers of 503 by the app
	log                int64 // the largest write-ahead log
	listener, sandbox  int64 // memory
	faults             []string
}

func (c *checkpoint) add(o checkpoint) {
	c.deliveries, c.events, c.lost, c.eventsLost = c.deliveries+o.deliveries, c.events+o.events, c.lost+o.lost, c.eventsLost+o.eventsLost
	c.twice, c.again, c.kills, c.full, c.refused = c.twice+o.twice, c.again+o.again, c.kills+o.kills, c.full+o.full, c.refused+o.refused
	c.log, c.listener, c.sandbox = max(c.log, o.log), max(c.listener, o.listener), max(c.sandbox, o.sandbox)
	c.faults = append(c.faults, o.faults...)
}

func (c *checkpoint) fault(format string, args ...any) {
	c.faults = append(c.faults, c.at.Format(time.TimeOnly)+" "+c.name+": "+fmt.Sprintf(format, args...))
}

func (c checkpoint) String() string {
	verdict := "kept"
	if len(c.faults) > 0 {
		verdict = strings.Join(c.faults, "\n  ")
	}
	return fmt.Sprintf("%s  %-21s %6d deliveries %5d events  lost %d+%d  twice %d  again %d  kills %d  5xx %d  log %s  memory %s + %s  %s", c.at.Format(time.TimeOnly), c.name,
		c.deliveries, c.events, c.lost, c.eventsLost, c.twice, c.again, c.kills, c.full, mb(c.log), mb(c.listener), mb(c.sandbox), verdict)
}

// take takes a turn of a length, and checks what is kept.
func (w *world) take(ctx context.Context, t turn, length time.Duration) (checkpoint, error) {
	w.kills.Store(0)
	w.full.Store(0)
	w.mu.Lock()
	w.handed, w.told, w.refused = map[string]int{}, map[string]int{}, 0
	w.mu.Unlock()
	w.began = time.Now().Truncate(time.Second)
	c := checkpoint{name: t.name}
	during, stop := context.WithTimeout(ctx, length)
	defer stop()
	trouble := make(chan error, 1)
	go func() {
		if t.make == nil {
			trouble <- nil
			return
		}
		trouble <- t.make(during)
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for sleep(during, 500*time.Millisecond) {
			c.watch(w)
		}
	}()
	deliveries, events, faults := w.load(during)
	<-watched
	fault := <-trouble
	c.at = time.Now()
	for _, err := range append(faults, fault, w.listener.check(), w.box.check()) {
		if err != nil && ctx.Err() == nil {
			c.fault("%v", err)
		}
	}
	if ctx.Err() != nil || fault != nil {
		return c, fault
	}
	c.deliveries, c.events, c.kills, c.full = len(deliveries), len(events), w.kills.Load(), w.full.Load()
	w.settle(ctx, deliveries, events)
	c.watch(w)
	if err := errors.Join(w.checkJournal(ctx, &c, deliveries), w.checkSandbox(ctx, &c, events)); err != nil {
		return c, err
	}
	w.judge(&c, t)
	// The records of the turns before were checked.
	return c, run(ctx, w.wsk, w.env, discard, "journal", "prune", "--older-than", w.since())
}

// watch takes the sizes of the moment.
func (c *checkpoint) watch(w *world) {
	for _, log := range []string{"journal.db-wal", "box.db-wal"} {
		if info, err := os.Stat(filepath.Join(w.dir, log)); err == nil {
			c.log = max(c.log, info.Size())
		}
	}
	c.listener, c.sandbox = max(c.listener, w.listener.memory()), max(c.sandbox, w.box.memory())
}

// settle waits until the app has all the deliveries, and the subscriber was told of
// all the vendors.
func (w *world) settle(ctx context.Context, deliveries, events []string) {
	for end := time.Now().Add(settle); time.Now().Before(end) && ctx.Err() == nil; {
		w.mu.Lock()
		done := !slices.ContainsFunc(deliveries, func(id string) bool { return w.handed[id] == 0 })
		told := !slices.ContainsFunc(events, func(name string) bool { return w.told[name] == 0 })
		w.mu.Unlock()
		if done && told {
			return
		}
		if !told { // what was being delivered when it was killed is due later
			_ = w.admin(ctx, "advance", `{"duration":"1h"}`) // it is asked again
		}
		sleep(ctx, 200*time.Millisecond)
	}
}

// checkJournal looks for each delivery in the journal, and at the app.
func (w *world) checkJournal(ctx context.Context, c *checkpoint, deliveries []string) error {
	stored := map[string]int{}
	err := run(ctx, w.wsk, w.env, func(out io.Reader) error {
		for decoder := webhook.NewDecoder(out); ; {
			r, err := decoder.Decode()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case r.Direction != webhook.Received || r.Verdict == nil:
			case r.Verdict.Outcome == webhook.Accepted || r.Verdict.Outcome == webhook.Pending || r.Verdict.Outcome == webhook.ForwardFailed:
				if event, err := webhook.ParseEvent(r.Request.Body); err != nil || event.ID != r.WebhookID {
					c.fault("record %s of %s is torn: %v", r.ID, r.WebhookID, err)
				}
				stored[r.WebhookID]++
			}
		}
	}, "journal", "export", "--since", w.since())
	w.mu.Lock()
	defer w.mu.Unlock()
	missing := 0
	for _, id := range deliveries {
		switch {
		case stored[id] == 0:
			c.lost++
		case stored[id] > 1:
			c.twice++
		}
		if w.handed[id] == 0 {
			missing++
		}
		c.again += max(0, w.handed[id]-1)
	}
	c.refused = w.refused
	if missing > 0 {
		c.fault("%d deliveries were not handed on", missing)
	}
	return err
}

// checkSandbox looks for each vendor in the sandbox's file, and at the subscriber, and
// resets the sandbox.
func (w *world) checkSandbox(ctx context.Context, c *checkpoint, events []string) error {
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "box.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	rows, err := db.QueryContext(ctx, "SELECT name FROM record WHERE kind = 'vendor'")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err is checked
	stored := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		stored[name] = true
	}
	w.mu.Lock()
	untold := 0
	for _, name := range events {
		if !stored[name] {
			c.eventsLost++
		}
		if w.told[name] == 0 {
			untold++
		}
	}
	w.mu.Unlock()
	if untold > 0 {
		c.fault("%d vendors did not reach the subscriber", untold)
	}
	return errors.Join(rows.Err(), w.admin(ctx, "reset", "{}"))
}

// judge adds the faults that follow from the numbers.
func (w *world) judge(c *checkpoint, t turn) {
	if c.lost+c.eventsLost > 0 {
		c.fault("%d deliveries and %d events were answered with 200 and are not there", c.lost, c.eventsLost)
	}
	if c.twice > 0 {
		c.fault("%d deliveries are stored twice", c.twice)
	}
	isFull := t.name == "full disk"
	if allowed := int(c.kills) * concurrency; c.again > allowed && !isFull { // what was handed on could not be stored then
		c.fault("%d were handed on again, and %d may be", c.again, allowed)
	}
	if isFull != (c.full > 0) {
		c.fault("%d answers of 5xx", c.full)
	}
	if c.log > largestLog {
		c.fault("a write-ahead log has %s", mb(c.log))
	}
	if c.deliveries == 0 || c.events == 0 {
		c.fault("there was no load")
	}
}

// admin asks the sandbox to do something.
func (w *world) admin(ctx context.Context, verb, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.box.address(), sandbox.Path)+sandbox.AdminPath+verb, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("sandbox %s: %d %s", verb, answer.StatusCode, text)
	}
	return err
}
