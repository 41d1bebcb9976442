package check

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// remember is how each language knows an id again.
func remember() Mend {
	return Mend{
		Node:   "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and answer 200 when it is there already.",
		Python: "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and answer 200 on IntegrityError.",
		PHP:    "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and answer 200 on a duplicate key.",
		Go:     "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, or use receive.New, which remembers ids.",
	}
}

func deliveryCases() []Case {
	skedge := []webhook.Platform{webhook.WorkSkedge}
	return []Case{{
		ID: "duplicate", Severity: Error, want: taken,
		Title: "the same delivery a second time is taken",
		Why:   "An answer can get lost on its way. A refusal of the repeat tells the platform that the event failed, although you have it.",
		Mend:  remember(),
		send: func(s *session) []*shot {
			good := s.good("a delivery", s.valid())
			return []*shot{good, good.again()}
		},
	}, {
		ID: "duplicate_effect", Severity: Error, platforms: skedge, judge: judgeDuplicate,
		Title: "the same delivery a second time has no second effect",
		Why:   "A delivery is repeated whenever its answer is late or lost: without a memory of ids the order is run twice.",
		Mend:  remember(),
	}, {
		ID: "captured", Severity: Warning, platforms: skedge, judge: judgeCaptured,
		Title: "a captured request under a new id has no second effect",
		Why:   "The id is not under the signature: whoever has seen a request can send it again for five minutes with another id.",
		Mend: Mend{
			Node:   "Remember a SHA-256 of timestamp and body beside the id, and do nothing when it is known.",
			Python: "Remember hashlib.sha256(timestamp + b'.' + body) beside the id, and do nothing when it is known.",
			PHP:    "Remember hash('sha256', $timestamp . '.' . $body) beside the id, and do nothing when it is known.",
			Go:     "Remember receive.BodyDigest beside the id, or use receive.New, which does.",
		},
	}, {
		ID: "retry", Severity: Error, want: taken, platforms: skedge,
		Title: "a delivery that is the platform's last try is taken",
		Why:   "X-Webhook-Retry counts from 0 to 5. A receiver that takes first tries only loses every event that came while it was down.",
		Mend: Mend{
			Node:   "Do not look at X-Webhook-Retry to decide; the id says whether the event is new.",
			Python: "Do not look at X-Webhook-Retry to decide; the id says whether the event is new.",
			PHP:    "Do not look at X-Webhook-Retry to decide; the id says whether the event is new.",
			Go:     "Do not look at X-Webhook-Retry to decide; the id says whether the event is new.",
		},
		send: func(s *session) []*shot {
			last := s.good("X-Webhook-Retry: 5", s.valid())
			last.attempt = 5
			return []*shot{last}
		},
	}, {
		ID: "burst", Severity: Error, judge: judgeBurst,
		Title: "50 deliveries at once are taken",
		Why:   "A batch of changes raises as many events at the same time. What is refused then comes again later, on top of the next batch.",
		Mend: Mend{
			Node:   "Answer before the work is done: put the event into a queue, and keep the pool of database connections larger than one.",
			Python: "Run more than one worker (gunicorn -w 4) and put the event into a queue before answering.",
			PHP:    "Raise pm.max_children, and put the event into a queue before answering.",
			Go:     "Hold no lock over the work, and let SetMaxOpenConns leave room; put the event into a queue before answering.",
		},
	}, {
		ID: "get", Severity: Warning, want: notTaken,
		Title: "a GET is not taken for an event",
		Why:   "Browsers, crawlers and link previews send GET. Whoever answers it as an event has a route that is too wide.",
		Mend: Mend{
			Node:   "Use app.post for the route, and leave app.all and app.use to others.",
			Python: "Write methods=['POST'] on the route.",
			PHP:    "Answer 405 when $_SERVER['REQUEST_METHOD'] is not POST.",
			Go:     "Write \"POST /hooks\" as the pattern of http.ServeMux, which answers 405 by itself.",
		},
		send: func(*session) []*shot {
			return []*shot{{what: "a GET", method: http.MethodGet}}
		},
	}}
}

// again is the shot as the platform repeats it.
func (s shot) again() *shot {
	s.what, s.attempt = "the same delivery again", 1
	return &s
}

// burstSize is how many deliveries come at once: as many as WorkSkedge's page
// allows in a minute the other way.
const burstSize = 50

