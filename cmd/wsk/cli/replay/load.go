package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// replayLoad are the flags of a load test.
type replayLoad struct {
	rate     string
	duration time.Duration
	maxError string
	maxP99   time.Duration

	errorShare float64 // of --max-error; negative: none
}

func (l *replayLoad) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.rate, "rate", "", "load test: send `N/s`, N/m or N/h whatever the answers do, or max: as fast as they come")
	f.DurationVar(&l.duration, "duration", 0, "load test: send again and again for that `TIME`; without --rate, as fast as the answers come")
	f.StringVar(&l.maxError, "max-error", "", "load test: exit 1 when more than that `SHARE` does not pass: 1%")
	f.DurationVar(&l.maxP99, "max-p99", 0, "load test: exit 1 when the 99th percentile of the latency is over `TIME`")
}

// asked reports whether this is a load test.
func (*replayLoad) asked(o *options) bool { return o.given("rate") || o.given("duration") }

// settle reads the flags; nil means that it is no load test.
func (l *replayLoad) settle(o *options) (*replay.Load, error) {
	if !l.asked(o) {
		for _, flag := range []string{"max-error", "max-p99"} {
			if o.given(flag) {
				return nil, fmt.Errorf("--%s is for a load test: give --rate or --duration", flag)
			}
		}
		return nil, nil
	}
	for _, flag := range []string{"speed", "order", "edit"} {
		if o.given(flag) {
			return nil, fmt.Errorf("--%s is not for a load test, which --rate or --duration makes it", flag)
		}
	}
	test := &replay.Load{Duration: l.duration, Concurrency: o.concurrency}
	var err error
	if test.Rate, err = replayRate(l.rate, o.given("rate")); err != nil {
		return nil, err
	}
	switch {
	case o.given("duration") && l.duration <= 0:
		return nil, fmt.Errorf("--duration %s: give a time above zero", l.duration)
	case o.given("max-p99") && l.maxP99 <= 0:
		return nil, fmt.Errorf("--max-p99 %s: give a time above zero", l.maxP99)
	}
	l.errorShare = -1
	if o.given("max-error") {
		number, percent := strings.CutSuffix(l.maxError, "%")
		share, err := strconv.ParseFloat(number, 64)
		if percent {
			share /= 100
		}
		if err != nil || !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("--max-error %q: write a share, such as 1%% or 0.01", l.maxError)
		}
		l.errorShare = share
	}
	test.Expect, err = replay.ParseExpect(o.expect)
	return test, err
}

// replayRate reads requests a second; 0 is as many as can be.
func replayRate(text string, given bool) (float64, error) {
	if !given || text == "max" {
		return 0, nil
	}
	number, unit, _ := strings.Cut(text, "/")
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.ParseFloat(number, 64)
	rate := n / seconds
	if err != nil || seconds == 0 || !(rate > 0) || rate > 1e6 || math.IsInf(rate, 0) {
		return 0, fmt.Errorf("--rate %q: write 500/s, 50/m or 1000/h, up to 1000000/s, or max", text)
	}
	return rate, nil
}

// loadGC is how much the heap may grow between two collections, in percent: a
// load test makes a lot of garbage and keeps next to nothing.
const loadGC = 800

// loadTest runs the test and writes its report.
func (o *options) loadTest(ctx context.Context, env *command.Env, p ui.Palette, source *replaySource, test *replay.Load, jobs []replay.Job) error {
	test.Client = replayClient(env)
	if o.journal.Path != "" { // keeping a record of each costs more than sending it, so it has to be asked for
		recorder, err := source.recorder(ctx)
		if err != nil {
			return err
		}
		test.Keep = func(r webhook.Record) { recorder.Store(ctx, &r) }
	}
	progress := newLoadProgress(env, test)
	test.Progress = progress.show
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC))
	found, err := test.Run(ctx, jobs)
	progress.done()
	if err != nil && ctx.Err() == nil {
		return err
	}
	verdict := o.load.judge(o, found)
	v := loadView{env: env, p: p, report: found, verdict: verdict, target: webhook.RedactURL(o.to)}
	return errors.Join(v.write(o.output.Format), err, verdict)
}

// Judge decides the exit code: by the limits that were given, else by whether
// anything passed.
func (l *replayLoad) judge(o *options, r replay.Report) error {
	p99 := r.Latency.Quantile(0.99)
	switch {
	case r.Requests > 0 && r.Answered() == 0:
		return command.NoResponse(fmt.Errorf("%s: %s", webhook.RedactURL(o.to), commonest(r.Errors)))
	case l.errorShare >= 0 && 1-r.Success() > l.errorShare:
		return command.No(fmt.Errorf("%s did not pass, and --max-error is %s", percent(1-r.Success()), l.maxError))
	case l.maxP99 > 0 && p99 > l.maxP99:
		return command.No(fmt.Errorf("the 99th percentile is %s, and --max-p99 is %s", latencyText(p99), l.maxP99))
	case l.errorShare < 0 && r.Passed == 0:
		return command.No(errors.New("nothing passed"))
	}
	return nil
}

// commonest is the error that came most often.
func commonest(errs map[string]int) string {
	best, most := "no answer", 0
	for text, n := range errs {
		if n > most || n == most && text < best {
			best, most = text, n
		}
	}
	return best
}
