package webhook_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// request is what a receiver sees of a signed request, and its clock.
type request struct {
	scheme               string
	secret               string
	body                 []byte
	stamp, id, url, sign string
	clock                int64
}

// byHand computes HMAC-SHA256 from RFC 2104, on nothing but SHA-256.
func byHand(key, message []byte) []byte {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	inner, outer := make([]byte, sha256.BlockSize), make([]byte, sha256.BlockSize)
	copy(inner, key)
	copy(outer, key)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := sha256.Sum256(append(inner, message...))
	sum = sha256.Sum256(append(outer, sum[:]...))
	return sum[:]
}

// signature is the one header value that is right, or "" when the secret or
// the URL is unfit. It is written from the documents, not from the product.
func (r request) signature() string {
	switch r.scheme {
	case "timestamp.body":
		return hex.EncodeToString(byHand([]byte(r.secret), append([]byte(r.stamp+"."), r.body...)))
	case "body":
		return hex.EncodeToString(byHand([]byte(r.secret), r.body))
	case "square":
		if r.url == "" {
			return ""
		}
		return base64.StdEncoding.EncodeToString(byHand([]byte(r.secret), append([]byte(r.url), r.body...)))
	case "quickbooks":
		return base64.StdEncoding.EncodeToString(byHand([]byte(r.secret), r.body))
	case "standard-webhooks":
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return ""
		}
		return "v1," + base64.StdEncoding.EncodeToString(byHand(key, append([]byte(r.id+"."+r.stamp+"."), r.body...)))
	}
	panic("no rule for scheme " + r.scheme)
}

var unixSeconds = regexp.MustCompile(`\A(0|[1-9][0-9]*)\z`)

// inWindow says by big numbers whether the timestamp is at most 300 s from
// the clock.
func (r request) inWindow() bool {
	at, ok := new(big.Int).SetString(r.stamp, 10)
	if !ok || !unixSeconds.MatchString(r.stamp) || !at.IsInt64() {
		return false
	}
	return at.Sub(at, big.NewInt(r.clock)).CmpAbs(big.NewInt(300)) <= 0
}

func (r request) good() bool {
	right := r.signature()
	switch r.scheme {
	case "standard-webhooks":
		return right != "" && r.id != "" && slices.Contains(strings.Fields(r.sign), right) && r.inWindow()
	case "timestamp.body":
		return r.sign == right && r.inWindow()
	}
	return right != "" && r.sign == right
}

func (r request) header(s webhook.Scheme) http.Header {
	h := http.Header{}
	h.Set(s.SignatureHeader(), r.sign)
	if s.TimestampHeader() != "" {
		h.Set(s.TimestampHeader(), r.stamp)
	}
	if s.IDHeader() != "" {
		h.Set(s.IDHeader(), r.id)
	}
	return h
}

// FuzzVerify signs by hand when asked to, so that the fuzzer gets past the
// signature, and holds that Verify accepts exactly what the rule by hand does.
func FuzzVerify(f *testing.F) {
	names := webhook.SchemeNames()
	for _, v := range vectors(f) {
		body, err := base64.StdEncoding.DecodeString(v.Body)
		if err != nil {
			f.Fatal(err)
		}
		i := uint8(slices.Index(names, v.Scheme))
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, v.Signature, false, signedAt)
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, strings.ToUpper(v.Signature), false, signedAt)
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, "v1,AAAA "+v.Signature, false, signedAt)
	}
	for text := range stamps {
		f.Add(uint8(0), "k", order, text, "", "", "", true, signedAt)
		f.Add(uint8(4), "aw==", order, text, "msg_1", "", " v1a,x", true, signedAt)
	}
	f.Fuzz(func(t *testing.T, scheme uint8, secret string, body []byte, stamp, id, url, signature string, sign bool, clock int64) {
		r := request{names[int(scheme)%len(names)], secret, body, stamp, id, url, signature, clock % (1 << 60)}
		if sign {
			r.sign = r.signature() + r.sign
		}
		s := schemeNamed(t, r.scheme)
		key, err := webhook.NewSecret(secret)
		if err != nil {
			return
		}
		v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{key}, URL: r.url}
		proof, err := v.Verify(r.header(s), r.body, time.Unix(r.clock, 0))
		if (err == nil) != r.good() {
			t.Fatalf("%+v: %v, want good to be %v", r, err, r.good())
		}
		if err == nil && s.TimestampHeader() != "" && webhook.FormatTimestamp(proof.Timestamp) != r.stamp {
			t.Fatalf("%+v: proof of %v", r, proof.Timestamp)
		}
		if status := webhook.StatusOf(err); err != nil && status != 400 && status != 401 && status != 500 {
			t.Fatalf("%+v: status %d", r, status)
		}
	})
}
