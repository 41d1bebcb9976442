package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers that WorkSkedge documents on its Webhooks page.
const (
	HeaderSignature = "X-Webhook-Signature" // both directions
	HeaderTimestamp = "X-Webhook-Timestamp" // both directions, in Unix seconds
	HeaderID        = "X-Webhook-ID"        // outbound
	HeaderEvent     = "X-Webhook-Event"     // outbound
	HeaderRetry     = "X-Webhook-Retry"     // outbound, 0 for the first attempt
	HeaderAPIKey    = "X-API-Key"           // inbound
	HeaderSource    = "X-Webhook-Source"    // inbound
)

// The names of the schemes, as [SchemeNamed] and the flag --scheme take them.
const (
	TimestampBody    = "timestamp.body"
	BodyOnly         = "body"
	Square           = "square"
	QuickBooks       = "quickbooks"
	StandardWebhooks = "standard-webhooks"
)

var errNoURL = errors.New("this scheme signs the notification URL, and no URL was given")

// Message is what a scheme signs. A scheme reads the fields that it needs and
// ignores the others.
type Message struct {
	Body      []byte // the raw body, byte for byte
	Timestamp string // Unix seconds, exactly as the header carries them; see [FormatTimestamp]
	ID        string // the webhook id
	URL       string // the notification URL that the receiver is registered under
}

// Time reads the message's timestamp strictly: ASCII digits without sign or
// leading zero, within an int64. ok is false for anything else.
func (m Message) Time() (at time.Time, ok bool) {
	digits := m.Timestamp
	if digits == "" || len(digits) > 1 && digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}

// Scheme is how a request is signed: which bytes, in which encoding, in which
// headers. The digest is HMAC-SHA256 in every scheme. Get one from [SchemeFor],
// [SchemeNamed] or [Schemes]; the zero Scheme is timestamp.body. Schemes can be
// compared with ==, and the zero Scheme differs from the one that SchemeNamed
// returns, so that "not set" is distinguishable: see [Scheme.IsZero].
type Scheme struct{ def *schemeDefinition }

// schemeDefinition is one row of the table of schemes.
type schemeDefinition struct {
	name            string
	covers          string
	encoding        string
	signatureHeader string
	timestampHeader string
	idHeader        string
	prefix          string

	writeContent func(w io.Writer, m Message)
	key          func(secret string) ([]byte, error) // nil: the secret's bytes are the key
}

// schemes is the table of schemes, the default first.
//
// Sources: WorkSkedge's Webhooks page (timestamp.body in its samples; its prose
// on inbound requests reads as body), the webhook pages of Square and of Intuit
// QuickBooks, and the Standard Webhooks specification.
var schemes = [...]schemeDefinition{
	{
		name: TimestampBody, covers: "<timestamp>.<body>", encoding: "hex",
		signatureHeader: HeaderSignature, timestampHeader: HeaderTimestamp, idHeader: HeaderID,
		writeContent: func(w io.Writer, m Message) {
			writeStrings(w, m.Timestamp, ".")
			_, _ = w.Write(m.Body)
		},
	},
	{
		name: BodyOnly, covers: "<body>", encoding: "hex",
		signatureHeader: HeaderSignature, idHeader: HeaderID,
		writeContent: writeBody,
	},
	{
		name: Square, covers: "<notification URL><body>", encoding: "base64",
		signatureHeader: "x-square-hmacsha256-signature",
		writeContent: func(w io.Writer, m Message) {
			writeStrings(w, m.URL)
			_, _ = w.Write(m.Body)
		},
	},
	{
		name: QuickBooks, covers: "<body>", encoding: "base64",
		signatureHeader: "intuit-signature",
		writeContent:    writeBody,
	},
	{
		name: StandardWebhooks, covers: "<id>.<timestamp>.<body>", encoding: "base64", prefix: "v1,",
		signatureHeader: "webhook-signature", timestampHeader: "webhook-timestamp", idHeader: "webhook-id",
		writeContent: func(w io.Writer, m Message) {
			writeStrings(w, m.ID, ".", m.Timestamp, ".")
			_, _ = w.Write(m.Body)
		},
		key: standardKey,
	},
}

// worksomeBody is scheme body as Worksome uses it, in the header Signature
// (Worksome's Hire Updated page).
var worksomeBody = schemeDefinition{
	name: BodyOnly, covers: "<body>", encoding: "hex",
	signatureHeader: "Signature",
	writeContent:    writeBody,
}

func writeBody(w io.Writer, m Message) { _, _ = w.Write(m.Body) }

// writeStrings feeds strings to a hash or a buffer, neither of which fails.
func writeStrings(w io.Writer, parts ...string) {
	for _, part := range parts {
		_, _ = io.WriteString(w, part)
	}
}

// Schemes returns every scheme, the default first.
func Schemes() []Scheme {
	list := make([]Scheme, len(schemes))
	for i := range schemes {
		list[i] = Scheme{&schemes[i]}
	}
	return list
}

func schemeNames() []string {
	names := make([]string, len(schemes))
	for i := range schemes {
		names[i] = schemes[i].name
	}
	return names
}

// SchemeNamed returns the scheme of that name. The error for an unknown name is
// an [*UnknownError].
func SchemeNamed(name string) (Scheme, error) {
	i := slices.IndexFunc(schemes[:], func(d schemeDefinition) bool { return d.name == name })
	if i < 0 {
		return Scheme{}, Unknown("scheme", name, schemeNames())
	}
	return Scheme{&schemes[i]}, nil
}

// SchemeFor returns the scheme that a platform signs with: body in the header
// Signature for [Worksome], timestamp.body for every other platform.
func SchemeFor(p Platform) Scheme {
	if p == Worksome {
		return Scheme{&worksomeBody}
	}
	return Scheme{&schemes[0]}
}

