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
//	func handler(verifier webhook.Verifier, logger *log.Logger, handle func(body []byte) error) http.HandlerFunc {
//		var limiter diagnose.Limiter // one for all requests
//		return func(w http.ResponseWriter, r *http.Request) {
//			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//			if err != nil {
//				http.Error(w, "reading the body failed", http.StatusBadRequest)
//				return
//			}
//			if _, err := verifier.Verify(r.Header, body, time.Now()); err != nil {
//				http.Error(w, err.Error(), webhook.StatusOf(err))
//				_ = http.NewResponseController(w).Flush() // the sender does not wait for the explanation
//				var refusal *webhook.Refusal
//				if errors.As(err, &refusal) {
//					request := webhook.Request{Header: webhook.HeaderOf(r.Header), Body: body}
//					if d := limiter.Refusal(verifier, request, refusal.Reason); d != nil {
//						logger.Printf("%s: %s; %s", d.ID, d.Summary, d.Fix)
//					}
//				}
//				return
//			}
//			if err := handle(body); err != nil {
//				http.Error(w, "handling the event failed", http.StatusInternalServerError)
//				return
//			}
//			w.WriteHeader(http.StatusOK)
//		}
//	}
//
// A diagnosis must never decide whether a request is accepted: that is what
// [webhook.Verifier.Verify] is for. A diagnosis contains no secret, no expected
// signature and no part of either.
//
// This package is stable.
package diagnose

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Refusal explains why v refused r for the given reason. It covers every
// [webhook.Reason], and returns nil for a reason that is not one of package
// webhook's. When a signature does not match and no known mistake leads to it, the
// diagnosis says that: its ID is signature.unexplained.
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
	f := (*finding)(nil)
	if needsSearch(reason) {
		f = explain(newEvidence(v, r, previous), newBudget())
	}
	if f == nil {
		f = factOf(v.Scheme, r, reason)
	}
	if f == nil {
		return nil
	}
	if errors.Is(reason, webhook.SignatureMismatch) {
		f.addPrecision(v.Scheme, r)
	}
	return f.diagnosis(v.Scheme)
}

// addPrecision adds that the timestamp has another unit than seconds: the receiver
// would refuse it even if the signature matched.
func (f *finding) addPrecision(s webhook.Scheme, r webhook.Request) {
	unit := finerUnit(r.Header.Get(s.TimestampHeader()))
	explained := slices.ContainsFunc(f.causes, func(c cause) bool { return c.id == "content.seconds" })
	if unit == "" || explained {
		return
	}
	finer := cause{id: "time.milliseconds", summary: "the timestamp is in " + unit + ", and the receiver reads seconds"}
	if f.causes[0].id == "signature.unexplained" {
		f.causes = []cause{finer, {id: "signature.unexplained", summary: "no known mistake explains the signature: most likely the secrets differ, or the body was changed"}}
	} else {
		f.causes = append(f.causes, finer)
	}
}

// finerUnit returns the unit of a timestamp that has digits enough to be finer than
// seconds, in this century, or "".
func finerUnit(timestamp string) string {
	if strings.Trim(timestamp, "0123456789") != "" {
		return ""
	}
	return map[int]string{13: "milliseconds", 16: "microseconds", 19: "nanoseconds"}[len(timestamp)]
}

// needsSearch reports whether the reason leaves open what the sender did.
func needsSearch(reason webhook.Reason) bool {
	switch reason {
	case webhook.SignatureMissing, webhook.SignatureMalformed, webhook.SignatureMismatch, webhook.TimestampMissing, webhook.IDMissing:
		return true
	}
	return false
}

// factOf explains a refusal by its reason alone, or returns nil.
func factOf(s webhook.Scheme, r webhook.Request, reason webhook.Reason) *finding {
	c := cause{}
	switch reason {
	case webhook.NoSecret:
		c.id = "secret.none"
	case webhook.HeaderRepeated:
		c.id, c.detail = "header.repeated", repeatedHeader(s, r.Header)
	case webhook.SignatureMissing:
		c.id = "header.signature_missing"
	case webhook.SignatureMalformed:
		return &finding{causes: []cause{{id: "encoding.unknown"}}}
	case webhook.TimestampMissing:
		c.id = "time.timestamp_missing"
	case webhook.IDMissing:
		c.id = "header.id_missing"
	case webhook.TimestampMalformed:
		c.id = "time.timestamp_malformed"
		if whole, fraction, _ := strings.Cut(r.Header.Get(timestampHeader(s)), "."); len(whole) == 10 && fraction != "" && strings.Trim(whole+fraction, "0123456789") == "" {
			c.summary = "the signature itself is good, but the timestamp has a fraction of a second, and the receiver reads whole seconds"
		}
	case webhook.TimestampTooOld:
		c.id = "time.timestamp_too_old"
	case webhook.TimestampTooNew:
		c.id = "time.timestamp_too_new"
		if unit := finerUnit(r.Header.Get(timestampHeader(s))); unit != "" {
			c.id = "time.milliseconds"
			c.summary = "the signature itself is good, but the timestamp, in the header and under the signature, is in " + unit + ", and the receiver reads seconds"
		}
	case webhook.SignatureMismatch:
		c.id = "signature.unexplained"
		if original(r.Body).withLineBreaks("\n") != nil {
			c.id = "body.newlines_dropped"
			c.summary = "the body looks like an indented file without its line breaks: curl -d @FILE drops them"
		}
		return &finding{causes: []cause{c}}
	default:
		return nil
	}
	return &finding{causes: []cause{c}, certain: true}
}

// repeatedHeader returns the first of the headers that a receiver reads once
// and that the request has more than once.
func repeatedHeader(s webhook.Scheme, h webhook.Header) string {
	values := h.HTTP()
	for _, name := range []string{s.SignatureHeader(), timestampHeader(s), s.IDHeader()} {
		if name != "" && len(values.Values(name)) > 1 {
			return name
		}
	}
	return ""
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
