package webhook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/internal/classify"
	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Direction is whether a request was sent or received.
type Direction string

// The directions.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
)

// Outcome is how a receiver treated a request, or what a sender learned from
// the response.
type Outcome string

// The outcomes.
const (
	Accepted       Outcome = "accepted"       // verified and new; for a sender: a 2xx response
	Duplicate      Outcome = "duplicate"      // the id was seen before with the same body
	ReplaySuspect  Outcome = "replay_suspect" // timestamp and body were seen before under another id
	Conflict       Outcome = "conflict"       // the id was seen before with another body
	Refused        Outcome = "refused"        // a check failed; for a sender: a response other than 2xx
	Failed         Outcome = "failed"         // the app behind the receiver failed; for a sender: no response
	OutcomeUnknown Outcome = "unknown"        // sent without a response: the receiver may have accepted it
	Pending        Outcome = "pending"        // verified and journaled, and not yet forwarded
	ForwardFailed  Outcome = "forward_failed" // verified and journaled, and then given up: the app behind the receiver did not accept it
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome {
	return []Outcome{Accepted, Duplicate, ReplaySuspect, Conflict, Refused, Failed, ForwardFailed, OutcomeUnknown, Pending}
}

// Verdict is the result of a receiver's checks. Reason is a [Reason], or the
// name of another check that failed ("method", "encoding", "size", "json",
// "conflict", …); it is empty when none failed.
type Verdict struct {
	Outcome  Outcome  `json:"outcome"`
	Verified bool     `json:"verified"` // signature and timestamp are valid
	Reason   string   `json:"reason,omitempty"`
	Detail   string   `json:"detail,omitempty"` // one sentence for people
	Warnings []string `json:"warnings,omitempty"`

	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	Findings  []Finding  `json:"findings,omitempty"` // of lint, about the body
}

// Finding is one finding of lint, as a record stores it.
type Finding struct {
	Severity string `json:"severity"` // error, warning or note
	Rule     string `json:"rule"`
	Pointer  string `json:"pointer"` // JSON Pointer in the body
	Message  string `json:"message"`
}

// Diagnosis explains why a request was refused. Package diagnose writes it.
type Diagnosis struct {
	ID      string `json:"id"`      // stable, for programs: "body.newline_added"
	Summary string `json:"summary"` // what happened, in one sentence
	Fix     string `json:"fix"`     // how to fix it, in one sentence
	Certain bool   `json:"certain"` // computed or observed; false: guessed from the form of the signature
}

// Record is what happened in one attempt to send a request or in the receipt of
// one. As NDJSON it is one line:
//
//	{"type":"record","id":"...","time":"2026-01-15T14:30:00.123Z","direction":"sent",
//	 "platform":"workskedge","form":"inbound","event":"work_order.created",
//	 "webhook_id":"...","attempt":0,"scheme":"timestamp.body",
//	 "request":{"method","url","headers":[["Name","value"]],"body"},
//	 "verdict":{"outcome","verified","reason","detail"},
//	 "response":{"status","headers","body"},"duration_ms":12.5,"error":"...","replay_of":"..."}
//
// Members that do not apply are omitted.
type Record struct {
	ID        string
	Time      time.Time // when the attempt or the receipt began
	Direction Direction
	Platform  Platform
	Form      Form
	Event     string
	WebhookID string
	Attempt   int // 0 for the first
	Scheme    string
	Request   Request
	Verdict   *Verdict
	Response  *Response // nil: none came
	Forward   *Response // the response of the app behind the receiver
	Duration  time.Duration
	Error     string // why there is no response
	ReplayOf  string // the id of the record whose request was sent again
}

// Status returns the HTTP status of the response, or 0 if there was none.
func (r *Record) Status() int {
	if r.Response == nil {
		return 0
	}
	return r.Response.Status
}

// RefusedUnverified reports whether a receiver refused the request before or while
// it verified it: nothing shows that it is from the sender.
func (r *Record) RefusedUnverified() bool {
	return r.Direction == Received && r.Verdict != nil && r.Verdict.Outcome == Refused && !r.Verdict.Verified
}

// wireRecord is a record in JSON, see wireRequest: Q is its request, S its
// responses.
type wireRecord[Q, S any] struct {
	Type       string    `json:"type"`
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Direction  Direction `json:"direction"`
	Platform   Platform  `json:"platform,omitempty"`
	Form       Form      `json:"form,omitempty"`
	Event      string    `json:"event,omitempty"`
	WebhookID  string    `json:"webhook_id,omitempty"`
	Attempt    int       `json:"attempt"`
	Scheme     string    `json:"scheme,omitempty"`
	Request    Q         `json:"request"`
	Verdict    *Verdict  `json:"verdict,omitempty"`
	Response   *S        `json:"response,omitempty"`
	Forward    *S        `json:"forward,omitempty"`
	DurationMS float64   `json:"duration_ms"`
	Error      string    `json:"error,omitempty"`
	ReplayOf   string    `json:"replay_of,omitempty"`
}

// MarshalJSON encodes the record with credentials masked, see [Record.Redacted].
func (r Record) MarshalJSON() ([]byte, error) {
	return jsontext.Marshal(wireRecord[wireRequest[[][]string], wireResponse[[][]string]]{
		"record", r.ID, r.Time, r.Direction, r.Platform, r.Form, r.Event, r.WebhookID, r.Attempt, r.Scheme,
		r.Request.wire(), r.Verdict, r.Response.wire(), r.Forward.wire(),
		float64(r.Duration) / float64(time.Millisecond), RedactURLs(r.Error), r.ReplayOf,
	})
}

// UnmarshalJSON decodes what MarshalJSON encodes. Unknown members are ignored,
// so that the records of a newer version can be read.
func (r *Record) UnmarshalJSON(data []byte) error {
	var w wireRecord[Request, Response]
	if err := json.Unmarshal(data, &w); err != nil {
		return recordFault(data, err)
	}
	if w.Type != "record" {
		return fmt.Errorf(`type is %.20q, want "record"`, w.Type)
	}
	*r = Record{
		w.ID, w.Time, w.Direction, w.Platform, w.Form, w.Event, w.WebhookID, w.Attempt, w.Scheme,
		w.Request, w.Verdict, w.Response, w.Forward, durationOf(w.DurationMS), w.Error, w.ReplayOf,
	}
	return nil
}

// recordFault returns in plain words why a record could not be decoded. For text
// that is not JSON it is a [*SyntaxError].
func recordFault(data []byte, err error) error {
	var kind *json.UnmarshalTypeError
	switch syntax := CheckJSON(data); {
	case syntax != nil:
		return syntax
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("a record is an object, but this is %s", jsonType(kind.Value))
	case errors.As(err, &kind):
		return fmt.Errorf("%s may not be %s", kind.Field, jsonType(kind.Value))
	case strings.Contains(err.Error(), "Time.UnmarshalJSON"), strings.HasPrefix(err.Error(), "parsing time"):
		return errors.New("time must be written as 2026-01-15T14:30:00Z")
	}
	return err
}

// jsonType returns the name of a type in [json.UnmarshalTypeError] with its article.
func jsonType(name string) string {
	name, _, _ = strings.Cut(name, " ") // "number 1.5"
	switch name {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a " + name
}

// durationOf rounds to the nanosecond, so that a duration survives the
// conversion to milliseconds and back. A value out of range becomes the longest
// duration.
func durationOf(ms float64) time.Duration {
	ns := math.Round(ms * float64(time.Millisecond))
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}

// Encoder writes records as NDJSON, one line and one call of Write for each.
// NewEncoder returns one.
type Encoder struct{ w io.Writer }

// NewEncoder returns an encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w} }

// Encode writes a record as one line.
func (e *Encoder) Encode(r Record) error {
	line, err := r.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encoding record %s: %w", r.ID, err)
	}
	_, err = e.w.Write(append(line, '\n'))
	return err
}

// EncodeLine writes any other value as one line of the same stream, such as
// {"type":"ready"}. Control and format characters are escaped, so that the line
// is safe to show on a terminal.
func (e *Encoder) EncodeLine(v any) error {
	line, err := jsontext.Marshal(v)
	if err != nil {
		return err
	}
	_, err = e.w.Write(append(line, '\n'))
	return err
}

// maxRecordLine is the longest line that a Decoder reads, in bytes: many times
// the length of a record with two bodies of 1 MiB in base64.
const maxRecordLine = 64 << 20

// ErrLineTooLong is the error of a [Decoder] for a line longer than 64 MiB.
var ErrLineTooLong = errors.New("the line is longer than 64 MiB")

// Decoder reads records from NDJSON. It skips blank lines, and the "ready" and
// "summary" lines of a listener's stream. NewDecoder returns one.
type Decoder struct {
	s    *bufio.Scanner
	line int
	err  error // ends the stream: the rest of a line must not be read as a line
}

// NewDecoder returns a decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxRecordLine)
	return &Decoder{s: s}
}

// Decode returns the next record, or io.EOF after the last one. An error names
// the line, and the next call continues after it. After [ErrLineTooLong] and
// after a failed read every call returns the same error.
func (d *Decoder) Decode() (Record, error) {
	for d.err == nil && d.s.Scan() {
		d.line++
		line := bytes.TrimSpace(d.s.Bytes())
		if len(line) == 0 {
			continue
		}
		if classify.IsFrame(line) && json.Valid(line) {
			continue
		}
		var r Record
		var syntax *SyntaxError
		if err := r.UnmarshalJSON(line); errors.As(err, &syntax) {
			return Record{}, &SyntaxError{syntax.Offset, d.line, syntax.Column, syntax.Reason}
		} else if err != nil {
			return Record{}, fmt.Errorf("line %d: %w", d.line, err)
		}
		return r, nil
	}
	if d.err == nil {
		switch d.err = d.s.Err(); {
		case errors.Is(d.err, bufio.ErrTooLong):
			d.err = fmt.Errorf("line %d: %w", d.line+1, ErrLineTooLong)
		case d.err == nil:
			d.err = io.EOF
		}
	}
	return Record{}, d.err
}
