package command

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// AnswerLine is the outcome of an attempt in one line.
func AnswerLine(r *webhook.Record) string {
	if r.Response == nil {
		return r.Error
	}
	return fmt.Sprintf("%d %s", r.Response.Status, http.StatusText(r.Response.Status))
}

// WriteAnswer shows a record of a request that was sent.
func WriteAnswer(w io.Writer, p ui.Palette, r *webhook.Record) error {
	ok := r.Verdict.Outcome == webhook.Accepted
	t := ui.Table{Indent: "  "}
	if r.Response != nil {
		body := gjson.ParseBytes(r.Response.Body)
		if webhook.CheckJSON(r.Response.Body) != nil {
			body = gjson.Result{}
		}
		for _, name := range []string{"message", "error", "event_id", "record_id"} {
			if v := body.Get(name); v.Exists() {
				t.Row(ui.Cell{Text: name, Paint: p.Quiet}, ui.Cell{Text: ui.Short(v.String(), 400)})
			}
		}
		if !body.IsObject() && len(r.Response.Body) > 0 {
			t.Row(ui.Cell{Text: "body", Paint: p.Quiet}, ui.Cell{Text: ui.Short(string(r.Response.Body), 400)})
		}
	}
	status := AnswerLine(r)
	if r.Response != nil {
		status = p.Status(r.Response.Status, ui.Clean(status))
	} else {
		status = p.Bad(ui.Clean(status))
	}
	_, err := fmt.Fprintf(w, "%s %s  %s  %s\n", p.Mark(ok), p.Name(ui.Clean(r.Event)), status, p.Quiet(r.Duration.Round(time.Millisecond).String()))
	return errors.Join(err, t.Write(w))
}

// Judge turns the outcome into the error that decides the exit code, with the
// next step where there is one.
func Judge(r *webhook.Record) error {
	target := webhook.RedactURL(r.Request.URL)
	switch r.Verdict.Outcome {
	case webhook.Accepted:
		return nil
	case webhook.OutcomeUnknown:
		return NoResponse(fmt.Errorf("%s: %s; --retry-unknown with --retries sends it again", target, r.Error))
	case webhook.Failed:
		return NoResponse(fmt.Errorf("%s: %s", target, r.Error))
	default:
		return No(errors.New(Hint(r)))
	}
}

// Hint says what a refusal usually means.
func Hint(r *webhook.Record) string {
	status := r.Response.Status
	text := fmt.Sprintf("the endpoint answered %d %s", status, http.StatusText(status))
	switch {
	case status == http.StatusForbidden:
		return text + "\n  " + otherScheme(r.Scheme) + ",\n  or the secret is another one"
	case status == http.StatusUnauthorized && strings.Contains(strings.ToLower(string(r.Response.Body)), "signature"):
		return text + "\n  " + otherScheme(r.Scheme) + ",\n  or the secret is another one"
	case status == http.StatusUnauthorized && r.Request.Header.Has(webhook.HeaderAPIKey):
		return text + "\n  the API key was not taken"
	case status == http.StatusUnauthorized:
		return text + "\n  no API key was sent: give --api-key"
	case status == http.StatusTooManyRequests:
		return text + "\n  the limit is 50 requests a minute and 1,000 an hour for an API key; --retries waits and tries again"
	case status/100 == 3:
		return text + "\n  redirects are not followed, since they would carry key and signature along;\n  give the final URL"
	case status >= 500:
		return text + "\n  --retries N tries again"
	}
	return text
}

func otherScheme(used string) string {
	other := webhook.BodyOnly
	if used == webhook.BodyOnly {
		other = webhook.TimestampBody
	}
	return fmt.Sprintf("signed by scheme %s; the documents can also be read as --scheme %s", used, other)
}
