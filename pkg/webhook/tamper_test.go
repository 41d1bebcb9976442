package webhook_test

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// TestAnyFlippedBitIsRefused holds row 55 on a small message: every single bit
// of body, timestamp, id and signature, in each scheme that signs them.
func TestAnyFlippedBitIsRefused(t *testing.T) {
	t.Parallel()
	body := []byte(`{"event":"a.b","n":5000.00}`)
	for _, s := range webhook.Schemes() {
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			p := newProof(t, s, body)
			if err := p.verify(p.header, body); err != nil {
				t.Fatal(err)
			}
			for bit := range 8 * len(body) {
				if p.verify(p.header, flip(body, bit)) == nil {
					t.Errorf("bit %d of the body flipped, and accepted", bit)
				}
			}
			for _, name := range p.signed {
				for bit := range 8 * len(p.header.Get(name)) {
					if p.verify(p.flipped(name, bit), body) == nil {
						t.Errorf("bit %d of %s flipped, and accepted", bit, name)
					}
				}
			}
		})
	}
}

// TestRandomFlipsAreRefused goes on with larger messages: a random bit, and
// cuts and additions, which a bit cannot be.
func TestRandomFlipsAreRefused(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(55, 0))
	for _, s := range webhook.Schemes() {
		for range 200 {
			body := make([]byte, 1+random.IntN(4096))
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			p := newProof(t, s, body)
			if err := p.verify(p.header, body); err != nil {
				t.Fatalf("%s: %v", s.Name(), err)
			}
			at := random.IntN(len(body))
			changed := map[string][]byte{
				"a bit flipped":      flip(body, random.IntN(8*len(body))),
				"a byte added":       append(bytes.Clone(body), byte(random.Uint32())),
				"a byte put in":      append(append(bytes.Clone(body[:at]), 0), body[at:]...),
				"cut off":            body[:at],
				"without its start":  body[at+1:],
				"a line end added":   append(bytes.Clone(body), '\n'),
				"twice, as one body": append(bytes.Clone(body), body...),
			}
			for how, other := range changed {
				if p.verify(p.header, other) == nil {
					t.Errorf("%s: a body of %d bytes, %s at %d, and accepted", s.Name(), len(body), how, at)
				}
			}
			name := p.signed[random.IntN(len(p.signed))]
			bit := random.IntN(8 * len(p.header.Get(name)))
			if p.verify(p.flipped(name, bit), body) == nil {
				t.Errorf("%s: bit %d of %s flipped, and accepted", s.Name(), bit, name)
			}
		}
	}
}

func TestAnotherURLIsRefusedBySquare(t *testing.T) {
	t.Parallel()
	p := newProof(t, schemeNamed(t, webhook.Square), order)
	for bit := range 8 * len(p.verifier.URL) {
		other := p
		other.verifier.URL = string(flip([]byte(p.verifier.URL), bit))
		wantReason(t, other.verify(p.header, order), webhook.SignatureMismatch)
	}
}

// proof is a signed request and who verifies it, of whatever age.
type proof struct {
	header   http.Header
	signed   []string // names of the headers that must not change
	verifier webhook.Verifier
}

func newProof(t testing.TB, s webhook.Scheme, body []byte) proof {
	t.Helper()
	secret := keyFor(t, s.Name())
	m := webhook.Message{Body: body, Timestamp: stamp, ID: "msg_1", URL: "https://example.com/hook"}
	p := proof{
		header:   headersOf(t, s, m, secret),
		signed:   []string{s.SignatureHeader()},
		verifier: webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: m.URL, Tolerance: webhook.AnyAge},
	}
	if s.TimestampHeader() != "" {
		p.signed = append(p.signed, s.TimestampHeader())
	}
	if s.Name() == webhook.StandardWebhooks {
		p.signed = append(p.signed, s.IDHeader())
	}
	return p
}

func (p proof) verify(h http.Header, body []byte) error {
	_, err := p.verifier.Verify(h, body, now())
	return err
}

// flipped is the header with one bit of one value changed.
func (p proof) flipped(name string, bit int) http.Header {
	h := p.header.Clone()
	h.Set(name, string(flip([]byte(h.Get(name)), bit)))
	return h
}

func flip(b []byte, bit int) []byte {
	out := bytes.Clone(b)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}
