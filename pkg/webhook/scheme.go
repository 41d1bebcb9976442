package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Names of the headers that WorkSkedge's documentation gives.
const (
	HeaderSignature = "X-Webhook-Signature" // both directions
	HeaderTimestamp = "X-Webhook-Timestamp" // both directions, Unix seconds
	HeaderID        = "X-Webhook-ID"        // outbound
	HeaderEvent     = "X-Webhook-Event"     // outbound
	HeaderRetry     = "X-Webhook-Retry"     // outbound, 0 for the first attempt
	HeaderAPIKey    = "X-API-Key"           // inbound
	HeaderSource    = "X-Webhook-Source"    // inbound
)

// Names of the schemes, as --scheme takes them.
const (
	TimestampBody    = "timestamp.body"
	BodyOnly         = "body"
	Square           = "square"
	QuickBooks       = "quickbooks"
	StandardWebhooks = "standard-webhooks"
)

// ErrNoURL says that the scheme signs over the notification URL and none was
// given.
var ErrNoURL = errors.New("this scheme signs over the notification URL, and none is given")

// Message is what a scheme may sign over. A scheme reads what it needs and
// ignores the rest.
type Message struct {
	Body      []byte // the raw body, byte for byte
	Timestamp string // Unix seconds, exactly as the header has it
	ID        string // the webhook id
	URL       string // the notification URL that the receiver is registered under
}

// Scheme is how a request is signed: one row of the table that [Schemes]
// returns. The digest is HMAC-SHA256 in every one of them.
type Scheme struct {
	Name            string
	Covers          string // what is signed, for people: "<timestamp>.<body>"
	Encoding        string // "hex" (lowercase) or "base64" (standard, padded)
	SignatureHeader string
	TimestampHeader string // "" where the scheme has no timestamp
	IDHeader        string // "" where the scheme has no id
	Prefix          string // written before the encoded digest: "v1," or ""

	signs func(w io.Writer, m Message)
	key   func(secret string) ([]byte, error) // nil: the secret's bytes are the key
}

// Schemes returns the table of schemes, the default first.
//
// Sources: WorkSkedge's Webhooks page (timestamp.body; its inbound prose reads
// as body), Worksome's Hire Updated page (body, in the header Signature; see
// [Scheme.On]), the webhook pages of Square and of Intuit QuickBooks, and the
// Standard Webhooks specification.
func Schemes() []Scheme {
	return []Scheme{
		{
			Name: TimestampBody, Covers: "<timestamp>.<body>", Encoding: "hex",
			SignatureHeader: HeaderSignature, TimestampHeader: HeaderTimestamp, IDHeader: HeaderID,
			signs: func(w io.Writer, m Message) { write(w, m.Timestamp, "."); _, _ = w.Write(m.Body) },
		},
		{
			Name: BodyOnly, Covers: "<body>", Encoding: "hex",
			SignatureHeader: HeaderSignature, IDHeader: HeaderID,
			signs: func(w io.Writer, m Message) { _, _ = w.Write(m.Body) },
		},
		{
			Name: Square, Covers: "<notification URL><body>", Encoding: "base64",
			SignatureHeader: "x-square-hmacsha256-signature",
			signs:           func(w io.Writer, m Message) { write(w, m.URL); _, _ = w.Write(m.Body) },
		},
		{
			Name: QuickBooks, Covers: "<body>", Encoding: "base64",
			SignatureHeader: "intuit-signature",
			signs:           func(w io.Writer, m Message) { _, _ = w.Write(m.Body) },
		},
		{
			Name: StandardWebhooks, Covers: "<id>.<timestamp>.<body>", Encoding: "base64", Prefix: "v1,",
			SignatureHeader: "webhook-signature", TimestampHeader: "webhook-timestamp", IDHeader: "webhook-id",
			signs: func(w io.Writer, m Message) {
				write(w, m.ID, ".", m.Timestamp, ".")
				_, _ = w.Write(m.Body)
			},
			key: standardKey,
		},
	}
}

