package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"unicode"
)

// ErrBlankSecret is the error for a signing secret that is empty, or that consists
// of characters that nobody sees: white space, control characters, and those that
// Unicode ignores, such as a byte order mark or a zero-width space. A receiver with
// such a secret would accept anyone's signature.
var ErrBlankSecret = errors.New("the secret is empty or blank")

// Redacted takes the place of a credential wherever one is masked.
const Redacted = "[redacted]"

// Secret is a shared signing secret. It never prints itself: fmt and JSON show
// "[redacted]", or at most an address where they cannot call its methods, as in
// an unexported field. The zero Secret is refused wherever a secret is needed.
//
// The operator == tells whether two secrets are copies of one; compare what
// they reveal to tell whether they are equal.
//
// A Secret keeps the state of HMAC after its key, so that to sign and to verify
// with a Secret that is kept is faster than with a new one each time. It is safe
// for concurrent use.
type Secret struct{ key **signingKey } // fmt prints unexported fields, and may follow one pointer, but not two

// NewSecret returns the secret with exactly the given text, surrounding space
// included. The error for an empty or blank text is [ErrBlankSecret].
func NewSecret(text string) (Secret, error) {
	if strings.TrimFunc(text, invisible) == "" {
		return Secret{}, ErrBlankSecret
	}
	key := &signingKey{text: text}
	return Secret{&key}, nil
}

func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.key == nil }

// Reveal returns the secret's text, for code that computes with it. The zero
// Secret reveals "".
func (s Secret) Reveal() string {
	if s.key == nil {
		return ""
	}
	return (*s.key).text
}

// Format writes "[redacted]" for every verb except %T and %p, which fmt handles
// itself: they show the type and an address.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// signingKey is the text of a secret, and the hashes that are keyed by it and
// not in use.
type signingKey struct {
	text    string
	plain   sync.Pool // of *keyedHash: the key is the bytes of the text
	decoded sync.Pool // of *keyedHash: the key is what standardKey reads from the text
}

// keyedHash is an HMAC-SHA256 that has its key. From its second use on it has
// also the state of SHA-256 after the key, which [hash.Hash.Reset] returns to.
type keyedHash struct {
	hash.Hash
	pool *sync.Pool
	lead []byte // room for what is signed in front of a body
	sum  digest // room for the result
}

// hash returns a hash that is keyed by the secret. The caller releases it.
func (s Secret) hash(decode bool) (*keyedHash, error) {
	key := *s.key
	pool := &key.plain
	if decode {
		pool = &key.decoded
	}
	if h, ok := pool.Get().(*keyedHash); ok {
		h.Reset()
		return h, nil
	}
	text := []byte(key.text)
	if decode {
		var err error
		if text, err = standardKey(key.text); err != nil {
			return nil, err
		}
	}
	return &keyedHash{Hash: hmac.New(sha256.New, text), pool: pool}, nil
}

func (h *keyedHash) release() { h.pool.Put(h) }
