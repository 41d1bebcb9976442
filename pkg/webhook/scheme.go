package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	const maxDigits = 19 // of an int64; as many never overflow a uint64
	digits := m.Timestamp
	if digits == "" || len(digits) > maxDigits || len(digits) > 1 && digits[0] == '0' {
		return time.Time{}, false
	}
	var seconds uint64
	for i := range len(digits) {
		digit := digits[i] - '0'
		if digit > 9 {
			return time.Time{}, false
		}
		seconds = 10*seconds + uint64(digit)
	}
	if seconds > math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
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
	signatureHeader headerName
	timestampHeader headerName // the zero headerName: none
	idHeader        headerName // likewise
	prefix          string
	decodesKey      bool // the key is what standardKey reads from the secret, not the secret's bytes

	// What is signed in front of the body, in this order.
	signsID        bool // and a dot
	signsTimestamp bool // and a dot
	signsURL       bool
}

// headerName is the name of a header, and the key of its values in an
// http.Header.
type headerName struct{ name, canonical string }

func header(name string) headerName { return headerName{name, http.CanonicalHeaderKey(name)} }

func (n headerName) values(h http.Header) []string {
	if n.name == "" {
		return nil
	}
	return h[n.canonical]
}

// schemes is the table of schemes, the default first.
//
// Sources: WorkSkedge's Webhooks page (timestamp.body in its samples; its prose
// on inbound requests reads as body), the webhook pages of Square and of Intuit
// QuickBooks, and the Standard Webhooks specification.
var schemes = [...]schemeDefinition{
	{
		name: TimestampBody, covers: "<timestamp>.<body>", encoding: "hex",
		signatureHeader: header(HeaderSignature), timestampHeader: header(HeaderTimestamp), idHeader: header(HeaderID),
		signsTimestamp: true,
	},
	{
		name: BodyOnly, covers: "<body>", encoding: "hex",
		signatureHeader: header(HeaderSignature), idHeader: header(HeaderID),
	},
	{
		name: Square, covers: "<notification URL><body>", encoding: "base64",
		signatureHeader: header("x-square-hmacsha256-signature"),
		signsURL:        true,
	},
	{
		name: QuickBooks, covers: "<body>", encoding: "base64",
		signatureHeader: header("intuit-signature"),
	},
	{
		name: StandardWebhooks, covers: "<id>.<timestamp>.<body>", encoding: "base64", prefix: "v1,", decodesKey: true,
		signatureHeader: header("webhook-signature"), timestampHeader: header("webhook-timestamp"), idHeader: header("webhook-id"),
		signsID: true, signsTimestamp: true,
	},
}

