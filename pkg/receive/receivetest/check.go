package receivetest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// CheckOption is an option of [Check]: one for Check alone, or an [Option].
type CheckOption interface{ apply(o *checkOptions) }

type checkOptions struct {
	options
	config    check.Config
	allEvents bool
	strict    bool
}

func (option Option) apply(o *checkOptions) { option(&o.options) }

type checkOption func(*checkOptions)

func (option checkOption) apply(o *checkOptions) { option(o) }

// Only runs only the cases with these IDs, or those that match a glob.
func Only(cases ...string) CheckOption {
	return checkOption(func(o *checkOptions) { o.config.Only = append(o.config.Only, cases...) })
}

// Skip leaves out the cases with these IDs, or those that match a glob.
func Skip(cases ...string) CheckOption {
	return checkOption(func(o *checkOptions) { o.config.Skip = append(o.config.Skip, cases...) })
}

// Effect gives Check a function that counts what the handler has done: rows, jobs, calls
// of a fake. Without it, the case duplicate_effect is skipped, and captured sees only
// responses. The handler may do the work after its response: the count is read again
// until it is steady.
func Effect(count func() int) CheckOption {
	return checkOption(func(o *checkOptions) {
		o.config.Effect = func(context.Context) (int64, error) { return int64(count()), nil }
	})
}

// Platform sends as a platform does, webhook.WorkSkedge or webhook.Worksome; default:
// webhook.WorkSkedge.
func Platform(p webhook.Platform) CheckOption {
	return checkOption(func(o *checkOptions) { o.config.Platform = p })
}

// AllEvents also sends the sample of every event that the platform sends, each in a case
// event:TYPE.
func AllEvents() CheckOption { return checkOption(func(o *checkOptions) { o.allEvents = true }) }

// Strict fails the test for a warning.
func Strict() CheckOption { return checkOption(func(o *checkOptions) { o.strict = true }) }

// Check runs the cases of package check, which are those of "wsk check", against a
// handler. Each case is a subtest with its ID as name. One that fails says what was sent
// and what came back, why it matters, and how to fix it; a warning is in the log of its
// subtest.
//
// One of the flags of go test that select subtests chooses what is reported: all cases
// run. [Only] and [Skip] choose what runs.
func Check(t *testing.T, h http.Handler, given ...CheckOption) {
	t.Helper()
	o := checkOptions{options: defaults(), config: check.Config{Platform: webhook.WorkSkedge}}
	for _, option := range given {
		option.apply(&o)
	}
	to := serve(t, h, &o.options)
	c := o.config
	c.URL, c.Secret, c.Transport, c.UserAgent = to.url, to.secret, to.transport, userAgent
	c.Now, c.NewID, c.Timeout = o.now, o.newID, o.timeout
	if o.allEvents {
		form := webhook.Outbound
		if c.Platform == webhook.Worksome {
			form = webhook.WorksomeForm
		}
		c.Events = webhook.DefaultCatalog().Events(c.Platform, form)
	}
	_, err := check.Run(t.Context(), c, func(r check.Result) {
		t.Run(r.Case.ID, func(t *testing.T) {
			switch {
			case r.Verdict == report.Skip:
				t.Skip(r.Detail)
			case r.Verdict == report.Fail, r.Verdict == report.Warn && o.strict:
				t.Error(explain(&r))
			case r.Verdict == report.Warn:
				t.Log("warning: " + explain(&r))
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// explain describes a failure or a warning.
func explain(r *check.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Case.Title, r.Detail)
	if r.Request != nil {
		b.WriteString(exchangeText(r.Request, r.Response))
	}
	fmt.Fprintf(&b, "  why   %s\n  fix   %s", r.Case.Why, r.Case.Fix.Go)
	return b.String()
}