func judgeBurst(ctx context.Context, s *session) (finding, error) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	var fault error
	var first *webhook.Record
	var text string
	bad, status := 0, 0
	for range burstSize {
		burst := s.good("a delivery among 50 at once", s.valid())
		wait.Go(func() {
			r, err := s.fire(ctx, burst)
			mu.Lock()
			defer mu.Unlock()
			switch said := taken.judged(burst.what, r); {
			case err != nil:
				fault = err
			case said == "":
				status = r.Response.Status
			default:
				if bad++; first == nil {
					first, text = r, said
				}
			}
		})
	}
	wait.Wait()
	if fault != nil || first == nil {
		return finding{status: status}, fault
	}
	return decided(fmt.Sprintf("%s; %d of %d were not taken", text, bad, burstSize), first), nil
}

const noEffect = "give --effect-cmd to have it counted"

// judgeDuplicate sends one delivery twice and counts what it has done.
func judgeDuplicate(ctx context.Context, s *session) (finding, error) {
	if s.config.Effect == nil {
		return finding{verdict: Skip, detail: noEffect}, nil
	}
	good := s.good("a delivery", s.valid())
	done, last, err := s.effect(ctx, good, good.again())
	switch {
	case err != nil:
		return finding{}, err
	case done == 0:
		return finding{verdict: Skip, detail: "the count did not change: the command does not count what " + s.event + " does"}, nil
	case done > 1:
		return decided(fmt.Sprintf("one delivery sent twice was done %d times", done), last), nil
	}
	return finding{status: statusOf(last)}, nil
}

// judgeCaptured sends a request a second time under a new id. It may be taken
// or refused; what counts is that nothing is done.
func judgeCaptured(ctx context.Context, s *session) (finding, error) {
	good := s.good("a delivery", s.valid())
	captured := &shot{
		what: "a captured request under a new id", body: good.body, right: good.right,
		header: good.header.With(webhook.HeaderID, "whk_"+s.config.NewID()),
	}
	if s.config.Effect != nil {
		done, last, err := s.effect(ctx, good, captured)
		switch {
		case err != nil:
			return finding{}, err
		case done > 1:
			return decided(fmt.Sprintf("a request that was sent again under a new id was done %d times", done), last), nil
		}
		return finding{status: statusOf(last)}, nil
	}
	if _, err := s.fire(ctx, good); err != nil {
		return finding{}, err
	}
	r, err := s.fire(ctx, captured)
	if err != nil {
		return finding{}, err
	}
	if status := statusOf(r); status == 0 || status/100 == 5 {
		return decided(refused.judged(captured.what, r), r), nil
	}
	return finding{status: statusOf(r), detail: "answered; " + noEffect}, nil
}

func statusOf(r *webhook.Record) int {
	if r.Response == nil {
		return 0
	}
	return r.Response.Status
}

// How long the count of effects is watched: a receiver may work behind its
// answer.
const (
	watchEvery = 50 * time.Millisecond
	watchTimes = 20
	watchQuiet = 6 // looks without a change that end it, once there was one
)

// effect sends requests and returns how much the count has grown, and the last
// answer.
func (s *session) effect(ctx context.Context, shots ...*shot) (done int64, last *webhook.Record, err error) {
	before, err := s.config.Effect(ctx)
	if err != nil {
		return 0, last, &EffectError{err}
	}
	for _, shot := range shots {
		if last, err = s.fire(ctx, shot); err != nil {
			return 0, last, err
		}
	}
	quiet := 0
	for n := 0; n < watchTimes && quiet < watchQuiet; n++ {
		now, err := s.config.Effect(ctx)
		if err != nil {
			return 0, last, &EffectError{err}
		}
		switch grown := now - before; {
		case grown > 1:
			return grown, last, nil
		case grown == done && done > 0:
			quiet++
		default:
			done, quiet = grown, 0
		}
		if err := s.config.Wait(ctx, watchEvery); err != nil {
			return 0, last, err
		}
	}
	return done, last, nil
}

// eventCase sends the sample of one event of the catalog.
func eventCase(d webhook.Definition) Case {
	ok := "Answer 200 to every event that the platform sends, and let those that you do not handle pass."
	return Case{
		ID: "event:" + d.Type, Severity: Error, want: taken,
		Title: "the event " + d.Type + " is taken",
		Why:   "It is in the platform's catalog, so it will come: " + d.Description(),
		Mend:  Mend{ok, ok, ok, ok},
		send: func(s *session) []*shot {
			good := s.good("the event "+d.Type, d.Sample())
			if good.header.Has(webhook.HeaderEvent) {
				good.header = good.header.With(webhook.HeaderEvent, d.Type)
			}
			return []*shot{good}
		},
	}
}
