package check

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// fixDuplicates explains how to recognize the id of a delivery.
var fixDuplicates = Fix{
	Node:   "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and respond 200 if it already exists.",
	Python: "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and respond 200 on IntegrityError.",
	PHP:    "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, and respond 200 on a duplicate key.",
	Go:     "INSERT the X-Webhook-ID under a UNIQUE index in the transaction that does the work, or use receive.New, which remembers ids.",
}

// sameFix is the fix for every language.
func sameFix(text string) Fix { return Fix{Node: text, Python: text, PHP: text, Go: text} }

var deliveryCases = []Case{{
	ID: "duplicate", Severity: report.Error, want: accepted,
	Title: "a repeated delivery is accepted",
	Why:   "A response can get lost. If the repetition is refused, the platform counts the event as failed although you have it.",
	Fix:   fixDuplicates,
	send: func(s *session) []*request {
		r := s.signed("a delivery", s.validBody())
		return []*request{r, s.repeated(r)}
	},
}, {
	ID: "duplicate_effect", Severity: report.Error, platforms: workskedgeOnly, judge: judgeDuplicate,
	Title: "a repeated delivery has no second effect",
	Why:   "A delivery is repeated whenever its response is late or lost. A receiver that does not remember ids carries out the order twice.",
	Fix:   fixDuplicates,
}, {
	ID: "captured", Severity: report.Warning, platforms: workskedgeOnly, judge: judgeCaptured,
	Title: "a captured request under a new id has no effect",
	Why:   "The id is not signed: for five minutes, anyone who has seen a request can send it again with another id.",
	Fix: Fix{
		Node:   "Remember a SHA-256 of the timestamp and the body with the id, and do nothing if it is known.",
		Python: "Remember hashlib.sha256(timestamp + b'.' + body) with the id, and do nothing if it is known.",
		PHP:    "Remember hash('sha256', $timestamp . '.' . $body) with the id, and do nothing if it is known.",
		Go:     "Remember receive.BodyDigest with the id, or use receive.New, which does.",
	},
}, {
	ID: "retry", Severity: report.Error, want: accepted, platforms: workskedgeOnly,
	Title: "the platform's last retry is accepted",
	Why:   "X-Webhook-Retry counts from 0 to 5. A receiver that accepts only first attempts loses every event that was sent while it was down.",
	Fix:   sameFix("Do not decide by X-Webhook-Retry: the id says whether the event is new."),
	send: func(s *session) []*request {
		r := s.signed("X-Webhook-Retry: 5", s.validBody())
		r.attempt = 5
		return []*request{r}
	},
}, {
	ID: "burst", Severity: report.Error, judge: judgeBurst,
	Title: "50 concurrent deliveries are accepted",
	Why:   "A batch of changes causes as many events at the same time. A refused delivery is sent again later, on top of the next batch.",
	Fix: Fix{
		Node:   "Put the event into a queue and respond before the work is done; allow more than one database connection.",
		Python: "Run more than one worker (gunicorn -w 4), and put the event into a queue before responding.",
		PHP:    "Raise pm.max_children, and put the event into a queue before responding.",
		Go:     "Do not hold a lock while working, allow more connections with SetMaxOpenConns, and put the event into a queue before responding.",
	},
}, {
	ID: "get", Severity: report.Warning, want: notAccepted,
	Title: "a GET is not accepted as an event",
	Why:   "Browsers, crawlers and link previews send GET. A receiver that accepts it has a route that is too wide.",
	Fix: Fix{
		Node:   "Use app.post for the route, not app.all or app.use.",
		Python: "Set methods=['POST'] on the route.",
		PHP:    "Respond 405 if $_SERVER['REQUEST_METHOD'] is not POST.",
		Go:     "Use the pattern \"POST /hooks\" with http.ServeMux, which then responds 405 itself.",
	},
	send: func(*session) []*request {
		return []*request{{name: "a GET", method: http.MethodGet}}
	},
}}

// repeated returns a request as the platform sends it again: under the same id, with a
// new signature. A signature of the same second would be the same.
func (s *session) repeated(r *request) *request {
	again := s.signedAt("the same delivery again", r.body, s.config.Now().Add(time.Second))
	if id := s.scheme.IDHeader(); id != "" {
		again.header = again.header.With(id, r.header.Get(id))
	}
	again.attempt = 1
	return again
}

// burstSize is the number of deliveries at once: as many as WorkSkedge allows in
// a minute in the other direction (Webhooks page, "Rate Limits").
const burstSize = 50

