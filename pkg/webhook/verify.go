package webhook

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a timestamp may lie from now, in the past and in
// the future, both ends included. WorkSkedge's page refuses what is older than
// five minutes; the future is bounded here by the same figure.
const DefaultTolerance = 300 * time.Second

// AnyAge as a tolerance takes every well-formed timestamp.
const AnyAge time.Duration = -1

// Verifier holds what a receiver knows. The zero value of every field but
// Secrets is a working default.
type Verifier struct {
	Scheme    Scheme        // default: timestamp.body
	Secrets   []Secret      // any one of them may match, for rotation
	Tolerance time.Duration // default: DefaultTolerance; AnyAge: no limit; whole seconds count
	URL       string        // the notification URL, for scheme square
}

// Proof is what a good signature shows.
type Proof struct {
	Secret    int       // the index of the secret that matched
	Timestamp time.Time // when the sender signed; zero where the scheme has none
}

// Verify checks a WorkSkedge request by the default scheme and tolerance. See
// [Verifier.Verify].
func Verify(h http.Header, body []byte, now time.Time, secrets ...Secret) error {
	_, err := Verifier{Secrets: secrets}.Verify(h, body, now)
	return err
}

// Verify checks the signature that h carries over the raw body. The checks run
// in the order of the [Reason] constants, and the error is a [*Refusal], or one
// of [Scheme.Digest] when the Verifier itself is at fault: no URL for square, a
// secret that is not the scheme's. The comparison of signatures takes the same
// time wherever they differ.
//
// The id is not under the signature in any scheme but standard-webhooks: to
// refuse a captured request that comes again, remember ids and [BodyDigest].
func (v Verifier) Verify(h http.Header, body []byte, now time.Time) (Proof, error) {
	s := v.Scheme
	if s.Name == "" {
		s = DefaultScheme()
	}
	for _, secret := range v.Secrets {
		if secret.IsZero() {
			return Proof{}, &Refusal{NoSecret, "", "a secret to verify with is blank"}
		}
	}
	if len(v.Secrets) == 0 {
		return Proof{}, &Refusal{NoSecret, "", "no secret to verify with"}
	}
	m, digests, err := s.read(h)
	if err != nil {
		return Proof{}, err
	}
	m.Body, m.URL = body, v.URL
	matched, err := v.match(s, m, digests)
	if err != nil {
		return Proof{}, err
	}
	if s.TimestampHeader == "" {
		return Proof{Secret: matched}, nil
	}
	at, err := v.checkAge(s.TimestampHeader, m.Timestamp, now)
	return Proof{Secret: matched, Timestamp: at}, err
}

// read takes the signed headers of a request apart.
func (s Scheme) read(h http.Header) (Message, [][]byte, error) {
	for _, name := range []string{s.SignatureHeader, s.TimestampHeader, s.IDHeader} {
		if name != "" && len(h.Values(name)) > 1 {
			return Message{}, nil, &Refusal{HeaderRepeated, name, "the header " + name + " is there more than once"}
		}
	}
	signature := h.Get(s.SignatureHeader)
	if signature == "" {
		return Message{}, nil, &Refusal{SignatureMissing, s.SignatureHeader, "the header " + s.SignatureHeader + " is missing or empty"}
	}
	digests := s.decode(signature)
	if len(digests) == 0 {
		return Message{}, nil, &Refusal{SignatureMalformed, s.SignatureHeader, s.malformed(signature)}
	}
	var m Message
	if s.TimestampHeader != "" {
		if m.Timestamp = h.Get(s.TimestampHeader); m.Timestamp == "" {
			return Message{}, nil, &Refusal{TimestampMissing, s.TimestampHeader, "the header " + s.TimestampHeader + " is missing or empty"}
		}
	}
	if s.Name == StandardWebhooks {
		if m.ID = h.Get(s.IDHeader); m.ID == "" {
			return Message{}, nil, &Refusal{IDMissing, s.IDHeader, "the header " + s.IDHeader + " is missing or empty"}
		}
	}
	return m, digests, nil
}

func (s Scheme) malformed(signature string) string {
	want := "64 lowercase hex digits"
	if s.Encoding == "base64" {
		want = s.Prefix + "44 characters of base64"
	}
	return fmt.Sprintf("the header %s must be %s, and has %d characters that are not that", s.SignatureHeader, want, len(signature))
}

// match compares against every secret, so that the time does not tell which
// one it was.
func (v Verifier) match(s Scheme, m Message, digests [][]byte) (int, error) {
	matched := -1
	for i, secret := range v.Secrets {
		want, err := s.Digest(m, secret)
		if err != nil {
			return -1, err
		}
		for _, d := range digests {
			if hmac.Equal(d, want) && matched < 0 {
				matched = i
			}
		}
	}
	if matched < 0 {
		return -1, &Refusal{SignatureMismatch, s.SignatureHeader, "the signature does not match " + s.Covers + " under " + countSecrets(len(v.Secrets))}
	}
	return matched, nil
}

func countSecrets(n int) string {
	if n == 1 {
		return "the secret"
	}
	return fmt.Sprintf("any of the %d secrets", n)
}

func (v Verifier) checkAge(header, stamp string, now time.Time) (time.Time, error) {
	seconds, ok := ParseStamp(stamp)
	if !ok {
		return time.Time{}, &Refusal{TimestampMalformed, header, "the header " + header + " must be Unix seconds: digits alone, without sign or leading zero"}
	}
	tolerance := v.Tolerance
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	at := time.Unix(seconds, 0)
	if tolerance == AnyAge {
		return at, nil
	}
	age, limit := now.Unix()-seconds, int64(tolerance/time.Second)
	switch {
	case age > limit:
		return at, &Refusal{TimestampTooOld, header, fmt.Sprintf("the timestamp is %d s old, more than %d s", age, limit)}
	case -age > limit:
		return at, &Refusal{TimestampTooNew, header, fmt.Sprintf("the timestamp is %d s in the future, more than %d s", -age, limit)}
	}
	return at, nil
}

// ParseStamp reads a timestamp header strictly: ASCII digits, no sign, no
// leading zero, within int64.
func ParseStamp(s string) (seconds int64, ok bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
