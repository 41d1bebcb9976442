package diagnose

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// respelling changes the escapes in the strings of a JSON text and no other
// byte: piece is one character as it is spelled, r what it stands for.
type respelling struct {
	id, detail string
	edit       func(piece string, r rune) string
}

func respellings() []respelling {
	return []respelling{
		{"body.slash_escapes_missing", "", func(piece string, _ rune) string {
			if piece == "/" {
				return `\/`
			}
			return piece
		}},
		{"body.slash_escapes_added", "", func(piece string, r rune) string {
			if r == '/' {
				return "/"
			}
			return piece
		}},
		{"body.unicode_escapes_missing", "", escaped},
		{"body.unicode_escapes_missing", "uppercase digits", func(piece string, r rune) string { return uppercase(escaped(piece, r), r) }},
		{"body.unicode_escapes_added", "", func(piece string, r rune) string {
			if r >= utf8.RuneSelf && !utf16.IsSurrogate(r) {
				return string(r)
			}
			return piece
		}},
		{"body.escape_digits", "uppercase", uppercase},
		{"body.escape_digits", "lowercase", func(piece string, _ rune) string {
			if strings.HasPrefix(piece, `\u`) {
				return strings.ToLower(piece)
			}
			return piece
		}},
		{"body.html_escapes_missing", "", func(piece string, r rune) string {
			if strings.ContainsRune("<>&\u2028\u2029", r) {
				return string(appendEscape(nil, r))
			}
			return piece
		}},
		{"body.html_escapes_added", "", func(piece string, r rune) string {
			if strings.ContainsRune("<>&\u2028\u2029", r) {
				return string(r)
			}
			return piece
		}},
	}
}

// escaped spells what is past ASCII as \u escapes.
func escaped(piece string, r rune) string {
	if piece[0] < utf8.RuneSelf {
		return piece
	}
	return string(appendEscape(nil, r))
}

// uppercase spells the digits of \u escapes with A to F.
func uppercase(piece string, _ rune) string {
	if strings.HasPrefix(piece, `\u`) {
		return strings.ReplaceAll(strings.ToUpper(piece), `\U`, `\u`)
	}
	return piece
}

// respelled gives the body with other escapes.
func (raw original) respelled(yield func(body) bool) {
	if len(raw) > maxRewrite || webhook.CheckJSON(raw) != nil {
		return
	}
	text := string(raw)
	for _, r := range respellings() {
		b := body{mistake: mistake{steps: because(r.id, r.detail)}, text: respell(text, r.edit), spelled: true}
		if !yield(b) {
			return
		}
	}
}

// respell walks a text that CheckJSON took.
func respell(text string, edit func(piece string, r rune) string) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	inside := false
	for len(text) > 0 {
		if c := text[0]; !inside || c == '"' {
			inside = inside != (c == '"')
			out = append(out, c)
			text = text[1:]
			continue
		}
		r, size := nextRune(text)
		out = append(out, edit(text[:size], r)...)
		text = text[size:]
	}
	return out
}

func escapeCauses() []Cause {
	const fix = "verify the raw bytes as they arrived, before anything parses them, and have the sender sign the very bytes that it sends"
	signed := "the signature is over the body with "
	return []Cause{
		{"body.slash_escapes_missing", signed + `each / written as \/, as PHP does it: the body here has /`, fix},
		{"body.slash_escapes_added", signed + `each / as it is: the body here has \/, as PHP writes it`, fix},
		{"body.unicode_escapes_missing", signed + `\u escapes for what is past ASCII: the body here has the characters themselves`, fix},
		{"body.unicode_escapes_added", signed + `the characters past ASCII as they are: the body here has \u escapes`, fix},
		{"body.escape_digits", signed + `the digits of its \u escapes in the other case`, fix},
		{"body.html_escapes_missing", signed + `<, > and & as \u escapes, as Go writes them: the body here has the characters themselves`, fix},
		{"body.html_escapes_added", signed + `<, > and & as they are: the body here has \u escapes, as Go writes them`, fix},
	}
}
