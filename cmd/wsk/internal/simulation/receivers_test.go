package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// scene is a platform that delivers events to receivers over a network, and what the app
// behind them did.
type scene struct {
	w      *world
	secret webhook.Secret
	disk   *disk
	sites  []*site

	background  bool // events are answered first, and handed to the app by a forwarder
	recordless  bool // the receivers share a Store that keeps no records
	dedupEvents bool

	running  sync.WaitGroup // senders and attackers
	restarts sync.WaitGroup

	mu      sync.Mutex
	counts  map[string]int // of a step's name, so that each has a fate of its own
	effects []*effect
	acked   map[string]time.Time // deliveries that a sender has an answer of 2xx for
	wire    []captured
}

// effect is what the app did with an event, once.
type effect struct {
	id, body  string
	process   *process
	began, at time.Time
	settledAt time.Time // the zero time if the result was not stored
}

// captured is a request that was answered with 2xx.
type captured struct {
	header http.Header
	body   string
	id     string
	at     time.Time
}

// site is where a process runs, and is started again after a crash.
type site struct {
	scene *scene
	name  string

	mu      sync.Mutex
	process *process // nil while there is none
	starts  int
}

// process is a receiver from its start to its crash.
type process struct {
	site      *site
	name      string
	handler   http.Handler
	forwarder *receive.Forwarder
	ctx       context.Context // ends with the process
	kill      context.CancelFunc
}

var (
	errDead  = errors.New("the process has died")
	errStore = errors.New("the store failed")
)

func (p *process) isDead() bool { return p.ctx.Err() != nil }

// next returns a name for the next step of its kind.
func (s *scene) next(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[name]++
	return fmt.Sprint(name, " #", s.counts[name])
}

