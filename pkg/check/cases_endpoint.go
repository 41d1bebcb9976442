package check

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// endpointCases judge the URL and all exchanges of the earlier cases.
var endpointCases = []Case{{
	ID: "redirect", Severity: report.Warning, judge: judgeRedirect, always: true,
	Title: "the URL does not redirect",
	Why:   "Platforms do not follow redirects, which could carry the event and its signature to another host. Each one is a delivery that fails for good.",
	Fix: Fix{
		Node:   "Register the URL that the redirect leads to, including its trailing slash and https.",
		Python: "Register the URL with the route's trailing slash: Flask and Django redirect to it.",
		PHP:    "Register the final URL, or exclude POST requests from the rewrite rule.",
		Go:     "Register the final URL: http.ServeMux redirects to the trailing slash of its pattern.",
	},
}, {
	ID: "plain_http", Severity: report.Warning, judge: judgePlainHTTP, always: true,
	Title: "the URL is https, or on this machine",
	Why:   "WorkSkedge does not deliver to plain http, and anyone on the network path can read the events and send them again.",
	Fix: Fix{
		Node:   "Run the service behind a proxy that terminates TLS, such as Caddy or nginx, and register the https URL.",
		Python: "Run the service behind a proxy that terminates TLS, such as Caddy or nginx, and register the https URL.",
		PHP:    "Install a certificate in the web server, for example with certbot, and register the https URL.",
		Go:     "Serve with autocert, or behind a proxy that terminates TLS, and register the https URL.",
	},
}, {
	ID: "leak", Severity: report.Error, judge: judgeLeak, always: true,
	Title: "no response contains the secret or a signature",
	Why:   "An error page that prints the environment reveals the secret, and one that prints \"expected …\" signs whatever a forger sends.",
	Fix: Fix{
		Node:   "Respond with {error: 'Invalid signature'} only, and set NODE_ENV=production so that no stack trace is sent.",
		Python: "Respond with a fixed text, and run with debug=False.",
		PHP:    "Respond with a fixed text, and set display_errors=0.",
		Go:     "Respond with webhook.StatusOf(err) and a fixed text; no error of webhook.Verify contains a signature.",
	},
}, {
	ID: "answer_time", Severity: report.Error, judge: judgeTime, always: true,
	Title: "every response comes within 10 seconds",
	Why:   "WorkSkedge asks for a response within 10 seconds and gives up after 30: a slower delivery is sent again while you still work on it.",
	Fix: Fix{
		Node:   "Put the event into a queue, such as BullMQ, and respond before the work is done.",
		Python: "Put the event into a queue, such as Celery or RQ, and respond before the work is done.",
		PHP:    "Put the event into a queue, or call fastcgi_finish_request() before the work.",
		Go:     "Put the event into a table or channel that a worker reads, and respond.",
	},
}}

func judgeRedirect(_ context.Context, s *session) (finding, error) {
	r := s.first
	if r.Status()/100 != 3 {
		return finding{status: r.Status()}, nil
	}
	location := webhook.RedactURL(r.Response.Header.Get("Location"))
	return failure(fmt.Sprintf("responded %d with Location %q", r.Response.Status, location), r), nil
}

func judgePlainHTTP(_ context.Context, s *session) (finding, error) {
	u, err := url.Parse(s.config.URL)
	if err == nil && u.Scheme == "http" && !deliver.IsLoopback(s.config.URL) {
		return finding{verdict: report.Fail, detail: "the URL is http and leads to another machine"}, nil
	}
	return finding{}, nil
}

// judgeTime judges the slowest response.
func judgeTime(_ context.Context, s *session) (finding, error) {
	if len(s.exchanges) == 0 {
		return finding{}, nil
	}
	slowest := slices.MaxFunc(s.exchanges, func(a, b exchange) int { return cmp.Compare(a.record.Duration, b.record.Duration) })
	took, r, name := slowest.record.Duration, slowest.record, slowest.request.name
	detail := fmt.Sprintf("the slowest response, to %s, took %s", name, took.Round(time.Millisecond))
	switch {
	case r.Response == nil && took >= s.config.Timeout:
		return failure("no response to "+name+" within "+deliver.FormatDuration(s.config.Timeout), r), nil
	case took > deliver.DefaultTimeout:
		return failure(detail, r), nil
	case took > deliver.SlowAfter:
		f := failure(detail, r)
		f.verdict = report.Warn
		return f, nil
	}
	return finding{status: r.Status(), detail: detail}, nil
}

// minSecret is the length below which a secret occurs in a response by chance.
const minSecret = 6

// judgeLeak searches every response for the secret, in several encodings, and
// for the valid signature of its request.
func judgeLeak(_ context.Context, s *session) (finding, error) {
	secret := []byte(s.config.Secret.Reveal())
	var encodings [][]byte
	if len(secret) >= minSecret {
		encodings = [][]byte{
			secret,
			[]byte(base64.StdEncoding.EncodeToString(secret)),
			[]byte(base64.RawURLEncoding.EncodeToString(secret)),
			[]byte(hex.EncodeToString(secret)),
			[]byte(url.QueryEscape(string(secret))),
		}
	}
	for _, e := range s.exchanges {
		if e.record.Response == nil {
			continue
		}
		text := textOf(e.record.Response)
		if slices.ContainsFunc(encodings, func(secret []byte) bool { return bytes.Contains(text, secret) }) {
			return failure("the response to "+e.request.name+" contains the secret", e.record), nil
		}
		sent := e.record.Request.Header.Get(s.scheme.SignatureHeader())
		if valid := e.request.signature; valid != "" && valid != sent && bytes.Contains(bytes.ToLower(text), []byte(valid)) {
			return failure("the response to "+e.request.name+" contains the signature that would have been valid", e.record), nil
		}
	}
	return finding{}, nil
}

// textOf returns the body and the header of a response.
func textOf(r *webhook.Response) []byte {
	text := bytes.Clone(r.Body)
	for _, p := range r.Header {
		text = fmt.Appendf(text, "\n%s: %s", p.Name, p.Value)
	}
	return text
}
