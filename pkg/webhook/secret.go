package webhook

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// ErrBlankSecret is the error for a signing secret that is empty, or that consists
// of characters that nobody sees: white space, control characters, and format
// characters such as a byte order mark or a zero-width space. A receiver with such a secret would accept anyone's signature.
var ErrBlankSecret = errors.New("the secret is empty or blank")

// Redacted takes the place of a credential wherever one is masked.
const Redacted = "[redacted]"

// Secret is a shared signing secret. It never prints itself: fmt and JSON show
// "[redacted]", or at most an address where they cannot call its methods, as in
// an unexported field. The zero Secret is refused wherever a secret is needed.
//
// The operator == tells whether two secrets are copies of one; compare what
// they reveal to tell whether they are equal.
type Secret struct{ key *string } // a pointer: fmt prints unexported fields, but not what they point to

// NewSecret returns the secret with exactly the given text, surrounding space
// included. The error for an empty or blank text is [ErrBlankSecret].
func NewSecret(text string) (Secret, error) {
	if strings.TrimFunc(text, invisible) == "" {
		return Secret{}, ErrBlankSecret
	}
	return Secret{key: &text}, nil
}

func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.key == nil }

// Reveal returns the secret's text, for code that computes with it. The zero
// Secret reveals "".
func (s Secret) Reveal() string {
	if s.key == nil {
		return ""
	}
	return *s.key
}

// Format writes "[redacted]" for every verb except %T and %p, which fmt handles
// itself: they show the type and an address.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
