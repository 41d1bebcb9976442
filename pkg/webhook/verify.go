package webhook

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// DefaultTolerance is how far a timestamp may lie from now, in the past and
	// in the future, both ends included. WorkSkedge asks receivers to reject
	// requests older than five minutes (Webhooks page, "Best Practices"); the
	// same figure bounds the future.
	DefaultTolerance = 300 * time.Second

	// AnyAge as a tolerance accepts every well-formed timestamp.
	AnyAge time.Duration = -1
)

// Verifier is what a receiver knows of its senders. The zero value of every
// field but Secrets is a working default.
type Verifier struct {
	Scheme    Scheme        // default: timestamp.body
	Secrets   []Secret      // any one of them may match, for rotation
	Tolerance time.Duration // default: [DefaultTolerance]; [AnyAge]: no limit; rounded down to seconds
	URL       string        // the notification URL, which scheme square signs
}

// Proof is what a valid signature shows.
type Proof struct {
	Secret    int       // the index in Verifier.Secrets of the secret that matched
	Timestamp time.Time // when the sender signed; zero where the scheme has no timestamp
}

// Verify checks a WorkSkedge request by the default scheme and tolerance. See
// [Verifier.Verify].
func Verify(h http.Header, body []byte, now time.Time, secrets ...Secret) error {
	_, err := Verifier{Secrets: secrets}.Verify(h, body, now)
	return err
}

// Verify checks the signature that h carries over the raw body. The checks run
// in the order of the [Reason] constants. The error is a [*Refusal], or one of
// [Scheme.Digest] when the Verifier itself is at fault: no URL for scheme
// square, a secret that does not fit the scheme. Comparing signatures takes the
// same time wherever they differ.
//
// Only standard-webhooks signs the id. To refuse a captured request that is
// sent again under another id, remember ids and digests of timestamp and body,
// as pkg/receive does.
func (v Verifier) Verify(h http.Header, body []byte, now time.Time) (Proof, error) {
	for _, secret := range v.Secrets {
		if secret.IsZero() {
			return Proof{}, &Refusal{NoSecret, "", "a secret to verify with is blank"}
		}
	}
	if len(v.Secrets) == 0 {
		return Proof{}, &Refusal{NoSecret, "", "no secret to verify with"}
	}
	def := v.Scheme.definition()
	m := Message{URL: v.URL}
	var room [2]digest // of what a signature header usually carries
	digests, err := def.read(h, &m, room[:0])
	if err != nil {
		return Proof{}, err
	}
	matched, err := def.match(v.Secrets, &m, body, digests)
	if err != nil {
		return Proof{}, err
	}
	if !def.signsTimestamp {
		return Proof{Secret: matched}, nil
	}
	at, err := checkAge(def.timestampHeader.name, m.Timestamp, v.Tolerance, now)
	return Proof{Secret: matched, Timestamp: at}, err
}

// CheckTimestamp checks one timestamp header against the tolerance without
// checking a signature, for a scheme that does not sign the timestamp although
// the platform requires one. The error is a [*Refusal].
func (v Verifier) CheckTimestamp(h http.Header, name string, now time.Time) (time.Time, error) {
	switch values := h.Values(name); {
	case len(values) > 1:
		return time.Time{}, headerRepeated(name)
	case len(values) == 0 || values[0] == "":
		return time.Time{}, headerMissing(TimestampMissing, name)
	default:
		return checkAge(name, values[0], v.Tolerance, now)
	}
}

func headerRepeated(name string) error {
	return &Refusal{HeaderRepeated, name, "the header " + name + " occurs more than once"}
}

func headerMissing(reason Reason, name string) error {
	return &Refusal{reason, name, "the header " + name + " is missing or empty"}
}

// read reads what the scheme signs from the headers of a request into m, and
// appends to digests those that it claims.
func (def *schemeDefinition) read(h http.Header, m *Message, digests []digest) ([]digest, error) {
	signatures, timestamps, ids := def.signatureHeader.values(h), def.timestampHeader.values(h), def.idHeader.values(h)
	switch {
	case len(signatures) > 1:
		return nil, headerRepeated(def.signatureHeader.name)
	case len(timestamps) > 1:
		return nil, headerRepeated(def.timestampHeader.name)
	case len(ids) > 1:
		return nil, headerRepeated(def.idHeader.name)
	case len(signatures) == 0 || signatures[0] == "":
		return nil, headerMissing(SignatureMissing, def.signatureHeader.name)
	}
	if digests = def.decode(signatures[0], digests); len(digests) == 0 {
		return nil, &Refusal{SignatureMalformed, def.signatureHeader.name, def.malformed(signatures[0])}
	}
	if def.signsTimestamp {
		if len(timestamps) == 0 || timestamps[0] == "" {
			return nil, headerMissing(TimestampMissing, def.timestampHeader.name)
		}
		m.Timestamp = timestamps[0]
	}
	if def.signsID {
		if len(ids) == 0 || ids[0] == "" {
			return nil, headerMissing(IDMissing, def.idHeader.name)
		}
		m.ID = ids[0]
	}
	return digests, nil
}

func (def *schemeDefinition) malformed(signature string) string {
	want := "64 lowercase hex digits"
	if def.encoding == "base64" {
		want = def.prefix + "44 characters of base64"
	}
	return fmt.Sprintf("the header %s must be %s, and has %d characters that are not that", def.signatureHeader.name, want, len(signature))
}

