package replay

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Verdict is what became of an item.
type Verdict string

// The verdicts. The last two are for items without a recorded answer.
const (
	Fixed        Verdict = "fixed"         // it failed, and passes now
	Regressed    Verdict = "regressed"     // it passed, and fails now
	StillFailing Verdict = "still_failing" // it failed before, and fails now
	StillPassing Verdict = "still_passing" // it passed before, and passes now
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
)

// OK reports whether the item passes now.
func (v Verdict) OK() bool { return v == Fixed || v == StillPassing || v == Passed }

// Expect is the status that an answer must have to pass. The zero Expect is
// 2xx. It measures recorded answers as well as new ones.
type Expect struct{ low, high int }

// ParseExpect reads a status, "204", or a class of them, "2xx".
func ParseExpect(text string) (Expect, error) {
	if len(text) == 3 && text[1:] == "xx" && '1' <= text[0] && text[0] <= '5' {
		low := int(text[0]-'0') * 100
		return Expect{low, low + 99}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 599 {
		return Expect{}, fmt.Errorf("%q is no status: write 200, or 2xx for all of a class", text)
	}
	return Expect{n, n}, nil
}

// OK reports whether a status passes; 0, no answer, never does.
func (e Expect) OK(status int) bool {
	if e.low == 0 {
		return status/100 == 2
	}
	return e.low <= status && status <= e.high
}

// Judge compares a status with what was recorded of the item.
func (e Expect) Judge(item Item, status int) Verdict {
	before, known := item.Before()
	now, then := e.OK(status), e.OK(before)
	switch {
	case !known && now:
		return Passed
	case !known:
		return Failed
	case now && then:
		return StillPassing
	case now:
		return Fixed
	case then:
		return Regressed
	}
	return StillFailing
}

// Result is what became of one item.
type Result struct {
	Source     string  `json:"source"`
	ID         string  `json:"id,omitempty"` // of the recorded one
	Event      string  `json:"event"`
	WebhookID  string  `json:"webhook_id,omitempty"`
	Before     *int    `json:"before,omitempty"` // the recorded status, 0 for no answer; nil: nothing was recorded
	Status     int     `json:"status"`           // 0: no answer
	Verdict    Verdict `json:"verdict"`
	DurationMS float64 `json:"duration_ms"`
	Error      string  `json:"error,omitempty"` // why there is no answer

	Record webhook.Record `json:"-"` // of the attempt
}

// result judges the record of an attempt.
func (e Expect) result(item *Item, r *webhook.Record) Result {
	out := Result{
		Source: item.Source, Event: item.Event.Type, WebhookID: r.WebhookID, Error: r.Error, Record: *r,
		DurationMS: ms(r.Duration),
	}
	if item.Record != nil {
		out.ID = item.Record.ID
	}
	if before, known := item.Before(); known {
		out.Before = &before
	}
	if r.Response != nil {
		out.Status = r.Response.Status
	}
	out.Verdict = e.Judge(*item, out.Status)
	return out
}

// ms writes a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// Summary counts results.
type Summary struct {
	Total        int `json:"total"`
	Fixed        int `json:"fixed"`
	Regressed    int `json:"regressed"`
	StillFailing int `json:"still_failing"`
	StillPassing int `json:"still_passing"`
	Passed       int `json:"passed"`
	Failed       int `json:"failed"`

	Answered int `json:"-"` // how many got an answer
}

// Add counts one result.
func (s *Summary) Add(r Result) {
	s.Total++
	if r.Status > 0 {
		s.Answered++
	}
	*s.of(r.Verdict)++
}

// Of returns how many had a verdict.
func (s *Summary) Of(v Verdict) int { return *s.of(v) }

func (s *Summary) of(v Verdict) *int {
	switch v {
	case Fixed:
		return &s.Fixed
	case Regressed:
		return &s.Regressed
	case StillFailing:
		return &s.StillFailing
	case StillPassing:
		return &s.StillPassing
	case Passed:
		return &s.Passed
	}
	return &s.Failed
}

// Bad returns how many do not pass.
func (s Summary) Bad() int { return s.Regressed + s.StillFailing + s.Failed }
