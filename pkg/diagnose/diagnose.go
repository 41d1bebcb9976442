// Package diagnose explains why a webhook receiver refused a request.
//
// A verifier, the request and the reason of the refusal come in; one
// [webhook.Diagnosis] comes out: a sentence that says what happened and a
// sentence that says how to fix it. A wrong signature is explained by
// computation where that is possible. The package tries the mistakes that
// senders and receivers make (a newline added to the body, JSON that was parsed
// and written again, a secret with a space, another scheme, …), first one at a
// time and then in pairs, until a digest equals the presented one.
//
// A receiver answers first and explains afterwards, for its log:
//
//	_, err := verifier.Verify(r.Header, body, time.Now())
//	var refusal *webhook.Refusal
//	if errors.As(err, &refusal) {
//		http.Error(w, refusal.Detail, webhook.StatusOf(err))
//		request := webhook.Request{Header: webhook.HeaderOf(r.Header), Body: body}
//		if d := limiter.Refusal(verifier, request, refusal.Reason); d != nil {
//			log.Printf("%s: %s; %s", refusal.Reason, d.Summary, d.Fix)
//		}
//		return
//	}
//
// A diagnosis must never decide whether a request is accepted: that is what
// [webhook.Verifier.Verify] is for. A diagnosis contains no secret, no expected
// signature and no part of either.
//
// This package is stable.
package diagnose

