package check

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says what to check. URL, Secret, Transport, Now and NewID are
// required.
type Config struct {
	URL       string
	Platform  webhook.Platform // workskedge or worksome; default: workskedge
	Secret    webhook.Secret
	Transport http.RoundTripper // see deliver.NewTransport
	Now       func() time.Time
	NewID     func() string
	Timeout   time.Duration                              // of one request; default: deliver.DefaultTimeout
	Wait      func(context.Context, time.Duration) error // default: deliver.Wait
	UserAgent string                                     // default: "wsk"

	// Effect counts what the receiver has done: rows, files, jobs. Without it
	// the cases that need it are skipped.
	Effect func(context.Context) (int64, error)

	Events []webhook.Definition // sent as well where they have a sample, each as a case "event:TYPE"
	Only   []string             // ids or globs of the cases to run; default: all
	Skip   []string             // ids or globs of the cases to leave out
}

// Result is what became of one case.
type Result struct {
	Case     Case
	Verdict  Verdict
	Status   int               // of the answer that decided; 0: there was none
	Detail   string            // one sentence; "" where there is nothing to say
	Took     time.Duration     // all its requests
	Request  *webhook.Request  // that decided a fail or a warn
	Response *webhook.Response // to it
}

// Report is what became of all cases.
type Report struct {
	URL     string
	Results []Result

	Passed, Failed, Warnings, Skipped int
}

// UnreachableError says that no connection could be made.
type UnreachableError struct {
	URL    string
	Reason string
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s: %s", webhook.RedactURL(e.URL), e.Reason)
}

// EffectError says that Config.Effect could not tell.
type EffectError struct{ Err error }

func (e *EffectError) Error() string { return e.Err.Error() }
func (e *EffectError) Unwrap() error { return e.Err }

// Run holds a receiver to its cases, one after another. each, if not nil, gets
// every result as it comes. The error is an [*UnreachableError] when not even
// the first request could be sent, an [*EffectError], ctx's, or one of the
// Config; the report then holds what was found before.
func Run(ctx context.Context, c Config, each func(Result)) (Report, error) {
	report := Report{URL: c.URL}
	c.Platform = cmp.Or(c.Platform, webhook.WorkSkedge)
	c.Timeout = cmp.Or(c.Timeout, deliver.DefaultTimeout)
	if c.Wait == nil {
		c.Wait = deliver.Wait
	}
	cases, err := c.selected()
	if err == nil {
		err = deliver.CheckURL(c.URL)
	}
	if err == nil && c.Secret.IsZero() {
		err = webhook.ErrBlankSecret
	}
	if err != nil {
		return report, err
	}
	s, err := newSession(c)
	if err != nil {
		return report, err
	}
	add := func(r Result) {
		report.add(r)
		if each != nil {
			each(r)
		}
	}
	return report, s.run(ctx, cases, add)
}

// selected is the cases that Only and Skip leave.
func (c *Config) selected() ([]Case, error) {
	if c.Platform != webhook.WorkSkedge && c.Platform != webhook.Worksome {
		return nil, webhook.Unknown("platform to check for", string(c.Platform), []string{string(webhook.WorkSkedge), string(webhook.Worksome)})
	}
	cases := Cases(c.Platform)
	for _, d := range c.Events {
		if d.Sample() != nil {
			cases = append(cases, eventCase(d))
		}
	}
	ids := make([]string, len(cases))
	for i := range cases {
		ids[i] = cases[i].ID
	}
	for _, glob := range slices.Concat(c.Only, c.Skip) {
		if !slices.ContainsFunc(ids, func(id string) bool { return matches(glob, id) }) {
			return nil, webhook.Unknown("case", glob, ids)
		}
	}
	var picked []Case
	for i, id := range ids {
		names := func(glob string) bool { return matches(glob, id) }
		if (len(c.Only) == 0 || slices.ContainsFunc(c.Only, names)) && !slices.ContainsFunc(c.Skip, names) {
			picked = append(picked, cases[i])
		}
	}
	return picked, nil
}

