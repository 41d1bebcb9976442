package check

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// fixComparison explains how to compare signatures.
var fixComparison = Fix{
	Node:   "Compare with crypto.timingSafeEqual over two Buffers of equal length, and respond 401 if it returns false.",
	Python: "Compare with hmac.compare_digest(expected, received) and respond 401 if it returns False.",
	PHP:    "Compare with hash_equals($expected, $received) and respond 401 if it returns false.",
	Go:     "Compare with hmac.Equal, or call webhook.Verify, and respond 401.",
}

var signatureCases = []Case{{
	ID: "signature_missing", Severity: report.Error, want: refused,
	Title: "a request without a signature is refused",
	Why:   "Anyone who finds the URL could send you events.",
	Fix: Fix{
		Node:   "Respond 401 if req.get('X-Webhook-Signature') is undefined, before anything is computed.",
		Python: "Respond 401 if request.headers.get('X-Webhook-Signature') is None, before compare_digest, which raises for None.",
		PHP:    "Respond 401 if $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'] is not set.",
		Go:     "Respond 401 if r.Header.Get returns \"\"; webhook.Verify checks it.",
	},
	send: func(s *session) []*request {
		r := s.signed("a request without a signature", s.validBody())
		r.header = r.header.Without(s.scheme.SignatureHeader())
		return []*request{r}
	},
}, {
	ID: "signature_wrong", Severity: report.Error, want: refused,
	Title: "a signature that does not match is refused",
	Why:   "This is what the signature is for: an event that the platform did not send must not be accepted.",
	Fix:   fixComparison,
	send: func(s *session) []*request {
		return []*request{s.forged("a wrong signature", strings.Repeat("0123456789abcdef", 4))}
	},
}, {
	ID: "signature_length", Severity: report.Error, want: refused, send: badLengths,
	Title: "a signature of the wrong length is refused",
	Why:   "crypto.timingSafeEqual and others throw if the lengths differ: anyone could then crash the handler with a short header. A comparison of only the common part would accept a truncated signature.",
	Fix: Fix{
		Node:   "Compare the lengths of the two Buffers first and respond 401 if they differ: crypto.timingSafeEqual throws on unequal lengths.",
		Python: "Call hmac.compare_digest with the whole strings: it returns False for unequal lengths.",
		PHP:    "Call hash_equals with the whole strings: it returns false for unequal lengths.",
		Go:     "Call hmac.Equal with the whole values: it returns false for unequal lengths.",
	},
}, {
	ID: "signature_not_hex", Severity: report.Error, want: refused,
	Title: "a signature that is not hex is refused",
	Why:   "A decoder that throws, or skips what it does not know, turns a nonsense header into a 500 or into an empty signature.",
	Fix: Fix{
		Node:   "Compare the hex strings, or check /^[0-9a-f]{64}$/ before Buffer.from(sig, 'hex'), which drops what is not hex.",
		Python: "Compare hexdigest() as text, or catch the ValueError of bytes.fromhex and respond 401; compare_digest raises for text that is not ASCII.",
		PHP:    "Compare the hex strings with hash_equals; hex2bin returns false for what is not hex.",
		Go:     "Respond 401 if hex.DecodeString returns an error.",
	},
	send: func(s *session) []*request {
		return []*request{s.forged("64 letters that are not hex", strings.Repeat("xyzw", 16))}
	},
}, {
	ID: "signature_uppercase", Severity: report.Warning, want: refused,
	Title: "a signature in uppercase hex is refused",
	Why:   "The platform sends lowercase. Accepting more than that is harmless in itself, but it shows that the header is changed before it is compared.",
	Fix: Fix{
		Node:   "Compare the header as received with digest('hex'), without toLowerCase.",
		Python: "Compare the header as received with hexdigest(), without lower().",
		PHP:    "Compare the header as received with the result of hash_hmac, without strtolower.",
		Go:     "Compare the header with hex.EncodeToString of the digest, or call webhook.Verify.",
	},
	send: func(s *session) []*request {
		r := s.signed("a signature in uppercase", s.validBody())
		r.header = r.header.With(s.scheme.SignatureHeader(), strings.ToUpper(r.signature))
		return []*request{r}
	},
}, {
	ID: "signature_other_body", Severity: report.Error, want: refused,
	Title: "a valid signature of another body is refused",
	Why:   "One request that someone has seen would be enough to sign any other.",
	Fix:   fixComparison,
	send: func(s *session) []*request {
		other := s.signed("", s.validBody())
		return []*request{s.forged("the signature of another body", other.signature)}
	},
}, {
	ID: "signature_empty_secret", Severity: report.Error, want: refused,
	Title: "a signature made with an empty secret is refused",
	Why:   "If the secret is missing from the environment, many receivers verify with an empty one, which everyone knows.",
	Fix: Fix{
		Node:   "Exit at startup if process.env.WEBHOOK_SECRET is empty; never write `|| ''`.",
		Python: "Read os.environ['WEBHOOK_SECRET'], which raises, rather than get with an empty default.",
		PHP:    "Exit if getenv('WEBHOOK_SECRET') is false or empty.",
		Go:     "Create the secret with webhook.NewSecret, which refuses an empty one, and exit on its error.",
	},
	send: func(s *session) []*request {
		r := s.signed("a signature made with an empty secret", s.validBody())
		mac := hmac.New(sha256.New, nil)
		mac.Write(s.scheme.Content(webhook.Message{Body: r.body, Timestamp: r.header.Get(s.scheme.TimestampHeader())}))
		r.header = r.header.With(s.scheme.SignatureHeader(), hex.EncodeToString(mac.Sum(nil)))
		return []*request{r}
	},
}, {
	ID: "body_changed", Severity: report.Error, want: refused,
	Title: "a body that was changed after signing is refused",
	Why:   "Anyone on the network path could change an amount or an address.",
	Fix: Fix{
		Node:   "Pass the whole raw Buffer to createHmac, not some of its members.",
		Python: "Pass all of request.get_data() to hmac.new.",
		PHP:    "Pass all of php://input to hash_hmac.",
		Go:     "Write the whole body to hmac.New(sha256.New, secret).",
	},
	send: func(s *session) []*request {
		r := s.signed("a body with one letter changed", s.validBody())
		r.body = bytes.Replace(r.body, []byte("a"), []byte("e"), 1) // within a string, so it stays JSON
		return []*request{r}
	},
}}

func badLengths(s *session) []*request {
	ofLength := func(name string, n int) *request {
		r := s.signed(name, s.validBody())
		r.header = r.header.With(s.scheme.SignatureHeader(), (r.signature + r.signature)[:n])
		return r
	}
	return []*request{
		ofLength("a signature of 63 digits", 63),
		ofLength("a signature of 1 digit", 1),
		ofLength("an empty signature", 0),
		ofLength("a signature of 65 digits", 65),
		ofLength("the signature twice over", 128),
	}
}
