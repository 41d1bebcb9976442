package webhook

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

// Pair is one header line. Wherever it is printed, logged or encoded, the value
// is masked when it is a credential, see [Pair.IsSensitive].
type Pair struct{ Name, Value string }

// Header is a list of header lines in their order, repeated names included.
// Names keep their spelling and are compared without regard to case.
//
// In JSON a Header is a list of [name, value]; a value that is not UTF-8 is
// written as [name, base64, "base64"]. Credentials are masked, as in a [Pair].
type Header []Pair

// HeaderOf returns the lines of h, sorted by name. The values of a name keep
// their order.
func HeaderOf(h http.Header) Header {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	list := slices.Grow(Header(nil), len(names)) // nil of nil
	for _, name := range names {
		for _, value := range h[name] {
			list = append(list, Pair{name, value})
		}
	}
	return list
}

// HTTP returns the lines as net/http has them: under canonical names, each with
// its values in order.
func (h Header) HTTP() http.Header {
	out := make(http.Header, len(h))
	for _, p := range h {
		out.Add(p.Name, p.Value)
	}
	return out
}

// Get returns the first value of name, or "".
func (h Header) Get(name string) string {
	value, _ := h.find(name)
	return value
}

// Has reports whether h has a line of that name.
func (h Header) Has(name string) bool {
	_, found := h.find(name)
	return found
}

func (h Header) find(name string) (value string, found bool) {
	for _, p := range h {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// With returns a copy of h in which name has the given value alone: its first
// line is replaced, further ones are removed, and a new name is added at the
// end.
func (h Header) With(name, value string) Header {
	out := make(Header, 0, len(h)+1)
	placed := false
	for _, p := range h {
		switch {
		case !strings.EqualFold(p.Name, name):
			out = append(out, p)
		case !placed:
			out = append(out, Pair{name, value})
			placed = true
		}
	}
	if !placed {
		out = append(out, Pair{name, value})
	}
	return out
}

// Without returns a copy of h without the lines of that name.
func (h Header) Without(name string) Header {
	out := h[:0:0] // nil of nil
	for _, p := range h {
		if !strings.EqualFold(p.Name, name) {
			out = append(out, p)
		}
	}
	return out
}

// HeaderError describes why a header line is not valid.
type HeaderError struct {
	Line   string // as given, but only up to the value when that is a credential
	Reason string
}

func (e *HeaderError) Error() string { return fmt.Sprintf("header %.60q: %s", e.Line, e.Reason) }

// newHeaderError masks a credential in the line.
func newHeaderError(line, reason string) *HeaderError {
	if i := strings.IndexAny(line, ":= \t"); i >= 0 && isSensitive(line[:i]) {
		line = line[:i+1] + " " + Redacted
	}
	return &HeaderError{line, reason}
}

// ParsePair parses one header line, "Name: value". The name must be a token
// (RFC 9110, section 5.6.2), and the value must not contain a line break or a
// control character other than tab. White space around the value is removed,
// and the value is not split at commas. The error is a [*HeaderError].
func ParsePair(line string) (Pair, error) {
	name, value, found := strings.Cut(line, ":")
	if !found {
		return Pair{}, newHeaderError(line, `has no colon; write "Name: value"`)
	}
	if !isToken(name) {
		return Pair{}, newHeaderError(line, "the name may contain letters, digits and !#$%&'*+-.^_`|~ only")
	}
	value = strings.Trim(value, " \t")
	if i := strings.IndexFunc(value, isForbiddenInValue); i >= 0 {
		if value[i] == '\r' || value[i] == '\n' {
			return Pair{}, newHeaderError(line, "the value contains a line break")
		}
		return Pair{}, newHeaderError(line, "the value contains a control character")
	}
	return Pair{name, value}, nil
}

func isForbiddenInValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func isToken(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letterOrDigit := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letterOrDigit && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}

// row returns the line as JSON has it, with a credential masked.
func (p Pair) row() []string {
	value := p.masked()
	if !utf8.ValidString(value) {
		return []string{p.Name, base64.StdEncoding.EncodeToString([]byte(value)), "base64"}
	}
	return []string{p.Name, value}
}

func pairOf(row []string) (Pair, error) {
	switch {
	case len(row) == 2:
		return Pair{row[0], row[1]}, nil
	case len(row) == 3 && row[2] == "base64":
		value, err := base64.StdEncoding.DecodeString(row[1])
		if err != nil {
			err = errors.New("it is not base64")
		}
		return Pair{row[0], string(value)}, err
	}
	return Pair{}, errors.New(`want ["name", "value"]`)
}

// MarshalJSON encodes the line as [name, value], with a credential masked.
func (p Pair) MarshalJSON() ([]byte, error) { return jsontext.Marshal(p.row()) }

// UnmarshalJSON decodes what MarshalJSON encodes.
func (p *Pair) UnmarshalJSON(data []byte) error {
	var row []string
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	var err error
	*p, err = pairOf(row)
	return err
}

// MarshalJSON encodes the lines as [name, value], with credentials masked.
func (h Header) MarshalJSON() ([]byte, error) { return jsontext.Marshal(h.rows()) }

func (h Header) rows() [][]string {
	rows := make([][]string, len(h))
	for i, p := range h {
		rows[i] = p.row()
	}
	return rows
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (h *Header) UnmarshalJSON(data []byte) error {
	var rows [][]string
	if err := json.Unmarshal(data, &rows); err != nil {
		return errors.New(`headers must be a list of ["name", "value"]`)
	}
	var list Header
	for i, row := range rows {
		p, err := pairOf(row)
		if err != nil {
			return fmt.Errorf("header %d: %w", i+1, err)
		}
		list = append(list, p)
	}
	*h = list
	return nil
}
