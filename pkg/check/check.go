package check

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Config says what to check. URL and Secret are required.
type Config struct {
	URL       string
	Platform  webhook.Platform // workskedge or worksome; default: workskedge
	Secret    webhook.Secret
	Transport http.RoundTripper                          // default: deliver.NewTransport()
	Now       func() time.Time                           // default: time.Now
	NewID     func() string                              // returns a new id for an event or a delivery; default: rand.Text of crypto/rand
	Timeout   time.Duration                              // of one request; default: deliver.DefaultTimeout
	Wait      func(context.Context, time.Duration) error // pauses between counts of the effect; default: deliver.Wait
	UserAgent string                                     // default: "wsk"

	// Effect returns how much the receiver has done so far: rows, files, jobs.
	// Without it, the cases that need it are skipped.
	Effect func(context.Context) (int64, error)

	Events []webhook.Definition // each with a sample is sent as well, in a case "event:TYPE"
	Only   []string             // IDs or globs of the cases to run; default: all
	Skip   []string             // IDs or globs of the cases not to run
}

func (c Config) withDefaults() Config {
	c.Platform = cmp.Or(c.Platform, webhook.WorkSkedge)
	c.Timeout = cmp.Or(c.Timeout, deliver.DefaultTimeout)
	if c.Transport == nil {
		c.Transport = deliver.NewTransport()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	if c.Wait == nil {
		c.Wait = deliver.Wait
	}
	return c
}

// Result is the result of one case.
type Result struct {
	Case     Case
	Verdict  report.Verdict
	Status   int               // of the response that decided; 0 if there was none
	Detail   string            // one sentence; may be empty
	Took     time.Duration     // for all its requests
	Request  *webhook.Request  // that decided a failure or warning, if one did
	Response *webhook.Response // to Request, if there was one
}

// Report is the result of a run.
type Report struct {
	URL     string // with credentials masked
	Results []Result

	Passed, Failed, Warnings, Skipped int // how many of the results
}

// UnreachableError is returned if no connection to the receiver could be made.
type UnreachableError struct {
	URL    string // with credentials masked
	Reason string
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s: %s", e.URL, e.Reason)
}

// Run checks a receiver, one case after another. It calls each, if not nil, with
// every result.
//
// The error is an [*UnreachableError] if the first request could not be sent, the
// error of Config.Effect or of ctx, or one about the Config. The report then has
// the results so far.
func Run(ctx context.Context, c Config, each func(Result)) (Report, error) {
	results := Report{URL: webhook.RedactURL(c.URL)}
	c = c.withDefaults()
	cases, err := c.cases()
	if err == nil {
		err = deliver.CheckURL(c.URL)
	}
	if err == nil && c.Secret.IsZero() {
		err = webhook.ErrBlankSecret
	}
	if err != nil {
		return results, err
	}
	s, err := newSession(c)
	if err != nil {
		return results, err
	}
	add := func(r Result) {
		results.add(r)
		if each != nil {
			each(r)
		}
	}
	return results, s.run(ctx, cases, add)
}

// cases returns the cases that Only and Skip select.
func (c *Config) cases() ([]Case, error) {
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
		if err := webhook.CheckGlob("case", glob, ids); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(cases, func(k Case) bool {
		isNamed := func(glob string) bool { return matches(glob, k.ID) }
		return len(c.Only) > 0 && !slices.ContainsFunc(c.Only, isNamed) || slices.ContainsFunc(c.Skip, isNamed)
	}), nil
}

func matches(glob, id string) bool {
	ok, err := path.Match(glob, id)
	return err == nil && ok
}

func (r *Report) add(result Result) {
	r.Results = append(r.Results, result)
	switch result.Verdict {
	case report.Pass:
		r.Passed++
	case report.Fail:
		r.Failed++
	case report.Warn:
		r.Warnings++
	case report.Skip:
		r.Skipped++
	}
}

// maxTimeouts is the number of requests without a response after which the
// remaining cases are skipped.
const maxTimeouts = 2

// run starts with the valid event, selected or not: the other cases mean nothing
// for a receiver that refuses it.
func (s *session) run(ctx context.Context, cases []Case, add func(Result)) error {
	valid, err := s.try(ctx, validCase)
	if err != nil {
		return err
	}
	works := valid.Verdict == report.Pass
	if !works && !slices.ContainsFunc(cases, func(c Case) bool { return c.ID == validCase.ID }) {
		add(valid) // the reason why the others are skipped
	}
	for _, c := range cases {
		var result Result
		if c.ID == validCase.ID {
			result = valid
		} else if reason := s.skipReason(&c, works); reason != "" {
			result = Result{Case: c, Verdict: report.Skip, Detail: reason}
		} else if result, err = s.try(ctx, c); err != nil {
			return err
		}
		add(result)
	}
	return nil
}

// skipReason returns why a case is skipped, or "" if it runs.
func (s *session) skipReason(c *Case, works bool) string {
	switch {
	case c.always:
		return ""
	case !works:
		return "not checked: the receiver refuses the valid event"
	case s.timeouts >= maxTimeouts:
		return "not checked: the receiver did not respond to several requests"
	case c.after != "" && s.accepted[c.after]:
		return "explained by " + c.after
	}
	return ""
}

// try runs one case.
func (s *session) try(ctx context.Context, c Case) (Result, error) {
	began := s.config.Now()
	judge := c.judge
	if judge == nil {
		judge = c.judgeResponses
	}
	f, err := judge(ctx, s)
	result := Result{Case: c, Verdict: cmp.Or(f.verdict, report.Pass), Status: f.status, Detail: f.detail, Took: s.config.Now().Sub(began)}
	if result.Verdict == report.Fail && c.Severity == report.Warning {
		result.Verdict = report.Warn
	}
	if f.record != nil && (result.Verdict == report.Fail || result.Verdict == report.Warn) {
		sent := f.record.Request
		result.Request, result.Response = &sent, f.record.Response
	}
	if err == nil {
		err = ctx.Err()
	}
	return result, err
}

// judgeResponses sends the requests of a case and compares each response with
// what the case expects. The first wrong one decides, and the first request
// without a response ends the case.
func (c *Case) judgeResponses(ctx context.Context, s *session) (finding, error) {
	var f finding
	var wrong []string
	for _, req := range c.send(s) {
		r, err := s.do(ctx, req)
		if err != nil {
			return f, err
		}
		status := r.Status()
		if status/100 == 2 && c.want == refused {
			s.accepted[c.ID] = true
		}
		problem := c.want.problem(req.name, r)
		switch {
		case problem != "":
			if wrong = append(wrong, req.name); len(wrong) == 1 {
				f = failure(problem, r)
			}
		case len(wrong) == 0:
			f.status = status
		}
		if r.Response == nil {
			break
		}
	}
	if len(wrong) > 1 {
		f.detail += "; the same for " + and(wrong[1:])
	}
	return f, nil
}

// and joins names to "a, b and c".
func and(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
