package webhook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Direction says which way a request went.
type Direction string

// The directions.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
)

// Outcome is what a receiver made of a request, or a sender of an answer.
type Outcome string

// The outcomes.
const (
	Accepted       Outcome = "accepted"       // verified and new; for a sender: answered 2xx
	Duplicate      Outcome = "duplicate"      // id seen before with the same body
	ReplaySuspect  Outcome = "replay_suspect" // timestamp and body seen before under another id
	Conflict       Outcome = "conflict"       // id seen before with another body
	Refused        Outcome = "refused"        // a check failed; for a sender: answered, not 2xx
	Failed         Outcome = "failed"         // the app behind failed; for a sender: no answer
	OutcomeUnknown Outcome = "unknown"        // sent and not answered: it may have been handled
	Pending        Outcome = "pending"        // verified and journaled, and not handed on yet
)

// Verdict is what the checks said. Reason is a [Reason], or the name of
// another check ("method", "encoding", "size", "json", "conflict", ...);
// empty where nothing failed.
type Verdict struct {
	Outcome  Outcome  `json:"outcome"`
	Verified bool     `json:"verified"` // the signature and the time are good
	Reason   string   `json:"reason,omitempty"`
	Detail   string   `json:"detail,omitempty"` // one sentence for people
	Warnings []string `json:"warnings,omitempty"`

	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	Findings  []Remark   `json:"findings,omitempty"` // what lint says of the body
}

// Remark is one finding of lint, as a record keeps it.
type Remark struct {
	Severity string `json:"severity"` // error, warning or note
	Rule     string `json:"rule"`
	Pointer  string `json:"pointer"` // JSON Pointer in the body
	Message  string `json:"message"`
}

// Diagnosis explains why a request was refused. Package diagnose writes it.
type Diagnosis struct {
	ID      string `json:"id"`      // "body.newline_added"
	Summary string `json:"summary"` // what happened, in one sentence
	Fix     string `json:"fix"`     // how to fix it, in one sentence
	Certain bool   `json:"certain"` // computed or observed; false: guessed from the form of the signature
}

// Record is what happened in one attempt or one receipt. Every command reads
// and writes it. As NDJSON it is one line:
//
//	{"type":"record","id":"...","time":"2026-01-15T14:30:00.123Z","direction":"sent",
//	 "platform":"workskedge","form":"inbound","event":"work_order.created",
//	 "webhook_id":"...","attempt":0,"scheme":"timestamp.body",
//	 "request":{"method","url","headers":[["Name","value"]],"body"},
//	 "verdict":{"outcome","verified","reason","detail"},
//	 "response":{"status","headers","body"},"duration_ms":12.5,"error":"..."}
//
// Members that do not apply are left out.
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
	Response  *Response // nil: there was none
	Forward   *Response // what the app behind the receiver answered
	Duration  time.Duration
	Error     string // why there is no response
}

type wireRecord struct {
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
	Request    Request   `json:"request"`
	Verdict    *Verdict  `json:"verdict,omitempty"`
	Response   *Response `json:"response,omitempty"`
	Forward    *Response `json:"forward,omitempty"`
	DurationMS float64   `json:"duration_ms"`
	Error      string    `json:"error,omitempty"`
}

// MarshalJSON writes the record with what is secret redacted: see [Record.Redacted].
func (r Record) MarshalJSON() ([]byte, error) {
	r = r.Redacted()
	return jsontext.Marshal(wireRecord{
		"record", r.ID, r.Time, r.Direction, r.Platform, r.Form, r.Event, r.WebhookID, r.Attempt, r.Scheme,
		r.Request, r.Verdict, r.Response, r.Forward, float64(r.Duration) / float64(time.Millisecond), r.Error,
	})
}

// UnmarshalJSON reads what MarshalJSON writes. Members that it does not know
// are left alone, so that records of a newer wsk can be read.
func (r *Record) UnmarshalJSON(data []byte) error {
	var w wireRecord
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	if w.Type != "record" {
		return fmt.Errorf(`type is %.20q, want "record"`, w.Type)
	}
	*r = Record{
		w.ID, w.Time, w.Direction, w.Platform, w.Form, w.Event, w.WebhookID, w.Attempt, w.Scheme,
		w.Request, w.Verdict, w.Response, w.Forward, durationOf(w.DurationMS), w.Error,
	}
	return nil
}

// durationOf rounds to the nanosecond, so that a duration survives the trip
// through milliseconds. What no Duration can hold becomes the longest one.
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

// Kind is what the bytes of a file or of a line of NDJSON are.
type Kind string

// The kinds.
const (
	KindPayload Kind = "payload" // anything that is none of the others
	KindRecord  Kind = "record"  // a [Record]
	KindFrame   Kind = "frame"   // the "ready" or "summary" line of a listener's stream
	KindRequest Kind = "request" // a raw HTTP/1.x request, see [ParseRequest]
)

// KindOf tells by its beginning what raw is: a request by its request line, a
// record by its "type" and its "request" object, and a frame by its "type" when
// it has no event. It looks at the first JSON value alone and does not check
// that it is valid.
func KindOf(raw []byte) Kind {
	if isRequestLine(raw) {
		return KindRequest
	}
	if !bytes.Contains(raw, []byte(`"record"`)) && !bytes.Contains(raw, []byte(`"ready"`)) && !bytes.Contains(raw, []byte(`"summary"`)) {
		return KindPayload // without reading its members
	}
	first := gjson.ParseBytes(raw)
	if !first.IsObject() {
		return KindPayload
	}
	switch first.Get("type").String() {
	case "record":
		if first.Get("request").IsObject() {
			return KindRecord
		}
	case "ready", "summary":
		if !first.Get("event").Exists() && !first.Get("event_type").Exists() {
			return KindFrame
		}
	}
	return KindPayload
}

// Encoder writes records as NDJSON, one line and one Write for each.
type Encoder struct{ w io.Writer }

// NewEncoder returns an encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w} }

// Encode writes one line.
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

// MaxRecordLine is the longest line that a Decoder takes, in bytes. A record
// of two 1 MiB bodies in base64 has room many times over.
const MaxRecordLine = 64 << 20

// ErrLineTooLong says that a line of NDJSON is longer than [MaxRecordLine].
var ErrLineTooLong = errors.New("the line is longer than 64 MiB")

// Decoder reads records from NDJSON. Blank lines, and the "ready" and
// "summary" lines of a listener's stream, are passed over.
type Decoder struct {
	s    *bufio.Scanner
	line int
	err  error // ends the stream: what is left of a line must not pass for one
}

// NewDecoder returns a decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxRecordLine)
	return &Decoder{s: s}
}

// Decode returns the next record, or io.EOF after the last. An error names
// the line; the next call goes on behind it, unless the line was too long or
// reading failed.
func (d *Decoder) Decode() (Record, error) {
	for d.err == nil && d.s.Scan() {
		d.line++
		line := bytes.TrimSpace(d.s.Bytes())
		if len(line) == 0 {
			continue
		}
		var probe struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(line, &probe); err != nil {
			return Record{}, fmt.Errorf("line %d: %w", d.line, err)
		}
		if KindOf(line) == KindFrame {
			continue
		}
		var r Record
		if err := r.UnmarshalJSON(line); err != nil {
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
