package replay

import (
	"context"
	"fmt"
	"math"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// anyOrder is how many deliveries are under way when the order is any and
// nothing else is said.
const anyOrder = 8

// replayRunner is a runner with what was asked of its order.
type replayRunner struct {
	replay.Runner
	gaps bool // recorded ones are kept
}

// runner settles order and speed.
func (o *options) runner(env *command.Env) (replayRunner, error) {
	r := replayRunner{Runner: replay.Runner{Client: replayClient(env), Concurrency: max(o.concurrency, 1)}}
	if o.order != "preserved" && o.order != "any" {
		return r, webhook.Unknown("order", o.order, []string{"preserved", "any"})
	}
	switch {
	case o.concurrency < 0 || o.concurrency == 0 && o.given("concurrency"):
		return r, fmt.Errorf("--concurrency %d: send 1 at a time or more", o.concurrency)
	case o.concurrency > 1 && o.given("order") && o.order == "preserved" && !o.load.asked(o):
		return r, fmt.Errorf("--order preserved and --concurrency %d contradict each other: in order, one goes after another", o.concurrency)
	case o.order == "any" && o.concurrency == 0:
		r.Concurrency = anyOrder
	}
	var err error
	if r.Expect, err = replay.ParseExpect(o.expect); err != nil {
		return r, fmt.Errorf("--expect-status %w", err)
	}
	r.Speed, err = command.ParseSpeed(o.speed)
	r.gaps = !math.IsInf(r.Speed, 0)
	return r, err
}

func replayClient(env *command.Env) deliver.Client {
	return deliver.Client{Transport: env.Transport, Now: env.Now, NewID: env.RecordID, UserAgent: command.UserAgent()}
}

// ordered refuses gaps where none were recorded.
func (r replayRunner) ordered(items []replay.Item) error {
	for _, i := range items {
		if r.gaps && i.Record == nil {
			return fmt.Errorf("%s: it is a payload and no record: no time was recorded that --speed could keep", i.Name())
		}
	}
	return nil
}

// confirm asks before anything is sent to another machine.
func (o *options) confirm(ctx context.Context, env *command.Env, test *replay.Load, n int) error {
	if o.yes || deliver.IsLoopback(o.to) {
		return nil
	}
	what := "deliveries"
	if n == 1 {
		what = "delivery"
	}
	text := fmt.Sprintf("%d %s", n, what)
	if test != nil {
		text += " as a load test"
	}
	return command.ConfirmRemote(ctx, env, "replay", o.to, text, false)
}

// judgeReplay decides the exit code.
func judgeReplay(o *options, s replay.Summary, v *replayView) error {
	switch {
	case s.Total > 0 && s.Answered == 0:
		return command.NoResponse(fmt.Errorf("%s: %s", webhook.RedactURL(o.to), v.fault))
	case s.Bad() > 0:
		return command.No(command.ErrReported)
	}
	return nil
}
