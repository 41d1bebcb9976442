package deliver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// FuzzRetryAfter checks that no header makes a sender wait for less than
// nothing or more than five minutes.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"2", "-1", "1e9", "99999999999999999999", "Thu, 15 Jan 2026 14:31:00 GMT", "Thursday, 15-Jan-26 14:31:00 GMT", "junk", ""} {
		f.Add(value, clock.Unix())
	}
	f.Fuzz(func(t *testing.T, value string, now int64) {
		if got := deliver.RetryAfter(value, time.Unix(now, 0)); got < 0 || got > 5*time.Minute {
			t.Errorf("%q at %d makes it wait %s", value, now, got)
		}
	})
}

// FuzzRequest checks that a request that could be made of a delivery can be
// sent, and the request on the wire equals its record: no line more, and to the
// host of the URL.
func FuzzRequest(f *testing.F) {
	f.Add("http://x.example/hooks", "X-A", "1", "evt_1", payload)
	f.Add("http://user:p@x.example:80/?a=b#c", "Host", "y", "", "{}")
	f.Add("http://x\r\nX-Evil: 1", "X-A", "1\r\nX-Evil: 1", "a\nX-Evil: 1", "")
	f.Add("https://[::1]:443", "Content-Length", "1", "", "\x00")
	f.Add("http://x/%zz", "X A", "\x1b", "\x00", "\xff")
	key, err := webhook.NewSecret(sharedSecret)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, name, value, id, body string) {
		d := deliver.Delivery{
			URL: target, Event: webhook.Event{Raw: []byte(body)}, Secret: key, WebhookID: id,
			Header: webhook.Header{{Name: name, Value: value}},
		}
		request, err := d.Request(clock)
		if err != nil {
			return
		}
		u, err := url.Parse(request.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("taken: %q", target)
		}
		sent := 0
		record := attempt(t, client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			sent++
			var wire strings.Builder
			if err := r.Write(&wire); err != nil {
				return nil, err // a host that net/http does not accept
			}
			head, rest, _ := strings.Cut(wire.String(), "\r\n\r\n")
			if rest != body {
				t.Errorf("the body is %q", rest)
			}
			lines := strings.Split(head, "\r\n")
			most := len(request.Header) + 5 // request line, Host, User-Agent, Content-Length, Authorization
			if len(lines) > most || strings.ContainsAny(strings.Join(lines, ""), "\r\n") {
				t.Errorf("%d lines: %q", len(lines), head)
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})), d)
		if sent != 1 || record.Verdict == nil {
			t.Errorf("sent %d times, %+v", sent, record)
		}
	})
}
