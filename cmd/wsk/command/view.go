package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// PrintTarget prints the target of a request to stderr, before it is sent.
// Formats other than text have the URL in each record.
func PrintTarget(env *Env, method, to string) {
	fmt.Fprintln(env.Err, targetLine(method, to))
}

func targetLine(method, to string) string {
	if method == "" {
		method = http.MethodPost
	}
	return "→ " + ui.Clean(method+" "+webhook.RedactURL(to))
}

// AnswerLine is the outcome of an attempt in one line: the status, or why there is
// none.
func AnswerLine(r *webhook.Record) string {
	if r.Response == nil {
		return r.Error
	}
	return ui.StatusText(r.Response.Status)
}

// WriteAnswer shows the record of a request that was sent, with the id by which the
// journal has it, unless that is "".
func WriteAnswer(w io.Writer, p ui.Palette, r *webhook.Record, id string) error {
	ok := r.Verdict.Outcome == webhook.Accepted
	t := ui.Table{Indent: "  "}
	if r.Response != nil {
		body := gjson.ParseBytes(r.Response.Body)
		if webhook.CheckJSON(r.Response.Body) != nil {
			body = gjson.Result{}
		}
		for _, name := range []string{"message", "error", "event_id", "record_id"} {
			if v := body.Get(name); v.Exists() {
				t.Field(p, name, ui.Short(v.String(), 400))
			}
		}
		if !body.IsObject() && len(r.Response.Body) > 0 {
			t.Field(p, "body", ui.Short(string(r.Response.Body), 400))
		}
	}
	if id != "" {
		t.Field(p, "journal", id)
	}
	status := AnswerLine(r)
	if r.Response != nil {
		status = p.Status(r.Response.Status, ui.Clean(status))
	} else {
		status = p.Bad(ui.Clean(status))
	}
	_, err := fmt.Fprintf(w, "%s %s  %s  %s\n", p.Mark(ok), p.Name(ui.Clean(r.Event)), status, p.Quiet(ui.Duration(r.Duration)))
	return errors.Join(err, t.Write(w))
}

// Unanswered returns the error for a target that did not answer. shown means that
// the output has the reason already.
func Unanswered(target, reason string, shown bool) error {
	return NoResponse(fmt.Errorf("%s: %s", webhook.RedactURL(target), NoAnswer(reason, shown)))
}

// NoAnswer returns the reason why there is no answer, with the next step where there
// is one. It leaves out what the output has shown already.
func NoAnswer(reason string, shown bool) string {
	const nextStep = "nothing listens there: start the receiver, or correct the host and port"
	switch refused := strings.HasPrefix(reason, syscall.ECONNREFUSED.Error()); {
	case refused && shown:
		return nextStep
	case refused:
		return reason + ": " + nextStep
	}
	return reason
}

// Judge returns the error that decides the exit code of a request that was sent,
// with the next step where there is one. shown means that the output has the outcome.
func Judge(r *webhook.Record, shown bool) error {
	target := webhook.RedactURL(r.Request.URL)
	switch r.Verdict.Outcome {
	case webhook.Accepted:
		return nil
	case webhook.OutcomeUnknown:
		return NoResponse(fmt.Errorf("%s: %s; --retry-unknown with --retries sends it again", target, r.Error))
	case webhook.Failed:
		return Unanswered(target, r.Error, shown)
	default:
		return No(errors.New(Hint(r)))
	}
}

