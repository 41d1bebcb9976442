package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// platform is a sandbox that events are sent to, and the receivers that it delivers to.
type platform struct {
	w      *world
	secret webhook.Secret
	ended  sync.WaitGroup // of sandboxes that have crashed

	mu       sync.Mutex
	box      *sandbox.Sandbox
	dead     chan struct{} // closed when the process of the box dies
	data     string        // the path of its file
	starts   int
	acked    []string       // the names of the customers that the box has answered with 200
	received map[string]int // deliveries that a receiver has accepted, by webhook id
	tries    map[string][]try
	counts   map[string]int
}

// try is an attempt of a delivery that reached a receiver.
type try struct {
	at     time.Time // of the world
	start  int       // which process of the sandbox made it
	retry  string    // X-Webhook-Retry
	body   string
	stamp  string
	status int
}

var subscribers = []string{"http://127.0.0.1:1001/good", "http://127.0.0.1:1002/faulty", "http://127.0.0.1:1003/down", "http://127.0.0.1:1004/echo"}

// open opens the sandbox on a file.
func (p *platform) open(ctx context.Context) error {
	p.starts++
	start, dead := p.starts, make(chan struct{})
	var ids atomic.Int64
	company := sandbox.Company{ID: "comp_1", Keys: []sandbox.Key{{Key: "key_1", Secret: "a shared secret", Name: "erp"}}}
	for i, url := range subscribers {
		s := sandbox.Subscription{URL: url, Secret: "a shared secret"}
		if i == 3 {
			s.APIKey = "key_1" // what this key changes is not delivered
		}
		company.Subscriptions = append(company.Subscriptions, s)
	}
	box, err := sandbox.New(ctx, sandbox.Config{
		Companies: []sandbox.Company{company}, Data: p.data, Limits: []deliver.Limit{}, Now: p.w.now,
		NewID:     func() string { return fmt.Sprintf("%016d", int64(start)*1_000_000+ids.Add(1)) },
		Transport: transportFunc(func(r *http.Request) (*http.Response, error) { return p.arrive(r, start, dead) }),
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.box, p.dead = box, dead
	return nil
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (p *platform) next(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[name]++
	return fmt.Sprint(name, " #", p.counts[name])
}

// arrive is the network and the receivers. What the sandbox sends after its death arrives
// nowhere, and an answer that it would have had is lost.
func (p *platform) arrive(r *http.Request, start int, dead <-chan struct{}) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	id := r.Header.Get(webhook.HeaderID)
	name := p.next("delivery " + strings.TrimPrefix(r.URL.Path, "/") + " " + nameOf(body))
	pause := func(leg string) error {
		if !p.w.happens(delays, 0.5, leg, name) {
			return nil
		}
		select {
		case <-time.After(p.w.between(0, 20*time.Second, leg, name)):
			return nil
		case <-dead:
			return errDead
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	if err := pause("there"); err != nil {
		return nil, err
	}
	select {
	case <-dead:
		return nil, errDead
	default:
	}
	if p.w.happens(requestsLost, 0.1, name) {
		return nil, errors.New("the request was lost")
	}
	status := http.StatusOK
	switch {
	case strings.Contains(r.URL.Path, "down"):
		status = http.StatusServiceUnavailable
	case strings.Contains(r.URL.Path, "faulty") && p.w.happens(refusals, 0.5, name):
		status = http.StatusBadGateway
	}
	if err := webhook.Verify(r.Header, body, p.w.now(), p.secret); err != nil && !p.w.jumpedSince(time.Now().Add(-time.Minute)) {
		p.w.fail("%s does not verify: %v", name, err)
	}
	p.w.log("%s of %s try %s is answered %d", name, id, r.Header.Get(webhook.HeaderRetry), status)
	p.mu.Lock()
	p.tries[id] = append(p.tries[id], try{time.Now(), start, r.Header.Get(webhook.HeaderRetry), string(body), r.Header.Get(webhook.HeaderTimestamp), status})
	if status == http.StatusOK {
		p.received[id]++
	}
	p.mu.Unlock()
	if err := pause("back"); err != nil {
		return nil, err
	}
	if p.w.happens(answersLost, 0.1, name) {
		return nil, errors.New("the answer was lost")
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}, nil
}

func nameOf(body []byte) string {
	_, rest, _ := bytes.Cut(body, []byte(`"customer `))
	n, _, _ := bytes.Cut(rest, []byte(`"`))
	return "customer " + string(n)
}

// send sends an event until it is accepted.
func (p *platform) send(n int) {
	name := fmt.Sprint("customer ", n)
	body := fmt.Sprintf(`{"event_type":"customer.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":{"name":%q}}`, name)
	for attempt := range 50 {
		p.mu.Lock()
		box, dead := p.box, p.dead
		p.mu.Unlock()
		signed, err := webhook.Sign([]byte(body), p.w.now(), p.secret)
		if err != nil {
			p.w.fail("signing: %v", err)
			return
		}
		r := httptest.NewRequest(http.MethodPost, sandbox.Path, strings.NewReader(body))
		r.Header = signed.HTTP()
		for _, h := range deliver.Inbound("key_1", "custom") {
			r.Header.Set(h.Name, h.Value)
		}
		answer := httptest.NewRecorder()
		box.ServeHTTP(answer, r)
		isDead := false
		select {
		case <-dead:
			isDead = true
		default:
		}
		if !isDead && answer.Code == http.StatusOK {
			p.mu.Lock()
			p.acked = append(p.acked, name)
			p.mu.Unlock()
			p.w.log("%s is accepted", name)
			return
		}
		p.w.log("%s try %d: %d %s", name, attempt, answer.Code, answer.Body)
		if strings.Contains(answer.Body.String(), "exists") {
			return // it was stored before the process died
		}
		time.Sleep(time.Minute)
	}
	p.w.fail("%s was never accepted", name)
}

// crash ends the process of the sandbox at once, and starts another on what is on its disk.
// All goroutines wait for the network or for time when it happens.
func (p *platform) crash(t *testing.T) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	box, dead := p.box, p.dead
	close(dead)
	next := filepath.Join(t.TempDir(), "sandbox.db")
	files := []string{"", "-wal"}
	if p.w.plant == "a crash loses the newest pages of the sandbox" {
		files = files[:1]
	}
	for _, suffix := range files {
		raw, err := os.ReadFile(p.data + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(next+suffix, raw, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	p.data = next
	p.mu.Unlock()
	p.w.log("the sandbox crashes")
	p.ended.Go(func() { _ = box.Close() })
	if err := p.open(t.Context()); err != nil {
		p.w.fail("the sandbox does not open: %v", err)
	}
}

// sandboxes is a world of a sandbox that crashes, and of receivers of all kinds.
func sandboxes(t *testing.T, w *world) {
	secret, err := webhook.NewSecret("a shared secret")
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{
		w: w, secret: secret, data: filepath.Join(t.TempDir(), "sandbox.db"),
		received: map[string]int{}, tries: map[string][]try{}, counts: map[string]int{},
	}
	if err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for n := range w.size {
		senders.Go(func() {
			time.Sleep(w.between(0, 10*time.Minute, "begin", n))
			p.send(n)
		})
	}
	for n := range 6 {
		time.Sleep(w.between(0, 4*time.Minute, "pause", n))
		if w.happens(clockJumps, 0.3, n) {
			w.jump(w.between(-time.Hour, time.Hour, "by", n))
		}
		if w.happens(crashes, 0.6, n) {
			p.crash(t)
		}
	}
	senders.Wait()
	time.Sleep(24 * time.Hour) // all attempts are made
	p.ended.Wait()
	p.check(t)
	p.mu.Lock()
	close(p.dead)
	p.mu.Unlock()
	if err := p.box.Close(); err != nil {
		w.fail("closing the sandbox: %v", err)
	}
}

// check holds the history against the promise.
func (p *platform) check(t *testing.T) {
	t.Helper()
	w := p.w
	records, err := p.box.Records(t.Context(), sandbox.RecordQuery{Kind: "customer"})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]int{}
	for _, r := range records {
		stored[r.Name]++
	}
	deliveries, err := p.box.Deliveries(t.Context(), sandbox.DeliveryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]int{} // deliveries, by their receiver and customer
	for _, d := range deliveries {
		full, err := p.box.Deliveries(t.Context(), sandbox.DeliveryQuery{ID: d.ID})
		if err != nil || len(full) != 1 {
			t.Fatalf("delivery %s: %d, %v", d.ID, len(full), err)
		}
		made[d.URL+" "+nameOf([]byte(full[0].Body))]++
		p.checkDelivery(full[0])
	}
	for _, name := range p.acked {
		if stored[name] != 1 {
			w.fail("%s was acknowledged, and is stored %d times", name, stored[name])
		}
	}
	for name := range stored {
		for i, url := range subscribers {
			want := 1
			if i == 3 { // its key has made the change
				want = 0
			}
			if got := made[url+" "+name]; got != want {
				w.fail("%s has %d deliveries to %s, want %d", name, got, url, want)
			}
		}
	}
}

// checkDelivery holds one delivery against the schedule.
func (p *platform) checkDelivery(d sandbox.Delivery) {
	w, tries := p.w, p.tries[d.ID]
	if len(tries) > len(schedule) {
		w.fail("%s was attempted %d times, want at most %d", d.ID, len(tries), len(schedule))
	}
	switch {
	case d.State == sandbox.Delivered && p.received[d.ID] == 0:
		w.fail("%s counts as delivered, and no receiver has accepted it", d.ID)
	case d.State == sandbox.Dead && d.Attempts < len(schedule):
		w.fail("%s is dead after %d attempts, want %d", d.ID, d.Attempts, len(schedule))
	case d.State != sandbox.Delivered && d.State != sandbox.Dead:
		w.fail("%s is %s a day later", d.ID, d.State)
	}
	last := -1
	for i, try := range tries {
		n, err := strconv.Atoi(try.retry)
		if err != nil || n <= last {
			w.fail("attempt %d of %s has the number %q after %d", i, d.ID, try.retry, last)
		}
		if try.body != tries[0].body {
			w.fail("attempt %d of %s has another body", i, d.ID)
		}
		if i > 0 && n == last+1 && try.start == tries[i-1].start && !w.jumpedSince(tries[i-1].at) {
			gap, want := try.at.Sub(tries[i-1].at), schedule[n]
			if gap < want-time.Minute || gap > want+5*time.Minute {
				w.fail("attempt %d of %s came %s after the one before, want about %s", n, d.ID, gap, want)
			}
		}
		last = n
	}
}
