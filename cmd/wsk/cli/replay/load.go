package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/replay"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// load are the flags of a load test.
type load struct {
	rate     string
	duration time.Duration
	maxError string
	maxP99   time.Duration

	errorShare float64 // of --max-error; negative: none
}

func (l *load) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.rate, "rate", "", "load test: send `N/s`, N/m or N/h whatever the answers do, or max: as fast as they come")
	command.DurationVar(f, &l.duration, "duration", 0, "load test: repeat for a `DURATION`; without --rate, as fast as the answers come")
	f.StringVar(&l.maxError, "max-error", "", "load test: exit 1 when more than the `SHARE`, such as 1%, does not pass")
	command.DurationVar(f, &l.maxP99, "max-p99", 0, "load test: exit 1 when the 99th percentile of the latency exceeds a `DURATION`")
}

// isSet reports whether this is a load test.
func (*load) isSet(o *options) bool { return o.given("rate") || o.given("duration") }

// parse reads the flags; nil means that this is not a load test.
func (l *load) parse(o *options) (*replay.Load, error) {
	if !l.isSet(o) {
		for _, flag := range []string{"max-error", "max-p99"} {
			if o.given(flag) {
				return nil, fmt.Errorf("--%s is for a load test: give --rate or --duration", flag)
			}
		}
		return nil, nil
	}
	for _, flag := range []string{"speed", "order", "edit"} {
		if o.given(flag) {
			return nil, fmt.Errorf("--%s is not for a load test, and --rate or --duration makes it one", flag)
		}
	}
	test := &replay.Load{Duration: l.duration, Concurrency: o.concurrency}
	var err error
	if o.given("rate") {
		if test.Rate, err = replay.ParseRate(l.rate); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
	}
	switch {
	case o.given("duration") && l.duration <= 0:
		return nil, fmt.Errorf("--duration %s: give a duration above zero", ui.Duration(l.duration))
	case o.given("max-p99") && l.maxP99 <= 0:
		return nil, fmt.Errorf("--max-p99 %s: give a duration above zero", ui.Duration(l.maxP99))
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

// loadGC is how much the heap may grow between two collections, in percent: a
// load test makes a lot of garbage and keeps almost nothing.
const loadGC = 800

// loadTest runs a load test and writes its report.
func (o *options) loadTest(ctx context.Context, env *command.Env, src *source, test *replay.Load, jobs []replay.Job) error {
	test.Client = env.Client()
	if o.journal.Path != "" { // storing a record costs more than sending the request, so it is done only with --journal
		recorder, err := src.recorder(ctx)
		if err != nil {
			return err
		}
		test.Keep = func(r webhook.Record) { recorder.Store(ctx, &r) }
	}
	var progress *command.Progress
	progress, test.Progress = newLoadProgress(env, test)
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC))
	found, err := test.Run(ctx, jobs)
	progress.Done()
	if err != nil && ctx.Err() == nil {
		return err
	}
	verdict := o.load.judge(o, found)
	v := loadView{env: env, p: o.output.Palette, report: found, verdict: verdict, target: webhook.RedactURL(o.to)}
	return errors.Join(v.write(o.output.Format), err, verdict)
}

// judge decides the exit code: by the limits that were given, else by whether
// anything passed.
func (l *load) judge(o *options, r replay.Report) error {
	p99 := r.Latency.Quantile(0.99)
	switch {
	case r.Requests > 0 && r.Answered() == 0:
		return command.Unanswered(o.to, byCount(r.Errors)[0], o.output.Text())
	case l.errorShare >= 0 && 1-r.Success() > l.errorShare:
		return command.No(fmt.Errorf("%s did not pass, and --max-error is %s", percent(1-r.Success()), l.maxError))
	case l.maxP99 > 0 && p99 > l.maxP99:
		return command.No(fmt.Errorf("the 99th percentile is %s, and --max-p99 is %s", ui.Latency(p99), l.maxP99))
	case l.errorShare < 0 && r.Passed == 0:
		return command.No(errors.New("nothing passed"))
	}
	return nil
}

// loadView writes the report of a load test.
type loadView struct {
	env     *command.Env
	p       ui.Palette
	report  replay.Report
	verdict error  // nil: it passes
	target  string // masked
}

// loadDocument is the report in JSON. Latencies are in milliseconds.
type loadDocument struct {
	Type     string         `json:"type,omitempty"`
	Target   string         `json:"target"`
	Rate     *float64       `json:"rate"` // a second; null for max
	Achieved float64        `json:"achieved_rate"`
	Duration float64        `json:"duration_ms"`
	Requests int            `json:"requests"`
	Unsent   int            `json:"unsent"`
	Success  float64        `json:"success"` // the share that passed
	Errors   map[string]int `json:"errors"`
	Statuses map[string]int `json:"statuses"`
	Latency  loadLatency    `json:"latency_ms"`
	Bars     []loadBar      `json:"histogram"`
	Verdict  string         `json:"verdict"`
}

type loadLatency struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

type loadBar struct {
	LE    float64 `json:"le_ms"`
	Count int     `json:"count"`
}