// step does one step of a process at the store. mayLie says that the store may fail after
// it has done what it was asked.
func (p *process) step(ctx context.Context, name string, mayLie bool, do func() error) error {
	s, w := p.site.scene, p.site.scene.w
	name = s.next(name)
	if p.isDead() {
		return errDead
	}
	if w.happens(crashes, 0.02, "before", name) {
		p.crash("before " + name)
		return errDead
	}
	if w.happens(storeSlow, 0.05, name) {
		select {
		case <-time.After(w.between(time.Second, 20*time.Second, "slow", name)):
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.isDead() {
			return errDead
		}
	}
	if w.happens(storeErrors, 0.05, "before", name) {
		w.log("%s: the store fails at %s", p.name, name)
		return errStore
	}
	if err := do(); err != nil {
		return err
	}
	if w.happens(crashes, 0.02, "after", name) {
		p.crash("after " + name)
		return errDead
	}
	if mayLie && w.happens(storeErrors, 0.03, "after", name) {
		w.log("%s: the store fails after %s", p.name, name)
		return errStore
	}
	return nil
}

// crash ends a process at once: nothing that it does later has an effect.
func (p *process) crash(where string) {
	s := p.site.scene
	p.site.mu.Lock()
	defer p.site.mu.Unlock()
	if p.isDead() {
		return
	}
	p.kill()
	p.site.process = nil
	s.w.log("%s crashes %s", p.name, where)
	s.disk.crash(p)
	s.restarts.Go(func() {
		p.end()
		time.Sleep(s.w.between(10*time.Millisecond, 2*time.Minute, "restart", p.name))
		p.site.start()
	})
}

// end waits for the goroutines of a process.
func (p *process) end() {
	if p.forwarder != nil {
		p.forwarder.Shutdown(p.ctx)
	}
}

// start starts a process.
func (a *site) start() {
	s := a.scene
	a.mu.Lock()
	defer a.mu.Unlock()
	a.starts++
	p := &process{site: a, name: fmt.Sprint(a.name, "/", a.starts)}
	p.ctx, p.kill = context.WithCancel(context.Background())
	var err error
	c := receive.Config{Secrets: []webhook.Secret{s.secret}, Now: s.w.now, Remember: 4, DedupEvents: s.dedupEvents}
	c.NewID = func() string { return s.next("rec_" + p.name) }
	v := view{s.disk, p}
	switch {
	case s.background:
		p.forwarder, err = receive.NewForwarder(receive.ForwarderConfig{
			Queue: v, App: p.app, Retries: 1000, Now: s.w.now, OrderBy: subject,
		})
		c.Store = p.forwarder
	case s.recordless:
		c.Store, c.App = shared{v}, p.app
	default:
		c.Store, c.App = v, p.app
	}
	if err == nil {
		p.handler, err = receive.New(c)
	}
	if err != nil {
		s.w.fail("starting a process: %v", err)
		return
	}
	a.process = p
	s.w.log("%s starts", p.name)
}

func subject(r webhook.Record) string {
	_, rest, _ := strings.Cut(string(r.Request.Body), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// app is the app behind a receiver.
func (p *process) app(ctx context.Context, e *webhook.Event, r *webhook.Record) webhook.Response {
	s, w := p.site.scene, p.site.scene.w
	name := s.next("app " + r.WebhookID)
	began := time.Now()
	switch {
	case p.isDead():
		return receive.Status(503)
	case w.happens(appErrors, 0.05, "hang", name):
		<-ctx.Done()
		return receive.Status(503)
	case w.happens(appErrors, 0.1, "fail", name):
		return receive.Status(503)
	case w.happens(appErrors, 0.05, "panic", name):
		panic("the app panics")
	case w.happens(delays, 0.3, name):
		select {
		case <-time.After(w.between(0, 10*time.Second, name)):
		case <-ctx.Done():
			return receive.Status(503)
		}
	}
	if w.happens(crashes, 0.02, "before", name) {
		p.crash("before the effect of " + name)
	}
	if p.isDead() {
		return receive.Status(503)
	}
	s.mu.Lock()
	s.effects = append(s.effects, &effect{id: r.WebhookID, body: string(r.Request.Body), process: p, began: began, at: time.Now()})
	s.mu.Unlock()
	w.log("%s handles %s", p.name, r.WebhookID)
	if w.happens(crashes, 0.02, "after", name) {
		p.crash("after the effect of " + name)
	}
	return receive.OK()
}

// settled notes that a process has stored the result of its newest effect of a delivery.
func (s *scene) settled(p *process, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.effects) - 1; i >= 0; i-- {
		if e := s.effects[i]; e.id == id && e.process == p && e.settledAt.IsZero() {
			e.settledAt = time.Now()
			return
		}
	}
}

// send sends a request over the network to a site, and returns the status of the answer, or
// an error if there is none.
func (s *scene) send(name string, header http.Header, body string) (status int, err error) {
	w := s.w
	a := s.sites[w.roll("site", name).IntN(len(s.sites))]
	pause := func(leg string) {
		if w.happens(delays, 0.5, leg, name) {
			time.Sleep(w.between(0, 3*time.Second, leg, name))
		}
	}
	pause("there")
	if w.happens(requestsLost, 0.1, name) {
		return 0, errors.New("the request was lost")
	}
	if w.happens(requestsDoubled, 0.1, name) {
		s.running.Go(func() {
			time.Sleep(w.between(0, 5*time.Second, "double", name))
			to := s.sites[w.roll("double", name).IntN(len(s.sites))]
			_, _ = s.arrive(to, name+" again", header, body) // nobody waits for its answer
		})
	}
	status, err = s.arrive(a, name, header, body)
	pause("back")
	if err == nil && w.happens(answersLost, 0.1, name) {
		return 0, errors.New("the answer was lost")
	}
	return status, err
}

// arrive has a request served by the process at a site.
func (s *scene) arrive(a *site, name string, header http.Header, body string) (status int, err error) {
	a.mu.Lock()
	p := a.process
	a.mu.Unlock()
	if p == nil {
		return 0, errors.New("connection refused")
	}
	var reader io.Reader = strings.NewReader(body)
	if s.w.happens(requestsCut, 0.05, name) {
		reader = io.MultiReader(io.LimitReader(reader, int64(len(body)/2)), broken{})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r := httptest.NewRequest(http.MethodPost, "/hooks", reader).WithContext(ctx)
	r.Header, r.ContentLength = header.Clone(), int64(len(body))
	answer := httptest.NewRecorder()
	panicked := true
	func() {
		defer func() { _ = recover() }() // as net/http does
		p.handler.ServeHTTP(answer, r)
		panicked = false
	}()
	if panicked || p.isDead() || ctx.Err() != nil {
		return 0, errors.New("the connection broke")
	}
	return answer.Code, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// schedule is when a platform tries again.
var schedule = []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}

// deliver is a platform that delivers an event.
func (s *scene) deliver(id, body string) {
	for attempt, pause := range schedule {
		time.Sleep(pause)
		name := fmt.Sprint(id, " attempt ", attempt)
		signed, err := webhook.Sign([]byte(body), time.Now(), s.secret)
		if err != nil {
			s.w.fail("signing: %v", err)
			return
		}
		header := signed.With(webhook.HeaderID, id).HTTP()
		status, err := s.send(name, header, body)
		s.w.log("%s: %d %v", name, status, err)
		if err == nil && status/100 == 2 {
			s.mu.Lock()
			s.acked[id] = time.Now()
			s.wire = append(s.wire, captured{header, body, id, time.Now()})
			s.mu.Unlock()
			return
		}
	}
}

// attack sends captured requests again, each under a new id.
func (s *scene) attack() {
	for n := range s.w.size {
		time.Sleep(s.w.between(0, 2*time.Minute, "attack", n))
		s.mu.Lock()
		var c captured
		if len(s.wire) > 0 {
			c = s.wire[len(s.wire)-1]
		}
		s.mu.Unlock()
		if c.id == "" || !s.w.happens(captures, 0.8, n) {
			continue
		}
		id := fmt.Sprint("attack_", n)
		header := c.header.Clone()
		header.Set(webhook.HeaderID, id)
		status, err := s.send(id, header, c.body)
		s.w.log("%s sends %s again: %d %v", id, c.id, status, err)
	}
}

// receivers is a world of one or two receivers on one store.
func receivers(t *testing.T, w *world) {
	secret, err := webhook.NewSecret("a shared secret")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{
		w: w, secret: secret, disk: &disk{plant: w.plant}, counts: map[string]int{}, acked: map[string]time.Time{},
		background: w.seed%3 == 1, recordless: w.seed%3 == 2, dedupEvents: w.seed%2 == 1,
	}
	s.disk.queues = s.background
	names := []string{"one", "two"}
	if s.background { // a queue has one forwarder
		names = names[:1]
	}
	for _, name := range names {
		a := &site{scene: s, name: name}
		s.sites = append(s.sites, a)
		a.start()
	}
	for n := range w.size {
		s.running.Go(func() {
			time.Sleep(w.between(0, 3*time.Minute, "begin", n))
			s.deliver(fmt.Sprint("whk_", n), event(n))
		})
	}
	s.running.Go(s.attack)
	s.running.Go(func() {
		for n := range 4 {
			time.Sleep(w.between(0, time.Hour, "jump", n))
			if w.happens(clockJumps, 0.5, n) {
				by := w.between(-time.Hour, time.Hour, "by", n)
				w.jump(by)
				time.Sleep(w.between(0, 2*time.Minute, "back", n))
				w.jump(-by)
			}
		}
	})
	s.running.Wait()
	w.heal()
	synctest.Wait() // for a crash that has begun
	s.restarts.Wait()
	for range 200 { // what waits is handed on
		if s.disk.waiting() == 0 {
			break
		}
		time.Sleep(10 * time.Minute)
	}
	for _, a := range s.sites {
		a.process.end()
		a.process.kill()
	}
	s.check()
}

func event(n int) string {
	return fmt.Sprintf(`{"event_id":"evt_%d","event_type":"work_order.updated","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{"id":"wo_%d","n":%d}}`, n, n%3, n)
}

// check holds the history against the promise.
func (s *scene) check() {
	w := s.w
	byID, byBody := map[string][]*effect{}, map[string][]*effect{}
	for _, e := range s.effects {
		byID[e.id] = append(byID[e.id], e)
		byBody[e.body] = append(byBody[e.body], e)
	}
	if n := s.disk.waiting(); n > 0 {
		w.fail("%d events are still to be handed on, long after all faults", n)
	}
	for id := range s.acked {
		if !s.isKept(id) {
			w.fail("%s was acknowledged, and is not kept", id)
		}
		if len(byID[id]) == 0 && !s.dedupEvents { // with it, another delivery of the event may have been handled
			w.fail("%s was acknowledged, and never handled", id)
		}
	}
	for id, effects := range byID {
		w.onceUnlessUnsettled(id, effects)
	}
	for n := range w.size {
		body := event(n)
		if s.dedupEvents {
			w.onceUnlessUnsettled("the event of "+fmt.Sprint("whk_", n), byBody[body])
		}
		if at, isAcked := s.acked[fmt.Sprint("whk_", n)]; isAcked {
			if len(byBody[body]) == 0 {
				w.fail("the event of whk_%d was acknowledged, and never handled", n)
			}
			for _, e := range byBody[body] {
				if strings.HasPrefix(e.id, "attack_") && e.began.After(at) && !s.background {
					w.fail("%s is a captured request of whk_%d, and was handled after that was acknowledged", e.id, n)
				}
			}
		}
	}
	if s.background {
		s.checkOrder()
	}
}

// isKept reports whether the store has a delivery as accepted, once.
func (s *scene) isKept(id string) bool {
	marks, records := 0, 0
	for _, m := range s.disk.marks {
		if m.ID == id && m.Accepted {
			marks++
		}
	}
	for _, r := range s.disk.rows {
		if r.record.WebhookID == id && r.record.Verdict.Outcome == webhook.Accepted {
			records++
		}
	}
	return marks > 0 && (s.recordless || records == 1)
}

// onceUnlessUnsettled holds that an effect occurs again only if the result of the one
// before could not be stored, or if the clock jumped past its lease.
func (w *world) onceUnlessUnsettled(what string, effects []*effect) {
	var first *effect
	for _, e := range effects {
		switch {
		case e.settledAt.IsZero():
		case first == nil:
			first = e
		case e.began.Before(first.settledAt) && w.jumpedSince(first.began):
		default:
			w.fail("%s was handled at %s, which was stored, and again at %s", what, first.at.Sub(w.began), e.at.Sub(w.began))
		}
	}
	for _, e := range effects {
		if first != nil && e != first && e.settledAt.IsZero() && e.began.After(first.settledAt) {
			w.fail("%s was handled at %s, long after its result was stored", what, e.at.Sub(w.began))
		}
	}
}

// checkOrder holds that events about one work order were handed on in the order in which
// they were received.
func (s *scene) checkOrder() {
	settledAt := map[string]time.Time{}
	for _, e := range s.effects {
		if !e.settledAt.IsZero() && settledAt[e.id].IsZero() {
			settledAt[e.id] = e.settledAt
		}
	}
	last := map[string]*row{}
	for _, r := range s.disk.rows {
		if !r.isDone {
			continue
		}
		if before := last[r.order]; before != nil && settledAt[r.record.WebhookID].Before(settledAt[before.record.WebhookID]) {
			s.w.fail("%s was handed on before %s, which was received earlier and is about the same", r.record.WebhookID, before.record.WebhookID)
		}
		last[r.order] = r
	}
}
