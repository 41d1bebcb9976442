package webhook

import (
	"strconv"
	"time"
)

// Sign returns the value of the signature header for m: the scheme's digest in
// the scheme's encoding. Its errors are those of [Scheme.Digest].
func (s Scheme) Sign(m Message, secret Secret) (string, error) {
	digest, err := s.Digest(m, secret)
	if err != nil {
		return "", err
	}
	return s.Encode(digest), nil
}

// Headers returns the lines that carry the signature: the id where the scheme
// has one and m names it, the timestamp where the scheme has one, and the
// signature.
func (s Scheme) Headers(m Message, secret Secret) (Header, error) {
	signature, err := s.Sign(m, secret)
	if err != nil {
		return nil, err
	}
	var h Header
	if s.IDHeader != "" && m.ID != "" {
		h = append(h, Pair{s.IDHeader, m.ID})
	}
	if s.TimestampHeader != "" {
		h = append(h, Pair{s.TimestampHeader, m.Timestamp})
	}
	return append(h, Pair{s.SignatureHeader, signature}), nil
}

// Stamp writes a time as the timestamp header carries it: Unix seconds.
func Stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Sign returns X-Webhook-Timestamp and X-Webhook-Signature for a body, signed
// by the default scheme at the time given.
func Sign(body []byte, at time.Time, secret Secret) (Header, error) {
	return DefaultScheme().Headers(Message{Body: body, Timestamp: Stamp(at)}, secret)
}