// Unrecorded returns the error of a delivery unless the record of its last attempt
// shows it.
func Unrecorded(ctx context.Context, err error) error {
	var recorded *deliver.Error
	if errors.As(err, &recorded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// Hint explains what a refusal usually means.
func Hint(r *webhook.Record) string {
	status := r.Response.Status
	text := "the endpoint answered " + ui.StatusText(status)
	switch {
	case status == http.StatusForbidden:
		return text + "\n  " + otherScheme(r.Scheme) + ",\n  or the secrets differ"
	case status == http.StatusUnauthorized && strings.Contains(strings.ToLower(string(r.Response.Body)), "signature"):
		return text + "\n  " + otherScheme(r.Scheme) + ",\n  or the secrets differ"
	case status == http.StatusUnauthorized && r.Request.Header.Has(webhook.HeaderAPIKey):
		return text + "\n  the API key was not accepted"
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

// detailIndent is the column of the lines below a record's first.
const detailIndent = 15

// WriteVerdict calls detail for each line of a verdict: why a request was refused,
// and what lint found.
func WriteVerdict(detail func(label, text string), v *webhook.Verdict) {
	detail("", v.Detail)
	if d := v.Diagnosis; d != nil {
		detail("why  ", d.Summary)
		detail("fix  ", d.Fix)
	}
	for _, w := range v.Warnings {
		detail("warning  ", w)
	}
	for _, f := range v.Findings {
		if f.Severity != report.Note.String() {
			detail(f.Severity+"  ", FindingText(f.Message, f.Pointer, f.Rule))
		}
	}
}

// FindingText returns a finding of lint on one line. The pointer of the payload
// itself is empty, and is left out.
func FindingText(message, pointer, rule string) string {
	if pointer != "" {
		message += " at " + pointer
	}
	return message + " (" + rule + ")"
}

// WriteDiagnosis writes why a signature does not match and how to fix it.
func WriteDiagnosis(w io.Writer, p ui.Palette, columns int, d *webhook.Diagnosis) error {
	line := func(label, text string) error {
		_, err := fmt.Fprintf(w, "  %s  %s\n", p.Quiet(ui.Pad(label, 4)), ui.Wrap(ui.Clean(text), "        ", columns))
		return err
	}
	switch {
	case d == nil:
		return nil
	case d.Certain:
		return errors.Join(line("why", d.Summary), line("fix", d.Fix))
	}
	return errors.Join(line("why?", d.Summary), line("fix", d.Fix))
}

// WriteDetail writes a line below a record's first, unless text is empty.
func WriteDetail(b *strings.Builder, p ui.Palette, columns int, label, text string) {
	if text != "" {
		indent := strings.Repeat(" ", detailIndent+len(label))
		fmt.Fprintf(b, "%s%s%s\n", indent[:detailIndent], p.Quiet(label), ui.Wrap(ui.Clean(text), indent, columns))
	}
}

// ExplainSignature shows the exact bytes that are signed, the signature, and the
// openssl command that computes the same. The secret stays in a variable.
func ExplainSignature(w io.Writer, p ui.Palette, s *webhook.Scheme, m webhook.Message, secret webhook.Secret) error {
	signature, err := s.Signature(m, secret)
	if err != nil {
		return err
	}
	content := s.Content(m)
	sum := sha256.Sum256(content)
	var t ui.Table
	t.Field(p, "scheme", s.Name()+": "+encodingName(s)+" HMAC-SHA256 of "+s.Covers())
	if s.TimestampHeader() != "" {
		t.Field(p, "timestamp", m.Timestamp)
	}
	t.Field(p, "signed", fmt.Sprintf("%s, SHA-256 %s…", ui.Plural(len(content), "byte"), hex.EncodeToString(sum[:8])))
	t.Row(ui.Cell{Text: s.SignatureHeader(), Paint: p.Quiet}, ui.Cell{Text: signature, Paint: p.Name})
	if err := t.Write(w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s\n%s\n\n%s\n%s\n",
		p.Quiet("The signed bytes, from the first to the last:"), ui.CleanLines(string(content)),
		p.Quiet("The same with openssl, the secret in $WEBHOOK_SECRET:"), opensslLine(s, content))
	return err
}

func encodingName(s *webhook.Scheme) string {
	if s.Encoding() == "hex" {
		return "lowercase hex"
	}
	return s.Encoding()
}

func opensslLine(s *webhook.Scheme, content []byte) string {
	key := `-hmac "$WEBHOOK_SECRET"`
	if s.Name() == webhook.StandardWebhooks {
		key = `-mac HMAC -macopt hexkey:"$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')"`
	}
	line := ui.Printf(string(content)) + " |\n  openssl dgst -sha256 " + key
	if s.Encoding() == "base64" {
		return line + " -binary | base64"
	}
	return line + " | sed 's/^.* //'"
}