// On returns the scheme with the header that the platform uses for it:
// Worksome sends scheme body in the header Signature.
func (s Scheme) On(p Platform) Scheme {
	if p == Worksome && s.Name() == BodyOnly {
		return Scheme{&worksomeBody}
	}
	return s
}

// IsZero reports whether s is the zero Scheme, which works as timestamp.body.
func (s Scheme) IsZero() bool { return s.def == nil }

func (s Scheme) definition() *schemeDefinition {
	if s.def == nil {
		return &schemes[0]
	}
	return s.def
}

// Name returns the scheme's name, such as [TimestampBody].
func (s Scheme) Name() string { return s.definition().name }

// Covers describes what the scheme signs: "<timestamp>.<body>".
func (s Scheme) Covers() string { return s.definition().covers }

// Encoding is how the digest is written: "hex" in lowercase, or "base64" in the
// standard alphabet with padding.
func (s Scheme) Encoding() string { return s.definition().encoding }

// Prefix is the text before the encoded digest: "v1," or "".
func (s Scheme) Prefix() string { return s.definition().prefix }

// SignatureHeader names the header that carries the signature.
func (s Scheme) SignatureHeader() string { return s.definition().signatureHeader }

// TimestampHeader names the header that carries the timestamp, or is "" for a
// scheme that signs none.
func (s Scheme) TimestampHeader() string { return s.definition().timestampHeader }

// IDHeader names the header that carries the webhook id, or is "" for a scheme
// that has none.
func (s Scheme) IDHeader() string { return s.definition().idHeader }

// Content returns the exact bytes that the scheme signs for m.
func (s Scheme) Content(m Message) []byte {
	var b strings.Builder
	b.Grow(len(m.Timestamp) + len(m.ID) + len(m.URL) + len(m.Body) + 2)
	s.definition().writeContent(&b, m)
	return []byte(b.String())
}

// Digest returns the 32 bytes of the HMAC-SHA256 over the scheme's content. It
// fails for a zero secret ([ErrBlankSecret]), for a standard-webhooks secret
// that is not base64, and for scheme square when m has no URL.
func (s Scheme) Digest(m Message, secret Secret) ([]byte, error) {
	def := s.definition()
	if secret.IsZero() {
		return nil, ErrBlankSecret
	}
	if def.name == Square && m.URL == "" {
		return nil, errNoURL
	}
	key := []byte(secret.Reveal())
	if def.key != nil {
		var err error
		if key, err = def.key(secret.Reveal()); err != nil {
			return nil, err
		}
	}
	mac := hmac.New(sha256.New, key)
	def.writeContent(mac, m)
	return mac.Sum(nil), nil
}

// Encode writes a digest as the signature header carries it, with the prefix.
func (s Scheme) Encode(digest []byte) string {
	if s.Encoding() == "base64" {
		return s.Prefix() + base64.StdEncoding.EncodeToString(digest)
	}
	return s.Prefix() + hex.EncodeToString(digest)
}

// Signature returns the value of the signature header for m. Its errors are those
// of [Scheme.Digest].
func (s Scheme) Signature(m Message, secret Secret) (string, error) {
	digest, err := s.Digest(m, secret)
	if err != nil {
		return "", err
	}
	return s.Encode(digest), nil
}

// Headers returns the header lines that carry the signature: the id where the
// scheme has one and m.ID is set, the timestamp where the scheme has one, and
// the signature. Its errors are those of [Scheme.Digest].
func (s Scheme) Headers(m Message, secret Secret) (Header, error) {
	signature, err := s.Signature(m, secret)
	if err != nil {
		return nil, err
	}
	var h Header
	if s.IDHeader() != "" && m.ID != "" {
		h = append(h, Pair{s.IDHeader(), m.ID})
	}
	if s.TimestampHeader() != "" {
		h = append(h, Pair{s.TimestampHeader(), m.Timestamp})
	}
	return append(h, Pair{s.SignatureHeader(), signature}), nil
}

// Sign returns the headers X-Webhook-Timestamp and X-Webhook-Signature for a
// body that is signed at the given time with timestamp.body. It fails for the
// zero Secret only.
func Sign(body []byte, at time.Time, secret Secret) (Header, error) {
	return Scheme{}.Headers(Message{Body: body, Timestamp: FormatTimestamp(at)}, secret)
}

// decode reads every digest that a signature header carries in the scheme's
// exact encoding. It returns none when the value is malformed.
func (s Scheme) decode(value string) [][]byte {
	candidates := []string{value}
	if s.Name() == StandardWebhooks { // a list: one signature for each secret in rotation
		candidates = strings.Fields(value)
	}
	var digests [][]byte
	for _, c := range candidates {
		text, ok := strings.CutPrefix(c, s.Prefix())
		if !ok {
			continue
		}
		if d := decodeDigest(s.Encoding(), text); d != nil {
			digests = append(digests, d)
		}
	}
	return digests
}

func decodeDigest(encoding, text string) []byte {
	var d []byte
	var err error
	if encoding == "base64" {
		d, err = base64.StdEncoding.Strict().DecodeString(text)
	} else {
		if strings.ToLower(text) != text {
			return nil
		}
		d, err = hex.DecodeString(text)
	}
	if err != nil || len(d) != sha256.Size || strings.ContainsAny(text, "\r\n") {
		return nil
	}
	return d
}

// standardKey decodes a Standard Webhooks secret: base64 after an optional
// whsec_.
func standardKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("a %s secret is base64 after whsec_, and this one is not", StandardWebhooks)
	}
	return key, nil
}