import (
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Refusal explains why v refused r for the given reason. It covers every
// [webhook.Reason]. It returns nil when a signature does not match and no known
// mistake leads to it, and for a reason that is not one of package webhook's.
//
// Secrets that are no longer valid may be passed as previous, so that a sender
// that still signs with one of them is recognized.
//
// The work is bounded: at most 4,000 digests over at most 1.5 GiB. A body of a
// few kilobytes takes milliseconds, one of 100 MB about a second. Bodies larger
// than 256 KiB are not tried with two mistakes at once, and bodies larger than
// 8 MiB are not rewritten. A server that explains requests of strangers uses a
// [Limiter].
func Refusal(v webhook.Verifier, r webhook.Request, reason webhook.Reason, previous ...webhook.Secret) *webhook.Diagnosis {
	if v.Scheme.IsZero() {
		v.Scheme = webhook.SchemeFor(webhook.WorkSkedge)
	}
	if needsSearch(reason) {
		if d := computed(v, r, previous); d != nil {
			return d
		}
	}
	return stated(v.Scheme, r, reason)
}

// needsSearch reports whether the reason leaves open what the sender did.
func needsSearch(reason webhook.Reason) bool {
	switch reason {
	case webhook.SignatureMissing, webhook.SignatureMalformed, webhook.SignatureMismatch, webhook.TimestampMissing, webhook.IDMissing:
		return true
	}
	return false
}

// computed explains a refusal by the mistake that leads to the presented
// signature, or else by the signature's shape; it returns nil when it finds neither.
func computed(v webhook.Verifier, r webhook.Request, previous []webhook.Secret) *webhook.Diagnosis {
	found, ok := Explain(Case{
		Scheme: v.Scheme, Secrets: v.Secrets, Previous: previous, Header: r.Header,
		Signature: r.Header.Get(v.Scheme.SignatureHeader()),
		Message: webhook.Message{
			Body: r.Body, Timestamp: r.Header.Get(v.Scheme.TimestampHeader()),
			ID: r.Header.Get(v.Scheme.IDHeader()), URL: v.URL,
		},
	})
	if !ok {
		return nil
	}
	return &webhook.Diagnosis{ID: found.ID, Summary: found.Summary, Fix: found.Fix, Certain: found.Certain}
}

// stated explains a refusal by its reason alone, or returns nil.
func stated(s webhook.Scheme, r webhook.Request, reason webhook.Reason) *webhook.Diagnosis {
	timestampHeader := s.TimestampHeader()
	if timestampHeader == "" { // a receiver may require one that the scheme does not sign
		timestampHeader = webhook.HeaderTimestamp
	}
	const seconds = "Unix seconds, ten digits, and sign the same text"
	d := &webhook.Diagnosis{Certain: true}
	switch reason {
	case webhook.NoSecret:
		d.ID = "secret.none"
		d.Summary = "the receiver has no secret, or a blank one, so it cannot verify any request"
		d.Fix = "give the receiver the secret that the sender signs with"
	case webhook.HeaderRepeated:
		d.ID = "header.repeated"
		d.Summary = "the request has the header " + repeated(s, r.Header) + " more than once, so two programs may read different values"
		d.Fix = "have the sender set the header once, and check whether a proxy adds it again"
	case webhook.SignatureMissing:
		d.ID = "header.signature_missing"
		d.Summary = "the request has no signature, neither in " + s.SignatureHeader() + " nor in another header"
		d.Fix = "have the sender put the signature of " + s.Covers() + " in " + s.SignatureHeader() + ", and check whether a proxy removes the header"
	case webhook.SignatureMalformed:
		d.ID, d.Certain = "encoding.unknown", false
		d.Summary = "the header " + s.SignatureHeader() + " contains a text that is not an HMAC in any known encoding"
		d.Fix = "have the sender write the HMAC-SHA256 of " + s.Covers() + " in " + encodingOf(s)
	case webhook.TimestampMissing:
		d.ID = "time.timestamp_missing"
		d.Summary = "the request has no " + timestampHeader + " header"
		d.Fix = "have the sender set " + timestampHeader + " to " + seconds
	case webhook.IDMissing:
		d.ID = "header.id_missing"
		d.Summary = "the request has no " + s.IDHeader() + " header, and the signature covers it"
		d.Fix = "have the sender set " + s.IDHeader() + " to the id of the event and sign " + s.Covers()
	case webhook.TimestampMalformed:
		d.ID = "time.timestamp_malformed"
		d.Summary = "the signature itself is good, but the timestamp is not a number of Unix seconds"
		d.Fix = "have the sender write " + seconds
	case webhook.TimestampTooOld:
		d.ID = "time.timestamp_too_old"
		d.Summary = "the signature itself is good, but the timestamp is older than the tolerance allows"
		d.Fix = "send the request again with a fresh timestamp and signature; to verify an old request, use --tolerance off"
	case webhook.TimestampTooNew:
		d.ID = "time.timestamp_too_new"
		d.Summary = "the signature itself is good, but the timestamp is further in the future than the tolerance allows"
		d.Fix = "synchronize the clocks of sender and receiver; to verify the request anyway, use --tolerance off"
		if len(r.Header.Get(timestampHeader)) >= 13 { // Unix milliseconds have 13 digits until the year 2286
			d.Summary = "the signature itself is good, but the timestamp is finer than seconds"
			d.Fix = "have the sender write " + seconds
		}
	default: // also SignatureMismatch: that it does not match is all there is to say
		return nil
	}
	return d
}

// repeated returns the first header of the scheme that the request has twice.
func repeated(s webhook.Scheme, h webhook.Header) string {
	values := h.HTTP()
	for _, name := range []string{s.SignatureHeader(), s.TimestampHeader(), s.IDHeader(), webhook.HeaderTimestamp} {
		if name != "" && len(values.Values(name)) > 1 {
			return name
		}
	}
	return s.SignatureHeader()
}

func encodingOf(s webhook.Scheme) string {
	if s.Encoding() == "base64" {
		return "base64, 44 characters"
	}
	return "lowercase hex, 64 digits"
}

// maxLimited is the largest body, in bytes, that a Limiter searches.
const maxLimited = 16 << 10

// Limiter explains refusals for a server, so that a flood of bad requests does
// not keep it busy: it searches for one request at a time and only for bodies
// of at most 16 KiB. The zero value is ready to use. A Limiter is safe for
// concurrent use.
type Limiter struct{ searching sync.Mutex }

// Refusal is the function [Refusal] within the limits: it returns nil for a
// request that would need a search while another search is running, or whose
// body is too large for one.
func (l *Limiter) Refusal(v webhook.Verifier, r webhook.Request, reason webhook.Reason, previous ...webhook.Secret) *webhook.Diagnosis {
	if needsSearch(reason) {
		if len(r.Body) > maxLimited || !l.searching.TryLock() {
			return nil
		}
		defer l.searching.Unlock()
	}
	return Refusal(v, r, reason, previous...)
}
