// Package verify implements wsk verify and wsk sign.
package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/payload"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

type options struct {
	settings *command.Settings
	output   command.Output
	journal  command.Journal

	record    string // the id of one in the journal
	file      string
	as        string
	platform  string
	timestamp string
	signature string
	id        string
	headers   []string
	notifyURL string
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "verify [-f FILE|RECORD-ID] --secret VALUE [--timestamp T --signature X]",
		Short: "Verify a signature, and explain why it does not match",
		Long: `Verify the signature of a request. FILE, or stdin, is one of

  the raw body       with --timestamp and --signature, or the headers by -H
  a raw request      "POST /path HTTP/1.1", headers, a blank line, the body
  records            as wsk listen --json and wsk send --json write them;
                     --json prints their verdicts as the list results

RECORD-ID is the id of a record in the journal, or of a webhook: then its last
record is verified.

When the signature does not match, wsk tries the known mistakes (an added
newline, a re-serialised body, a secret with a space, another scheme, …) and
names the one that explains it. Exit code: 0 if the signature is good, 1 if it
is not, 2 if it could not be checked.`,
		Example: `  wsk verify -f body.json --secret s3cret --timestamp 1764000000 --signature X
  wsk verify -f request.http --secret-file webhook.secret --tolerance off
  wsk verify --scheme body -H 'X-Webhook-Signature: 5f2c…' < body.json
  wsk verify -f records.ndjson --secret s3cret --tolerance off --json`,
		Args: command.MaxArgs(1),
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "-", "what to verify: `FILE`, or - for stdin")
	f.StringVar(&o.as, "as", "auto", "read the input as `KIND`: auto, body, request or record")
	f.StringVar(&o.timestamp, "timestamp", "", "the timestamp header's value `T`, Unix seconds")
	f.StringVar(&o.signature, "signature", "", "the signature header's value `X`")
	f.StringVar(&o.id, "id", "", "the webhook `ID`, for scheme standard-webhooks")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "a header of the request, `'Name: value'`; repeatable")
	o.settings = command.NewSettings(cmd)
	o.settings.Secret()
	command.Scheme(cmd, o.settings, &o.platform, &o.notifyURL)
	o.settings.Duration("tolerance", "how far the timestamp may be from now, a `DURATION`, or off (default 300s)")
	o.journal.AddRead(cmd)
	o.output.Add(cmd, "text", "json", "ndjson")
	command.CompleteFlag(cmd, "as", "auto", "body", "request", "record")
	cmd.RunE = o.settings.RunE(env, &o.output, func(ctx context.Context, cfg *config.Config, args []string) error {
		if len(args) > 0 {
			o.record = args[0]
		}
		if o.record != "" && (cmd.Flags().Changed("file") || cmd.Flags().Changed("as")) {
			return errors.New("RECORD-ID is read from the journal, -f and --as read a file: give only one of them")
		}
		given := func(flag string) bool { return cmd.Flags().Changed(flag) }
		return verify(ctx, env, cfg, o, given)
	})
	return cmd
}

// subject is one request to verify.
type subject struct {
	id      string // of the record, if it is one
	scheme  webhook.Scheme
	url     string
	request webhook.Request

	diagnosis *webhook.Diagnosis // that the record has
}

// verify reads the input, verifies each request in it, and writes the results.
func verify(ctx context.Context, env *command.Env, cfg *config.Config, o *options, given func(string) bool) error {
	secrets, _, err := o.settings.Keys(env, cfg)
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return command.ErrNoSecret
	}
	limit, err := command.Tolerance(cfg)
	if err != nil {
		return err
	}
	subjects, isList, err := o.read(ctx, env, cfg, given)
	if err != nil {
		return err
	}
	asList := isList && o.output.Format == "json"
	var results []result
	refused, unchecked := 0, 0
	for _, s := range subjects {
		v := webhook.Verifier{Scheme: s.scheme, Secrets: secrets, Tolerance: limit, URL: s.url}
		r, err := verdictOn(v, s, env.Now())
		if err != nil {
			return err
		}
		switch {
		case s.request.Truncated:
			unchecked++
		case !r.Verified:
			refused++
		}
		if asList {
			results = append(results, r)
		} else if err := r.write(env.Out, o.output.Palette, env.Columns, o.output.Text()); err != nil {
			return err
		}
	}
	if asList {
		err = command.WriteList(env.Out, o.output.Format, "results", results)
	}
	switch {
	case err != nil:
		return err
	case unchecked > 0:
		return fmt.Errorf("%s could not be verified: only the beginning of the body was kept", ui.Plural(unchecked, "record"))
	case refused > 0:
		return command.No(command.ErrReported)
	}
	return nil
}

