package webhook

import (
	"errors"
	"net/http"
)

// Reason names why a request was refused. It is an error, so that
// errors.Is(err, webhook.SignatureMismatch) works on what Verify returns.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	NoSecret           Reason = "no_secret"
	HeaderRepeated     Reason = "header_repeated"
	SignatureMissing   Reason = "signature_missing"
	SignatureMalformed Reason = "signature_malformed"
	TimestampMissing   Reason = "timestamp_missing"
	IDMissing          Reason = "id_missing"
	SignatureMismatch  Reason = "signature_mismatch"
	TimestampMalformed Reason = "timestamp_malformed"
	TimestampTooOld    Reason = "timestamp_too_old"
	TimestampTooNew    Reason = "timestamp_too_new"
)

func (r Reason) Error() string { return string(r) }

// Refusal is the error of [Verifier.Verify]. It holds nothing that would help
// a forger: no expected signature, no part of a secret.
type Refusal struct {
	Reason Reason
	Header string // the header that it is about, or ""
	Detail string // one sentence for people, without a trailing period
}

func (r *Refusal) Error() string { return r.Detail }

// Unwrap makes errors.Is find the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// StatusOf gives the HTTP status that answers an error of Verify: 400 for a
// repeated header and for a missing, malformed, old or future timestamp (and
// a missing id), 401 for every other refusal, 500 when there is no secret to
// verify with and for any other error.
func StatusOf(err error) int {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return http.StatusInternalServerError
	}
	switch refusal.Reason {
	case NoSecret:
		return http.StatusInternalServerError
	case HeaderRepeated, TimestampMissing, IDMissing, TimestampMalformed, TimestampTooOld, TimestampTooNew:
		return http.StatusBadRequest
	case SignatureMissing, SignatureMalformed, SignatureMismatch:
		return http.StatusUnauthorized
	}
	return http.StatusUnauthorized
}