// match compares with every secret, so that the time does not reveal which one
// matched.
func (def *schemeDefinition) match(secrets []Secret, m *Message, body []byte, digests []digest) (int, error) {
	matched := -1
	for i, secret := range secrets {
		want, err := def.digest(m, body, secret)
		if err != nil {
			return -1, err
		}
		for _, d := range digests {
			if hmac.Equal(d[:], want[:]) && matched < 0 {
				matched = i
			}
		}
	}
	if matched < 0 {
		under := "the secret"
		if n := len(secrets); n > 1 {
			under = fmt.Sprintf("any of the %d secrets", n)
		}
		return -1, &Refusal{SignatureMismatch, def.signatureHeader.name, "the signature does not match " + def.covers + " under " + under}
	}
	return matched, nil
}

func checkAge(header, timestamp string, tolerance time.Duration, now time.Time) (time.Time, error) {
	at, ok := Message{Timestamp: timestamp}.Time()
	if !ok {
		return time.Time{}, &Refusal{TimestampMalformed, header, "the header " + header + " must be Unix seconds: digits alone, without sign or leading zero"}
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	if tolerance == AnyAge {
		return at, nil
	}
	age, limit := now.Unix()-at.Unix(), int64(tolerance/time.Second)
	switch {
	case age > limit:
		return at, &Refusal{TimestampTooOld, header, fmt.Sprintf("the timestamp is %d s old, more than %d s", age, limit)}
	case -age > limit:
		return at, &Refusal{TimestampTooNew, header, fmt.Sprintf("the timestamp is %d s in the future, more than %d s", -age, limit)}
	}
	return at, nil
}

// FormatTimestamp writes a time as a timestamp header carries it: Unix seconds.
func FormatTimestamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Reason names why a request was refused. It is an error, so that
// errors.Is(err, webhook.SignatureMismatch) works on what Verify returns.
type Reason string

// The reasons of [ReadBody].
const (
	BodyEncoded  Reason = "encoding" // it has a Content-Encoding, which signatures do not cover
	BodyTooLarge Reason = "size"     // it is larger than the limit
	BodyBroken   Reason = "body"     // it ended before it was complete
	ReceiverBusy Reason = "busy"     // the server has no memory for it now
)

// The reasons of [Verifier.Verify], in the order of its checks.
const (
	NoSecret           Reason = "no_secret"           // the Verifier has no secret, or a blank one
	HeaderRepeated     Reason = "header_repeated"     // a header of the scheme occurs more than once
	SignatureMissing   Reason = "signature_missing"   // or empty
	SignatureMalformed Reason = "signature_malformed" // not a digest in the scheme's encoding
	TimestampMissing   Reason = "timestamp_missing"   // or empty, where the scheme signs it
	IDMissing          Reason = "id_missing"          // or empty, where the scheme signs it
	SignatureMismatch  Reason = "signature_mismatch"  // under every secret
	TimestampMalformed Reason = "timestamp_malformed" // see [Message.Time]
	TimestampTooOld    Reason = "timestamp_too_old"   // by more than the tolerance
	TimestampTooNew    Reason = "timestamp_too_new"   // by more than the tolerance
)

func (r Reason) Error() string { return string(r) }

// Refusal is the error of [Verifier.Verify] and [ReadBody]. It holds nothing that would help
// a forger: no expected signature, no part of a secret.
type Refusal struct {
	Reason Reason
	Header string // the header at fault, or ""
	Detail string // one sentence for people, without a trailing period
}

func (r *Refusal) Error() string { return r.Detail }

// Unwrap returns the reason, for errors.Is.
func (r *Refusal) Unwrap() error { return r.Reason }

// StatusOf returns the HTTP status that answers an error of Verify or ReadBody: 400
// for a repeated header, for a timestamp that is missing, malformed, too old or too
// new, for a missing id and for a body that is not complete; 413 and 415 for a body
// that is too large or encoded, and 503 when there is no memory for it; 401 for
// every other refusal; 500 when there is no secret to verify with, and for any other
// error.
func StatusOf(err error) int {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return http.StatusInternalServerError
	}
	switch refusal.Reason {
	case NoSecret:
		return http.StatusInternalServerError
	case BodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case BodyEncoded:
		return http.StatusUnsupportedMediaType
	case ReceiverBusy:
		return http.StatusServiceUnavailable
	case BodyBroken, HeaderRepeated, TimestampMissing, IDMissing, TimestampMalformed, TimestampTooOld, TimestampTooNew:
		return http.StatusBadRequest
	case SignatureMissing, SignatureMalformed, SignatureMismatch:
		return http.StatusUnauthorized
	}
	return http.StatusUnauthorized
}

// TextOf returns what a sender may learn of an error of Verify or ReadBody: it says
// nothing about signatures and secrets.
func TextOf(err error) string {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return "The receiver is misconfigured"
	}
	switch refusal.Reason {
	case BodyEncoded:
		return "Content-Encoding is not supported"
	case BodyTooLarge:
		return "Body too large"
	case BodyBroken:
		return "The body could not be read"
	case ReceiverBusy:
		return "The receiver is busy"
	}
	if StatusOf(err) == http.StatusUnauthorized {
		return "Invalid signature"
	}
	return strings.ToUpper(refusal.Detail[:1]) + refusal.Detail[1:]
}