// worksomeBody is scheme body as Worksome uses it, in the header Signature
// (Worksome's Hire Updated page).
var worksomeBody = schemeDefinition{
	name: BodyOnly, covers: "<body>", encoding: "hex",
	signatureHeader: header("Signature"),
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
func (s Scheme) SignatureHeader() string { return s.definition().signatureHeader.name }

// TimestampHeader names the header that carries the timestamp, or is "" for a
// scheme that signs none.
func (s Scheme) TimestampHeader() string { return s.definition().timestampHeader.name }

// IDHeader names the header that carries the webhook id, or is "" for a scheme
// that has none.
func (s Scheme) IDHeader() string { return s.definition().idHeader.name }

// Content returns the exact bytes that the scheme signs for m.
func (s Scheme) Content(m Message) []byte {
	content := make([]byte, 0, len(m.Timestamp)+len(m.ID)+len(m.URL)+len(m.Body)+2)
	return append(s.definition().appendLead(content, &m), m.Body...)
}

// appendLead appends what the scheme signs in front of the body.
func (def *schemeDefinition) appendLead(b []byte, m *Message) []byte {
	if def.signsID {
		b = append(append(b, m.ID...), '.')
	}
	if def.signsTimestamp {
		b = append(append(b, m.Timestamp...), '.')
	}
	if def.signsURL {
		b = append(b, m.URL...)
	}
	return b
}

// Digest returns the 32 bytes of the HMAC-SHA256 over the scheme's content. It
// fails for a zero secret ([ErrBlankSecret]), for a standard-webhooks secret
// that is not base64, and for scheme square when m has no URL.
func (s Scheme) Digest(m Message, secret Secret) ([]byte, error) {
	sum, err := s.definition().digest(&m, m.Body, secret)
	if err != nil {
		return nil, err
	}
	return sum[:], nil
}

type digest [sha256.Size]byte

// digest takes the body apart from the message: a body that is given to a hash
// escapes, and m must not.
func (def *schemeDefinition) digest(m *Message, body []byte, secret Secret) (digest, error) {
	if secret.IsZero() {
		return digest{}, ErrBlankSecret
	}
	if def.signsURL && m.URL == "" {
		return digest{}, errNoURL
	}
	mac, err := secret.hash(def.decodesKey)
	if err != nil {
		return digest{}, err
	}
	defer mac.release()
	if mac.lead = def.appendLead(mac.lead[:0], m); len(mac.lead) > 0 {
		_, _ = mac.Write(mac.lead)
	}
	_, _ = mac.Write(body)
	return digest(mac.Sum(mac.sum[:0])), nil
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

// decode appends to digests every one that a signature header carries in the
// scheme's exact encoding: none when the value is malformed.
func (def *schemeDefinition) decode(value string, digests []digest) []digest {
	if def.name != StandardWebhooks {
		return def.decodeOne(value, digests)
	}
	for one := range strings.FieldsSeq(value) { // a list: one signature for each secret in rotation
		digests = def.decodeOne(one, digests)
	}
	return digests
}

func (def *schemeDefinition) decodeOne(value string, digests []digest) []digest {
	text, ok := strings.CutPrefix(value, def.prefix)
	if !ok {
		return digests
	}
	var d digest
	if def.encoding == "base64" {
		ok = d.decodeBase64(text)
	} else {
		ok = d.decodeHex(text)
	}
	if !ok {
		return digests
	}
	return append(digests, d)
}

// decodeHex accepts lowercase digits alone, which is how the schemes write them.
// It decodes eight at a time, because one at a time is a third of what Verify
// takes beside the hash.
func (d *digest) decodeHex(text string) bool {
	if len(text) != 2*len(d) {
		return false
	}
	const each = 0x0101010101010101 // times a byte: eight of that byte; no sum below carries into the next
	var wrong uint64
	for i := 0; i < len(d); i += 4 {
		digits := binary.BigEndian.Uint64([]byte(text[2*i : 2*i+8]))
		values := digits&(0xf*each) + 9*(digits>>6&each) // bit 6 is set in a letter
		letters := (values + 6*each) >> 4 & each         // 1 where a value is 10 or more
		wrong |= values & (0xf0 * each)                  // beyond f
		wrong |= digits ^ (values + '0'*each + ('a'-10-'0')*letters)
		values = (values | values>>4) & 0x00ff00ff00ff00ff
		values = (values | values>>8) & 0x0000ffff0000ffff
		binary.BigEndian.PutUint32(d[i:], uint32(values|values>>16))
	}
	return wrong == 0
}

func (d *digest) decodeBase64(text string) bool {
	var room [len(digest{}) + 1]byte // what the text decodes to if it has no padding
	if len(text) != strictBase64().EncodedLen(len(d)) {
		return false
	}
	n, err := strictBase64().Decode(room[:], []byte(text))
	copy(d[:], room[:])
	return err == nil && n == len(d)
}

// strictBase64 refuses a second spelling of the same bytes.
var strictBase64 = sync.OnceValue(base64.StdEncoding.Strict)

// standardKey decodes a Standard Webhooks secret: base64 after an optional
// whsec_.
func standardKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("a %s secret is base64 after whsec_, and this one is not", StandardWebhooks)
	}
	return key, nil
}