// write writes it in a format.
func (v loadView) write(format string) error {
	switch format {
	case "text":
		return v.text()
	case "junit":
		return v.junit()
	}
	d := v.document()
	if format == "ndjson" {
		d.Type = "summary"
	}
	return command.WriteJSON(v.env.Out, d)
}

func (v loadView) document() loadDocument {
	r := v.report
	ms := replay.Milliseconds
	q := func(share float64) float64 { return ms(r.Latency.Quantile(share)) }
	d := loadDocument{
		Target: v.target, Achieved: round(r.Achieved), Duration: ms(r.Duration), Requests: r.Requests, Unsent: r.Unsent,
		Success: r.Success(), Errors: r.Errors, Statuses: r.Statuses, Bars: []loadBar{}, Verdict: "pass",
		Latency: loadLatency{
			Min: ms(r.Latency.Min()), Mean: ms(r.Latency.Mean()), P50: q(0.5), P90: q(0.9), P95: q(0.95), P99: q(0.99), Max: ms(r.Latency.Max()),
		},
	}
	if r.Rate > 0 {
		d.Rate = &r.Rate
	}
	if v.verdict != nil {
		d.Verdict = "fail"
	}
	for _, b := range r.Latency.Bars() {
		d.Bars = append(d.Bars, loadBar{ms(b.LE), b.Count})
	}
	return d
}

// round rounds to two decimals.
func round(f float64) float64 { return math.Round(f*100) / 100 }

// junit shows the test as one case.
func (v loadView) junit() error {
	c := report.Case{Class: "wsk.replay", Name: "load test of " + v.target, Verdict: report.Pass, Took: v.report.Duration}
	if v.verdict != nil {
		c.Verdict, c.Type, c.Detail = report.Fail, "load", v.verdict.Error()
	}
	return report.WriteCases(v.env.Out, "junit", "wsk replay "+v.target, []report.Case{c})
}

func (v loadView) text() error {
	r := v.report
	requested := "as fast as the answers came"
	if r.Rate > 0 {
		requested = rateText(r.Rate) + " requested"
	}
	var t ui.Table
	row := func(label, format string, args ...any) {
		t.Field(v.p, label, fmt.Sprintf(format, args...))
	}
	row("target", "%s", v.target)
	row("rate", "%s, %s", rateText(r.Achieved), requested)
	row("requests", "%d in %s", r.Requests, ui.Latency(r.Duration))
	if r.Unsent > 0 {
		row("not sent", "%d, for which no slot was free in time: raise --concurrency", r.Unsent)
	}
	row("passed", "%d, %s", r.Passed, percent(r.Success()))
	row("statuses", "%s", statusText(r.Statuses))
	label := "errors"
	for _, text := range byCount(r.Errors) {
		row(label, "%d × %s", r.Errors[text], text)
		label = ""
	}
	l := r.Latency
	quantile := func(q float64) string { return ui.Latency(l.Quantile(q)) }
	row("latency", "min %s  mean %s  max %s", ui.Latency(l.Min()), ui.Latency(l.Mean()), ui.Latency(l.Max()))
	row("", "p50 %s  p90 %s  p95 %s  p99 %s", quantile(0.5), quantile(0.9), quantile(0.95), quantile(0.99))
	return errors.Join(t.Write(v.env.Out), v.bars(l.Bars()))
}

// barColumns is the longest bar; with its label a line keeps within 60.
const barColumns = 38

// bars draws the histogram.
func (v loadView) bars(bars []replay.Bar) error {
	most := 0
	for _, b := range bars {
		most = max(most, b.Count)
	}
	var text strings.Builder
	for _, b := range bars {
		width := 0
		if b.Count > 0 {
			width = max(1, b.Count*barColumns/most)
		}
		line := fmt.Sprintf("  ≤ %7s %s %d", ui.Latency(b.LE), v.p.Name(strings.Repeat("█", width)), b.Count)
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if len(bars) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(v.env.Out, "\n%s", text.String())
	return err
}

// byCount returns the keys, the most frequent first.
func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
}

// statusText writes how many answers had each status.
func statusText(counts map[string]int) string {
	var parts []string
	for _, status := range byCount(counts) {
		parts = append(parts, fmt.Sprintf("%s × %d", status, counts[status]))
	}
	if len(parts) == 0 {
		return "none: no request was answered"
	}
	return strings.Join(parts, ", ")
}

func rateText(perSecond float64) string {
	return strconv.FormatFloat(round(perSecond), 'f', -1, 64) + "/s"
}

func percent(share float64) string { return strconv.FormatFloat(round(100*share), 'f', -1, 64) + " %" }

// newLoadProgress returns the progress of a load test, and what counts its answers.
func newLoadProgress(env *command.Env, test *replay.Load) (p *command.Progress, answered func(n int)) {
	var answers atomic.Int64
	p = command.NewProgress(env, func(spent time.Duration) string {
		done := answers.Load()
		text := fmt.Sprintf("%s  %d requests  %s", ui.Duration(spent.Round(time.Second)), done, rateText(float64(done)/spent.Seconds()))
		if test.Duration > 0 {
			text += fmt.Sprintf("  %s left", ui.Duration(max(test.Duration-spent, 0).Round(time.Second)))
		}
		return text
	})
	return p, func(n int) {
		answers.Store(int64(n))
		p.Update()
	}
}
