package check

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// lastCases look at the URL, and at all that was seen before.
func lastCases() []Case {
	return []Case{{
		ID: "redirect", Severity: Warning, judge: judgeRedirect, always: true,
		Title: "the URL does not redirect",
		Why:   "A redirect is not followed: it would carry the event and its signature to another host. Each one is a delivery that failed for good.",
		Mend: Mend{
			Node:   "Register the URL that the redirect leads to, with its trailing slash and https as it is.",
			Python: "Register the URL with the trailing slash as the route has it: Flask and Django redirect to it.",
			PHP:    "Register the final URL, or let the rewrite rule leave POST requests alone.",
			Go:     "Register the final URL: http.ServeMux redirects to the pattern's trailing slash.",
		},
	}, {
		ID: "plain_http", Severity: Warning, judge: judgePlainHTTP, always: true,
		Title: "the URL is https, or on this machine",
		Why:   "WorkSkedge does not deliver to plain http, and whoever stands between reads and repeats what it sees.",
		Mend: Mend{
			Node:   "Put the service behind a proxy that ends TLS, such as Caddy or nginx, and register the https URL.",
			Python: "Put the service behind a proxy that ends TLS, such as Caddy or nginx, and register the https URL.",
			PHP:    "Give the web server a certificate (certbot does it) and register the https URL.",
			Go:     "Serve with autocert, or behind a proxy that ends TLS, and register the https URL.",
		},
	}, {
		ID: "leak", Severity: Error, judge: judgeLeak, always: true,
		Title: "no answer holds the secret or a right signature",
		Why:   "An error page that prints the environment gives the secret away; one that says \"expected …\" signs whatever a forger sends.",
		Mend: Mend{
			Node:   "Answer {error: 'Invalid signature'} alone, and set NODE_ENV=production so that no stack is sent.",
			Python: "Answer a fixed text, and run with debug=False.",
			PHP:    "Answer a fixed text, and set display_errors=0.",
			Go:     "Answer webhook.StatusOf(err) with a fixed text; no error of webhook.Verify holds a signature.",
		},
	}, {
		ID: "answer_time", Severity: Error, judge: judgeTime, always: true,
		Title: "every answer comes within 10 seconds",
		Why:   "WorkSkedge asks for an answer within 10 seconds and gives up after 30: a delivery that takes longer is sent again while you still work on it.",
		Mend: Mend{
			Node:   "Answer first, then do the work: put the event into a queue such as BullMQ.",
			Python: "Answer first, then do the work: put the event into a queue such as Celery or RQ.",
			PHP:    "Put the event into a queue, or call fastcgi_finish_request() before the work.",
			Go:     "Put the event into a table or channel that a worker reads, and answer.",
		},
	}}
}

func judgeRedirect(_ context.Context, s *session) (finding, error) {
	r := s.first
	if r.Response == nil || r.Response.Status/100 != 3 {
		return finding{status: statusOf(r)}, nil
	}
	to := webhook.RedactURL(r.Response.Header.Get("Location"))
	return decided(fmt.Sprintf("answered %d with Location %q", r.Response.Status, to), r), nil
}

func judgePlainHTTP(_ context.Context, s *session) (finding, error) {
	u, err := url.Parse(s.config.URL)
	if err == nil && u.Scheme == "http" && !deliver.IsLoopback(s.config.URL) {
		return finding{verdict: Fail, detail: "the URL begins with http:// and leads to another machine"}, nil
	}
	return finding{}, nil
}

// judgeTime looks at how long every answer took.
func judgeTime(_ context.Context, s *session) (finding, error) {
	var slowest *exchange
	for i := range s.seen {
		if e := &s.seen[i]; slowest == nil || e.record.Duration > slowest.record.Duration {
			slowest = e
		}
	}
	if slowest == nil {
		return finding{}, nil
	}
	took, r := slowest.record.Duration, slowest.record
	text := fmt.Sprintf("the slowest answer, to %s, took %s", slowest.shot.what, took.Round(time.Millisecond))
	switch {
	case r.Response == nil && took >= s.config.Timeout:
		return decided(fmt.Sprintf("no answer to %s within %s", slowest.shot.what, s.config.Timeout), r), nil
	case took > deliver.DefaultTimeout:
		return decided(text, r), nil
	case took > deliver.SlowAfter:
		f := decided(text, r)
		f.verdict = Warn
		return f, nil
	}
	return finding{status: statusOf(r), detail: text}, nil
}

// judgeLeak looks through every answer for what it must not hold.
func judgeLeak(_ context.Context, s *session) (finding, error) {
	secret := s.config.Secret.Reveal()
	forms := [][]byte{
		[]byte(secret), []byte(base64.StdEncoding.EncodeToString([]byte(secret))), []byte(base64.RawURLEncoding.EncodeToString([]byte(secret))),
		[]byte(hex.EncodeToString([]byte(secret))), []byte(url.QueryEscape(secret)),
	}
	for _, e := range s.seen {
		if e.record.Response == nil {
			continue
		}
		said := answerText(e.record.Response)
		for _, form := range forms {
			if len(secret) >= shortSecret && bytes.Contains(said, form) {
				return decided("the answer to "+e.shot.what+" holds the secret", e.record), nil
			}
		}
		sent := e.record.Request.Header.Get(s.scheme.SignatureHeader())
		if right := e.shot.right; right != "" && right != sent && bytes.Contains(bytes.ToLower(said), []byte(right)) {
			return decided("the answer to "+e.shot.what+" holds the signature that would have been right", e.record), nil
		}
	}
	return finding{}, nil
}

// shortSecret is the length under which a secret is found anywhere by chance.
const shortSecret = 6

func answerText(r *webhook.Response) []byte {
	text := bytes.Clone(r.Body)
	for _, p := range r.Header {
		text = append(text, '\n')
		text = append(text, p.Name...)
		text = append(text, ": "...)
		text = append(text, p.Value...)
	}
	return text
}