func judgeBurst(ctx context.Context, s *session) (finding, error) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	var fault error
	var first *webhook.Record
	var problem string
	bad, status := 0, 0
	for range burstSize {
		req := s.signed("a delivery among 50 at once", s.validBody())
		wait.Go(func() {
			r, err := s.do(ctx, req)
			mu.Lock()
			defer mu.Unlock()
			switch p := accepted.problem(req.name, r); {
			case err != nil:
				fault = err
			case p == "":
				status = r.Response.Status
			default:
				if bad++; first == nil {
					first, problem = r, p
				}
			}
		})
	}
	wait.Wait()
	if fault != nil || first == nil {
		return finding{status: status}, fault
	}
	return failure(fmt.Sprintf("%s; %d of %d were not accepted", problem, bad, burstSize), first), nil
}

const needsEffect = "give --effect-cmd, or Effect in Go, to count the effect"

// judgeDuplicate sends one delivery twice and counts its effect.
func judgeDuplicate(ctx context.Context, s *session) (finding, error) {
	if s.config.Effect == nil {
		return finding{verdict: report.Skip, detail: needsEffect}, nil
	}
	r := s.signed("a delivery", s.validBody())
	done, last, err := s.effect(ctx, r, s.repeated(r))
	switch {
	case err != nil:
		return finding{}, err
	case done == 0:
		return finding{verdict: report.Skip, detail: "the count did not change: it does not count the effect of " + s.event}, nil
	case done > 1:
		return failure(fmt.Sprintf("one delivery that was sent twice took effect %d times", done), last), nil
	}
	return finding{status: last.Status()}, nil
}

// judgeCaptured sends a request again under a new id. The receiver may accept or
// refuse it, as long as it has no effect.
func judgeCaptured(ctx context.Context, s *session) (finding, error) {
	original := s.signed("a delivery", s.validBody())
	captured := *original
	captured.name = "a captured request under a new id"
	captured.header = original.header.With(webhook.HeaderID, "whk_"+s.config.NewID())
	if s.config.Effect != nil {
		done, last, err := s.effect(ctx, original, &captured)
		switch {
		case err != nil:
			return finding{}, err
		case done > 1:
			return failure(fmt.Sprintf("a request that was sent again under a new id took effect %d times", done), last), nil
		}
		return finding{status: last.Status()}, nil
	}
	if _, err := s.do(ctx, original); err != nil {
		return finding{}, err
	}
	r, err := s.do(ctx, &captured)
	if err != nil {
		return finding{}, err
	}
	status := r.Status()
	if status == 0 || status/100 == 5 {
		return failure(refused.problem(captured.name, r), r), nil
	}
	return finding{status: status, detail: "the receiver responded; " + needsEffect}, nil
}

// How long the effect is counted: a receiver may do the work after it has
// responded.
const (
	effectPause  = 50 * time.Millisecond
	effectCounts = 20
	effectSteady = 6 // equal counts after a change that end it
)

// effect sends requests. It returns by how much the effect has grown, and the
// last exchange.
func (s *session) effect(ctx context.Context, requests ...*request) (done int64, last *webhook.Record, err error) {
	before, err := s.config.Effect(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, req := range requests {
		if last, err = s.do(ctx, req); err != nil {
			return 0, last, err
		}
	}
	steady := 0
	for n := 0; n < effectCounts && steady < effectSteady; n++ {
		now, err := s.config.Effect(ctx)
		if err != nil {
			return 0, last, err
		}
		switch grown := now - before; {
		case grown > 1:
			return grown, last, nil
		case grown == done && done > 0:
			steady++
		default:
			done, steady = grown, 0
		}
		if err := s.config.Wait(ctx, effectPause); err != nil {
			return 0, last, err
		}
	}
	return done, last, nil
}

// eventCase returns a case that sends the sample of one event.
func eventCase(d webhook.Definition) Case {
	return Case{
		ID: "event:" + d.Type, Severity: report.Error, want: accepted,
		Title: "the event " + d.Type + " is accepted",
		Why:   "It is in the platform's catalog, so it will be sent: " + d.Description(),
		Fix:   sameFix("Respond 200 to every event that the platform sends, including those that you do not handle."),
		send: func(s *session) []*request {
			r := s.signed("the event "+d.Type, d.Sample())
			r.setEvent(d.Type)
			return []*request{r}
		},
	}
}