// write feeds strings to a hash or a buffer, neither of which fails.
func write(w io.Writer, parts ...string) {
	for _, part := range parts {
		_, _ = io.WriteString(w, part)
	}
}

// DefaultScheme returns timestamp.body, WorkSkedge's scheme in both directions.
func DefaultScheme() Scheme { return Schemes()[0] }

// SchemeNames lists the names that [SchemeNamed] takes.
func SchemeNames() []string {
	schemes := Schemes()
	names := make([]string, len(schemes))
	for i := range schemes {
		names[i] = schemes[i].Name
	}
	return names
}

// SchemeNamed returns the scheme of that name. The error for an unknown one is
// an [*UnknownError] with the nearest name.
func SchemeNamed(name string) (Scheme, error) {
	schemes := Schemes()
	for i := range schemes {
		if schemes[i].Name == name {
			return schemes[i], nil
		}
	}
	return Scheme{}, Unknown("scheme", name, SchemeNames())
}

// On returns the scheme with the header that the platform uses for it:
// Worksome sends scheme body in the header Signature.
func (s Scheme) On(p Platform) Scheme {
	if p == Worksome && s.Name == BodyOnly {
		s.SignatureHeader = "Signature"
		s.IDHeader = ""
	}
	return s
}

// SchemeFor returns the scheme that a platform signs with by default.
func SchemeFor(p Platform) Scheme {
	if p == Worksome {
		s, _ := SchemeNamed(BodyOnly) // a name from the table is always known
		return s.On(p)
	}
	return DefaultScheme()
}

// Content returns the exact bytes that the scheme signs for m, and nil for a
// Scheme that does not come from [Schemes].
func (s Scheme) Content(m Message) []byte {
	if s.signs == nil {
		return nil
	}
	var b strings.Builder
	b.Grow(len(m.Timestamp) + len(m.ID) + len(m.URL) + len(m.Body) + 2)
	s.signs(&b, m)
	return []byte(b.String())
}

// Digest returns the 32 bytes of the HMAC-SHA256 of the scheme's content,
// before encoding. It fails on a zero secret, on a whsec_ secret that is not
// base64, with [ErrNoURL] where the scheme needs a URL, and with an
// [*UnknownError] for a Scheme that does not come from [Schemes].
func (s Scheme) Digest(m Message, secret Secret) ([]byte, error) {
	if s.signs == nil {
		return nil, Unknown("scheme", s.Name, SchemeNames())
	}
	if secret.IsZero() {
		return nil, ErrBlankSecret
	}
	if s.Name == Square && m.URL == "" {
		return nil, ErrNoURL
	}
	key := []byte(secret.Reveal())
	if s.key != nil {
		var err error
		if key, err = s.key(secret.Reveal()); err != nil {
			return nil, err
		}
	}
	mac := hmac.New(sha256.New, key)
	s.signs(mac, m)
	return mac.Sum(nil), nil
}

// Encode writes a digest as the scheme's header carries it, prefix included.
func (s Scheme) Encode(digest []byte) string {
	if s.Encoding == "base64" {
		return s.Prefix + base64.StdEncoding.EncodeToString(digest)
	}
	return s.Prefix + hex.EncodeToString(digest)
}

// decode reads every digest that a header value carries in the scheme's exact
// encoding. It returns none when the value is malformed.
func (s Scheme) decode(value string) [][]byte {
	candidates := []string{value}
	if s.Name == StandardWebhooks { // a list: one signature for each secret in rotation
		candidates = strings.Fields(value)
	}
	var digests [][]byte
	for _, c := range candidates {
		text, ok := strings.CutPrefix(c, s.Prefix)
		if !ok {
			continue
		}
		if d := decodeDigest(s.Encoding, text); d != nil {
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

// standardKey is the key of a Standard Webhooks secret: base64 behind an
// optional whsec_.
func standardKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("a %s secret is base64 behind whsec_, and this one is not", StandardWebhooks)
	}
	return key, nil
}
