package check

import (
	"time"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// workskedgeOnly are the platforms that sign a timestamp and send an id.
var workskedgeOnly = []webhook.Platform{webhook.WorkSkedge}

// timestampCases follow on the first: a receiver that does not check the
// timestamp has one mistake, not four.
var timestampCases = []Case{{
	ID: "timestamp_old", Severity: report.Error, want: refused, platforms: workskedgeOnly,
	Title: "a request older than five minutes is refused",
	Why:   "Anyone who has seen one valid request could send it again forever: its signature stays valid.",
	Fix: Fix{
		Node:   "Respond 400 if Math.abs(Date.now() / 1000 - Number(timestamp)) > 300.",
		Python: "Respond 400 if abs(time.time() - int(timestamp)) > 300.",
		PHP:    "Respond 400 if abs(time() - (int) $timestamp) > 300.",
		Go:     "Call webhook.Verify, which allows 300 seconds either way.",
	},
	send: func(s *session) []*request {
		return []*request{s.signedAt("a timestamp of 301 seconds ago", s.validBody(), s.config.Now().Add(-301*time.Second))}
	},
}, {
	ID: "timestamp_future", Severity: report.Error, want: refused, platforms: workskedgeOnly, after: "timestamp_old",
	Title: "a request from the future is refused",
	Why:   "A check of the age alone accepts a timestamp of next year: such a request can be repeated until then.",
	Fix: Fix{
		Node:   "Use the absolute value: Math.abs(Date.now() / 1000 - Number(timestamp)) > 300.",
		Python: "Use the absolute value: abs(time.time() - int(timestamp)) > 300.",
		PHP:    "Use the absolute value: abs(time() - (int) $timestamp) > 300.",
		Go:     "Compare time.Since(at).Abs() with the tolerance, or call webhook.Verify.",
	},
	send: func(s *session) []*request {
		return []*request{s.signedAt("a timestamp 10 minutes ahead", s.validBody(), s.config.Now().Add(10*time.Minute))}
	},
}, {
	ID: "timestamp_missing", Severity: report.Error, want: refused, platforms: workskedgeOnly, after: "timestamp_old",
	Title: "a request without a timestamp is refused",
	Why:   "Nothing else shows how old the request is. Code that continues with undefined or an empty string crashes or compares nonsense.",
	Fix: Fix{
		Node:   "Respond 400 if req.get('X-Webhook-Timestamp') is undefined: undefined < n is false, so the check would pass.",
		Python: "Respond 400 if the header is None, before int(None) raises.",
		PHP:    "Respond 400 if $_SERVER['HTTP_X_WEBHOOK_TIMESTAMP'] is not set.",
		Go:     "Respond 400 if the header is empty; webhook.Verify checks it.",
	},
	send: func(s *session) []*request {
		r := s.withTimestamp("a request without a timestamp", s.validBody(), "")
		r.header = r.header.Without(s.scheme.TimestampHeader())
		return []*request{r}
	},
}, {
	ID: "timestamp_not_number", Severity: report.Error, want: refused, platforms: workskedgeOnly, after: "timestamp_old",
	Title: "a timestamp that is not a number is refused",
	Why:   "In JavaScript every comparison with NaN is false, so a check of the age passes. In Python int() raises, and an uncaught exception is a 500.",
	Fix: Fix{
		Node:   "Check /^[1-9][0-9]*$/ first: NaN < n is false, and parseInt accepts \"170abc\".",
		Python: "Check timestamp.isascii() and timestamp.isdigit(), or catch the ValueError of int(), and respond 400.",
		PHP:    "Check ctype_digit($timestamp): (int) \"abc\" is 0, and (int) \"170abc\" is 170.",
		Go:     "Respond 400 if strconv.ParseInt returns an error; webhook.Verify checks it.",
	},
	send: func(s *session) []*request {
		return []*request{
			s.withTimestamp("the timestamp \"yesterday\"", s.validBody(), "yesterday"),
			s.withTimestamp("a timestamp that ends in letters", s.validBody(), webhook.FormatTimestamp(s.config.Now())+"abc"),
		}
	},
}}
