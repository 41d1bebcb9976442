package webhook

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrBlankSecret says that a signing secret is empty or only white space. A
// receiver that took such a secret would accept anyone's signature.
var ErrBlankSecret = errors.New("the secret is empty or blank")

const redacted = "[redacted]"

// Secret is a shared signing secret. It never prints itself: fmt and JSON show
// "[redacted]", and an address at most where they may not ask it, as in an
// unexported field. The zero Secret is refused wherever a secret is needed.
//
// Compare secrets by what they reveal: == tells whether two are copies of one.
type Secret struct{ key *string } // a pointer, since fmt looks through unexported fields but not behind it

// NewSecret takes the secret's text exactly as given, surrounding space
// included. It returns [ErrBlankSecret] for an empty or blank one.
func NewSecret(text string) (Secret, error) {
	if strings.TrimSpace(text) == "" {
		return Secret{}, ErrBlankSecret
	}
	return Secret{key: &text}, nil
}

// IsZero reports whether s is the zero Secret, which signs and verifies nothing.
func (s Secret) IsZero() bool { return s.key == nil }

// Reveal returns the secret's text, for code that has to compute with it. The
// zero Secret reveals "".
func (s Secret) Reveal() string {
	if s.key == nil {
		return ""
	}
	return *s.key
}

// Format writes "[redacted]" for every verb and flag that fmt asks it about:
// all but %T and %p, which show the type and an address.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
