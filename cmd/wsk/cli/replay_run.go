package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
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
func (o *replayOptions) runner(env *Env) (replayRunner, error) {
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
	r.Speed, err = speed(o.speed)
	r.gaps = !math.IsInf(r.Speed, 0)
	return r, err
}

func replayClient(env *Env) deliver.Client {
	return deliver.Client{Transport: env.Transport, Now: env.Now, NewID: env.recordID, UserAgent: userAgent()}
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
func (o *replayOptions) confirm(ctx context.Context, env *Env, test *replay.Load, n int) error {
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
	return confirmRemote(ctx, env, "replay", o.to, text, false)
}

// confirmRemote asks before something goes to another machine; yes answers.
func confirmRemote(ctx context.Context, env *Env, verb, to, text string, yes bool) error {
	if yes || deliver.IsLoopback(to) {
		return nil
	}
	target := ui.Clean(webhook.RedactURL(to))
	if !env.InTTY || !env.ErrTTY {
		return fmt.Errorf("%s is not this machine: give --yes to %s %s there", target, verb, text)
	}
	fmt.Fprintf(env.Err, "%s %s to %s ? [y/N] ", verb, text, target)
	answer, err := readLine(ctx, env)
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	if err != nil {
		return err
	}
	return &noError{errors.New("nothing was sent")}
}

// readLine reads what a person types, and gives up when ctx ends.
func readLine(ctx context.Context, env *Env) (string, error) {
	typed := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(env.In).ReadString('\n') // an end of input is no answer, as an empty one
		typed <- line
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line := <-typed:
		return line, nil
	}
}

// judgeReplay decides the exit code.
func judgeReplay(o *replayOptions, s replay.Summary, v *replayView) error {
	switch {
	case s.Total > 0 && s.Answered == 0:
		return &unreachableError{fmt.Errorf("%s: %s", webhook.RedactURL(o.to), v.fault)}
	case s.Bad() > 0:
		return &noError{errSaid}
	}
	return nil
}