func matches(glob, id string) bool {
	ok, err := path.Match(glob, id)
	return err == nil && ok
}

func (r *Report) add(result Result) {
	r.Results = append(r.Results, result)
	switch result.Verdict {
	case Pass:
		r.Passed++
	case Fail:
		r.Failed++
	case Warn:
		r.Warnings++
	case Skip:
		r.Skipped++
	}
}

// tooManyTimeouts is after how many unanswered requests the rest is skipped.
const tooManyTimeouts = 2

// run tries the valid event first, selected or not: what else could be told of
// a receiver that refuses it?
func (s *session) run(ctx context.Context, cases []Case, add func(Result)) error {
	chosen := slices.ContainsFunc(cases, func(c Case) bool { return c.ID == validID })
	valid, err := s.try(ctx, &firstCases()[0])
	if err != nil {
		return err
	}
	if !chosen && valid.Verdict != Pass {
		add(valid) // it is why the others are skipped
	}
	for i := range cases {
		c := &cases[i]
		var result Result
		reason := s.skip(c, valid.Verdict == Pass)
		switch {
		case c.ID == validID:
			result = valid
		case reason != "":
			result = Result{Case: *c, Verdict: Skip, Detail: reason}
		default:
			if result, err = s.try(ctx, c); err != nil {
				return err
			}
		}
		add(result)
	}
	return nil
}

// skip says why a case is not run, or "".
func (s *session) skip(c *Case, works bool) string {
	switch {
	case c.always:
		return ""
	case !works:
		return "nothing can be told while the valid event is refused"
	case s.timeouts >= tooManyTimeouts:
		return "the receiver has left several requests without an answer"
	case c.after != "" && s.taken[c.after]:
		return "explained by " + c.after
	}
	return ""
}

// try runs one case.
func (s *session) try(ctx context.Context, c *Case) (Result, error) {
	began := s.config.Now()
	var f finding
	var err error
	if c.judge != nil {
		f, err = c.judge(ctx, s)
	} else {
		f, err = s.judgeAll(ctx, c)
	}
	result := Result{Case: *c, Verdict: f.verdict, Status: f.status, Detail: f.detail, Took: s.config.Now().Sub(began)}
	switch {
	case result.Verdict == "":
		result.Verdict = Pass
	case result.Verdict == Fail && c.Severity == Warning:
		result.Verdict = Warn
	}
	if f.record != nil && result.Verdict != Pass && result.Verdict != Skip {
		request := f.record.Request
		result.Request, result.Response = &request, f.record.Response
	}
	if err == nil {
		err = ctx.Err()
	}
	return result, err
}

// judgeAll sends what a case sends and holds each answer to what it wants. The
// first that is wrong decides; a request without an answer ends the case.
func (s *session) judgeAll(ctx context.Context, c *Case) (finding, error) {
	var f finding
	var wrong []string
	for _, shot := range c.send(s) {
		r, err := s.fire(ctx, shot)
		if err != nil {
			return f, err
		}
		if r.Response != nil && r.Response.Status/100 == 2 && c.want == refused {
			s.taken[c.ID] = true
		}
		text := c.want.judged(shot.what, r)
		if text == "" {
			if f.verdict == "" && r.Response != nil {
				f.status = r.Response.Status
			}
			continue
		}
		if wrong = append(wrong, shot.what); len(wrong) == 1 {
			f = decided(text, r)
		}
		if r.Response == nil {
			break
		}
	}
	if len(wrong) > 1 {
		f.detail += "; the same for " + joined(wrong[1:])
	}
	return f, nil
}

// decided is a failure that one answer shows.
func decided(detail string, r *webhook.Record) finding {
	f := finding{verdict: Fail, detail: detail, record: r}
	if r.Response != nil {
		f.status = r.Response.Status
	}
	return f
}

func joined(list []string) string {
	if n := len(list) - 1; n > 0 {
		rest := list[0]
		for _, name := range list[1:n] {
			rest += ", " + name
		}
		return rest + " and " + list[n]
	}
	return list[0]
}