// read returns the requests of the input, and whether it is a file of records, which
// may have several.
func (o *options) read(ctx context.Context, env *command.Env, cfg *config.Config, given func(string) bool) (subjects []*subject, isList bool, err error) {
	platform, err := command.ParsePlatform(o.platform)
	if err != nil {
		return nil, false, err
	}
	scheme, err := command.SchemeOf(cfg, platform)
	if err != nil {
		return nil, false, err
	}
	extra, err := command.ParseHeaders(o.headers)
	if err != nil {
		return nil, false, err
	}
	for flag, line := range map[string]webhook.Pair{
		"timestamp": {Name: scheme.TimestampHeader(), Value: o.timestamp},
		"signature": {Name: scheme.SignatureHeader(), Value: o.signature},
		"id":        {Name: scheme.IDHeader(), Value: o.id},
	} {
		if given(flag) && line.Name != "" {
			extra = append(extra, line)
		}
	}
	if o.record != "" {
		if err := env.CheckStdin("-f -", "record "+o.record); err != nil {
			return nil, false, err
		}
		subjects, err = o.journaled(ctx, env, cfg, platform, &scheme, extra)
		return subjects, false, err
	}
	raw, err := env.Read(ctx, o.file)
	if err != nil {
		return nil, false, err
	}
	kind, err := o.kind(raw)
	if err != nil {
		return nil, false, err
	}
	switch kind {
	case "request":
		request, err := parseRequest(raw)
		if err != nil {
			return nil, false, fmt.Errorf("reading %s as a request: %w", o.file, err)
		}
		return []*subject{{scheme: scheme, url: o.notifyURL, request: overlay(request, extra)}}, false, nil
	case "record":
		subjects, err = o.records(cfg, platform, &scheme, raw, extra)
		return subjects, true, err
	}
	switch {
	case !extra.Has(scheme.SignatureHeader()):
		return nil, false, fmt.Errorf("no signature to verify: give --signature, or -H '%s: …'", scheme.SignatureHeader())
	case scheme.TimestampHeader() != "" && !extra.Has(scheme.TimestampHeader()):
		return nil, false, fmt.Errorf("no timestamp, which scheme %s signs: give --timestamp, or -H '%s: …'", scheme.Name(), scheme.TimestampHeader())
	}
	return []*subject{{scheme: scheme, url: o.notifyURL, request: webhook.Request{Header: extra, Body: raw}}}, false, nil
}

func (o *options) kind(raw []byte) (string, error) {
	switch o.as {
	case "body", "request", "record":
		return o.as, nil
	case "auto":
	default:
		return "", webhook.Unknown("kind of input", o.as, []string{"auto", "body", "request", "record"})
	}
	if isRequest(raw) {
		return "request", nil
	}
	switch payload.KindOf(raw) {
	case payload.KindRecord, payload.KindFrame: // a frame begins a stream of records
		return "record", nil
	}
	return "body", nil
}

// records reads NDJSON. A record is verified by its own scheme unless --scheme names
// one.
func (o *options) records(cfg *config.Config, p webhook.Platform, scheme *webhook.Scheme, raw []byte, extra webhook.Header) ([]*subject, error) {
	var subjects []*subject
	decoder := webhook.NewDecoder(bytes.NewReader(raw))
	for {
		record, err := decoder.Decode()
		switch {
		case errors.Is(err, io.EOF) && len(subjects) == 0:
			return nil, fmt.Errorf("reading %s: it contains no record", o.file)
		case errors.Is(err, io.EOF):
			return subjects, nil
		case err != nil:
			return nil, fmt.Errorf("reading %s as records: %w", o.file, err)
		}
		subjects = append(subjects, o.subject(cfg, p, scheme, &record, extra))
	}
}

// journaled reads the record from the journal.
func (o *options) journaled(ctx context.Context, env *command.Env, cfg *config.Config, p webhook.Platform, scheme *webhook.Scheme, extra webhook.Header) (subjects []*subject, err error) {
	err = command.WithJournal(ctx, env, &o.journal, func(j *journal.Journal) error {
		r, err := command.FindRecord(ctx, j, o.record)
		subjects = []*subject{o.subject(cfg, p, scheme, &r, extra)}
		return err
	})
	return subjects, err
}

