package check

import (
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// timestampCases are for schemes that sign one. The later ones follow on the
// first: a receiver that looks at no timestamp has one bug, not four.
func timestampCases() []Case {
	skedge := []webhook.Platform{webhook.WorkSkedge}
	const old = "timestamp_old"
	return []Case{{
		ID: old, Severity: Error, want: refused, platforms: skedge,
		Title: "a request of more than five minutes ago is refused",
		Why:   "Whoever has seen one good request could send it again for ever: its signature stays right.",
		Mend: Mend{
			Node:   "Answer 400 when Math.abs(Date.now() / 1000 - Number(timestamp)) > 300.",
			Python: "Answer 400 when abs(time.time() - int(timestamp)) > 300.",
			PHP:    "Answer 400 when abs(time() - (int) $timestamp) > 300.",
			Go:     "Let webhook.Verify check it; it takes 300 seconds either way.",
		},
		send: func(s *session) []*shot {
			return []*shot{s.signed("a timestamp of 301 seconds ago", s.valid(), s.config.Now().Add(-301*time.Second))}
		},
	}, {
		ID: "timestamp_future", Severity: Error, want: refused, platforms: skedge, after: old,
		Title: "a request from the future is refused",
		Why:   "A check of the age alone finds a timestamp of next year young enough: such a request can be repeated until then.",
		Mend: Mend{
			Node:   "Take the absolute value: Math.abs(Date.now() / 1000 - Number(timestamp)) > 300.",
			Python: "Take the absolute value: abs(time.time() - int(timestamp)) > 300.",
			PHP:    "Take the absolute value: abs(time() - (int) $timestamp) > 300.",
			Go:     "Compare time.Since(at).Abs() with the tolerance; webhook.Verify does.",
		},
		send: func(s *session) []*shot {
			return []*shot{s.signed("a timestamp of 10 minutes ahead", s.valid(), s.config.Now().Add(10*time.Minute))}
		},
	}, {
		ID: "timestamp_missing", Severity: Error, want: refused, platforms: skedge, after: old,
		Title: "a request without a timestamp is refused",
		Why:   "Without it nothing says how old the request is. Code that goes on with undefined or an empty text crashes or compares nonsense.",
		Mend: Mend{
			Node:   "Answer 400 when req.get('X-Webhook-Timestamp') is undefined: undefined < n is false, and the check passes.",
			Python: "Answer 400 when the header is None, before int(None) raises.",
			PHP:    "Answer 400 when $_SERVER['HTTP_X_WEBHOOK_TIMESTAMP'] is not set.",
			Go:     "Answer 400 when the header is empty; webhook.Verify does.",
		},
		send: func(s *session) []*shot {
			bare := s.stamped("a request without a timestamp", s.valid(), "")
			bare.header = bare.header.Without(s.scheme.TimestampHeader())
			return []*shot{bare}
		},
	}, {
		ID: "timestamp_not_number", Severity: Error, want: refused, platforms: skedge, after: old,
		Title: "a timestamp that is no number is refused",
		Why:   "In JavaScript every comparison with NaN is false, so an age check passes; in Python int() raises, and what is not caught is a 500.",
		Mend: Mend{
			Node:   "Check /^[1-9][0-9]*$/ first: NaN < n is false, and parseInt takes \"170abc\".",
			Python: "Check timestamp.isascii() and timestamp.isdigit(), or catch ValueError of int(), and answer 400.",
			PHP:    "Check ctype_digit($timestamp): (int) \"abc\" is 0, and (int) \"170abc\" is 170.",
			Go:     "Answer 400 when strconv.ParseInt returns an error; webhook.Verify does.",
		},
		send: func(s *session) []*shot {
			return []*shot{
				s.stamped("the timestamp \"yesterday\"", s.valid(), "yesterday"),
				s.stamped("a timestamp with letters at its end", s.valid(), webhook.FormatTimestamp(s.config.Now())+"abc"),
			}
		},
	}}
}
