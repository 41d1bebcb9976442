package check

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// compare is how each language compares signatures.
func compare() Mend {
	return Mend{
		Node:   "Compare with crypto.timingSafeEqual over two Buffers of equal length, and answer 401 when it says false.",
		Python: "Compare with hmac.compare_digest(expected, received) and answer 401 when it says False.",
		PHP:    "Compare with hash_equals($expected, $received) and answer 401 when it says false.",
		Go:     "Compare with hmac.Equal, or let webhook.Verify do it, and answer 401.",
	}
}

// shapeCases are about what stands in the header.
func shapeCases() []Case {
	return []Case{{
		ID: "signature_missing", Severity: Error, want: refused,
		Title: "a request without a signature is refused",
		Why:   "Whoever finds the URL could send you events.",
		Mend: Mend{
			Node:   "Answer 401 when req.get('X-Webhook-Signature') is undefined, before anything is computed.",
			Python: "Answer 401 when request.headers.get('X-Webhook-Signature') is None, before compare_digest, which raises for None.",
			PHP:    "Answer 401 when $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'] is not set.",
			Go:     "Answer 401 when r.Header.Get is empty; webhook.Verify does.",
		},
		send: func(s *session) []*shot {
			bare := s.good("a request without a signature", s.valid())
			bare.header = bare.header.Without(s.scheme.SignatureHeader())
			return []*shot{bare}
		},
	}, {
		ID: "signature_wrong", Severity: Error, want: refused,
		Title: "a signature that does not match is refused",
		Why:   "This is what the signature is for: an event that the platform did not send must not be taken.",
		Mend:  compare(),
		send: func(s *session) []*shot {
			return []*shot{s.forged("a wrong signature", strings.Repeat("0123456789abcdef", 4))}
		},
	}, {
		ID: "signature_length", Severity: Error, want: refused, send: badLengths,
		Title: "a cut or padded signature is refused, without a crash",
		Why:   "crypto.timingSafeEqual and others throw when the lengths differ: anyone can then crash the handler with a short header. A comparison of the common part alone would take a cut one.",
		Mend: Mend{
			Node:   "Compare the two Buffers' lengths first and answer 401 when they differ: crypto.timingSafeEqual throws on unequal lengths.",
			Python: "Use hmac.compare_digest on the whole strings: it takes unequal lengths and says False.",
			PHP:    "Use hash_equals on the whole strings: it takes unequal lengths and says false.",
			Go:     "Use hmac.Equal on the whole values: it takes unequal lengths and says false.",
		},
	}, {
		ID: "signature_not_hex", Severity: Error, want: refused,
		Title: "a signature that is not hex is refused",
		Why:   "A decoder that throws, or drops what it does not know, turns a nonsense header into a 500 or into an empty signature.",
		Mend: Mend{
			Node:   "Compare the hex texts, or check /^[0-9a-f]{64}$/ before Buffer.from(sig, 'hex'), which drops what is not hex.",
			Python: "Compare hexdigest() as text, or catch ValueError of bytes.fromhex and answer 401; compare_digest raises for text that is not ASCII.",
			PHP:    "Compare the hex texts with hash_equals; hex2bin returns false for what is not hex.",
			Go:     "Answer 401 when hex.DecodeString returns an error.",
		},
		send: func(s *session) []*shot {
			return []*shot{s.forged("64 letters that are not hex", strings.Repeat("xyzw", 16))}
		},
	}, {
		ID: "signature_uppercase", Severity: Warning, want: refused,
		Title: "a signature in uppercase hex is refused",
		Why:   "The platform writes lowercase. To take more than it sends is harmless by itself, and shows that the header is changed before it is compared.",
		Mend: Mend{
			Node:   "Compare the header as it came with digest('hex'), without toLowerCase.",
			Python: "Compare the header as it came with hexdigest(), without lower().",
			PHP:    "Compare the header as it came with hash_hmac's text, without strtolower.",
			Go:     "Compare the header with hex.EncodeToString of the digest, or let webhook.Verify do it.",
		},
		send: func(s *session) []*shot {
			good := s.good("a signature in uppercase", s.valid())
			good.header = good.header.With(s.scheme.SignatureHeader(), strings.ToUpper(good.right))
			return []*shot{good}
		},
	}}
}

// forgeryCases are about signatures that look right.
func forgeryCases() []Case {
	return []Case{{
		ID: "signature_other_body", Severity: Error, want: refused,
		Title: "a good signature of another body is refused",
		Why:   "One request that was seen on its way would be enough to sign any other.",
		Mend:  compare(),
		send: func(s *session) []*shot {
			return []*shot{s.forged("the signature of another body", s.good("", s.valid()).right)}
		},
	}, {
		ID: "signature_empty_secret", Severity: Error, want: refused,
		Title: "a signature made with an empty secret is refused",
		Why:   "When the secret is missing from the environment, many receivers verify with an empty one: then everybody knows it.",
		Mend: Mend{
			Node:   "Stop at the start when process.env.WEBHOOK_SECRET is empty; never write `|| ''`.",
			Python: "Read os.environ['WEBHOOK_SECRET'], which raises, in place of get with an empty default.",
			PHP:    "Stop when getenv('WEBHOOK_SECRET') is false or empty.",
			Go:     "Make the secret with webhook.NewSecret, which refuses an empty one, and stop on its error.",
		},
		send: func(s *session) []*shot {
			good := s.good("a signature made with an empty secret", s.valid())
			mac := hmac.New(sha256.New, nil)
			mac.Write(s.scheme.Content(webhook.Message{Body: good.body, Timestamp: good.header.Get(s.scheme.TimestampHeader())}))
			good.header = good.header.With(s.scheme.SignatureHeader(), hex.EncodeToString(mac.Sum(nil)))
			return []*shot{good}
		},
	}, {
		ID: "body_changed", Severity: Error, want: refused,
		Title: "a body that was changed after signing is refused",
		Why:   "Whoever stands between could change an amount or an address.",
		Mend: Mend{
			Node:   "Feed the whole raw Buffer to createHmac, not some members of it.",
			Python: "Feed request.get_data() whole to hmac.new.",
			PHP:    "Feed the whole of php://input to hash_hmac.",
			Go:     "Feed the whole body to hmac.New(sha256.New, secret).",
		},
		send: func(s *session) []*shot {
			good := s.good("a body with one letter changed", s.valid())
			good.body = bytes.Replace(good.body, []byte("a"), []byte("e"), 1) // in a name or a text: it stays JSON
			return []*shot{good}
		},
	}}
}

func badLengths(s *session) []*shot {
	cut := func(what string, n int) *shot {
		good := s.good(what, s.valid())
		good.header = good.header.With(s.scheme.SignatureHeader(), (good.right + good.right)[:n])
		return good
	}
	return []*shot{
		cut("a signature of 63 digits", 63), cut("a signature of 1 digit", 1), cut("an empty signature", 0),
		cut("a signature of 65 digits", 65), cut("a signature that is there twice over", 128),
	}
}