// subject returns what to verify of a record.
func (o *options) subject(cfg *config.Config, p webhook.Platform, scheme *webhook.Scheme, record *webhook.Record, extra webhook.Header) *subject {
	s := &subject{id: record.ID, scheme: *scheme, url: o.notifyURL, request: overlay(record.Request, extra)}
	if s.url == "" {
		s.url = record.Request.URL
	}
	if named, err := webhook.SchemeNamed(record.Scheme); err == nil && cfg.Scheme.Text == "" {
		if record.Platform != "" {
			p = record.Platform
		}
		s.scheme = named.On(p)
	}
	if record.Verdict != nil {
		s.diagnosis = record.Verdict.Diagnosis
	}
	return s
}

// overlay replaces headers of a request by those of the command line.
func overlay(r webhook.Request, extra webhook.Header) webhook.Request {
	for _, p := range extra {
		r.Header = r.Header.Without(p.Name)
	}
	r.Header = append(r.Header[:len(r.Header):len(r.Header)], extra...)
	return r
}

// truncated is the reason of a result that is not a verdict.
const truncated = "truncated"

// result is the outcome for one subject.
type result struct {
	Record    string             `json:"record,omitempty"`
	Verified  bool               `json:"verified"`
	Scheme    string             `json:"scheme"`
	Secret    int                `json:"secret,omitempty"`    // which one matched, from 1
	Timestamp string             `json:"timestamp,omitempty"` // RFC 3339
	Age       *int64             `json:"age_seconds,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Detail    string             `json:"detail,omitempty"`
	Diagnosis *webhook.Diagnosis `json:"diagnosis,omitempty"`
	of        int                // the number of secrets
}

// verdictOn verifies one request, and finds the reason when the signature does not
// match.
func verdictOn(v webhook.Verifier, s *subject, now time.Time) (result, error) {
	r := result{Record: s.id, Scheme: v.Scheme.Name(), of: len(v.Secrets)}
	if s.request.Truncated {
		r.Reason, r.Diagnosis = truncated, s.diagnosis
		r.Detail = s.request.CheckWhole().Error() + ", which are not enough to verify it"
		return r, nil
	}
	proof, err := v.Verify(s.request.Header.HTTP(), s.request.Body, now)
	if !proof.Timestamp.IsZero() {
		age := now.Unix() - proof.Timestamp.Unix()
		r.Timestamp, r.Age = proof.Timestamp.UTC().Format(time.RFC3339), &age
	}
	var refusal *webhook.Refusal
	switch {
	case err == nil:
		r.Verified, r.Secret = true, proof.Secret+1
		return r, nil
	case !errors.As(err, &refusal):
		return r, err
	}
	r.Reason, r.Detail = string(refusal.Reason), refusal.Detail
	r.Diagnosis = diagnose.Refusal(v, s.request, refusal.Reason)
	return r, nil
}

// write writes r as text or as a line of JSON.
func (r result) write(w io.Writer, p ui.Palette, columns int, text bool) error {
	if !text {
		return command.WriteJSON(w, r)
	}
	head, width := p.Mark(r.Verified)+" ", 2
	if record := ui.Clean(r.Record); record != "" {
		head += p.Quiet(record) + "  "
		width += utf8.RuneCountInString(record) + 2
	}
	if r.Verified {
		_, err := fmt.Fprintln(w, head+p.Good("the signature is good")+p.Quiet(r.proof()))
		return err
	}
	reason := ui.Wrap(r.Reason+": "+ui.Clean(r.Detail), strings.Repeat(" ", width), columns)
	_, err := fmt.Fprintln(w, head+p.Bad(r.Reason)+strings.TrimPrefix(reason, r.Reason))
	return errors.Join(err, command.WriteDiagnosis(w, p, columns, r.Diagnosis))
}

func (r result) proof() string {
	text := "  scheme " + r.Scheme
	if r.of > 1 {
		text += fmt.Sprintf(", secret %d of %d", r.Secret, r.of)
	}
	switch {
	case r.Age == nil:
	case *r.Age < 0:
		text += fmt.Sprintf(", signed %s ahead of now", ui.Duration(time.Duration(-*r.Age)*time.Second))
	default:
		text += fmt.Sprintf(", signed %s ago", ui.Duration(time.Duration(*r.Age)*time.Second))
	}
	return text
}
