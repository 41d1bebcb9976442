package ui

import (
	"fmt"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Quote writes text as one word of a POSIX shell. Text with hidden characters
// or bytes that are not UTF-8 becomes $(printf …) with octal escapes, so that
// the line can be shown and pasted.
func Quote(text string) string {
	if Clean(text) == text || CleanLines(text) == text {
		if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-") == "" {
			return text
		}
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return `"$(` + Printf(text) + `)"`
}

// Printf is the shell command that writes exactly these bytes.
func Printf(text string) string {
	if CleanLines(text) == text {
		return "printf '%s' " + Quote(text)
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '%':
			b.WriteString("%%")
		case c == '\'':
			b.WriteString(`'\''`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return "printf '" + b.String() + "'"
}

// Curl writes a request as a curl command. Credentials are not written:
// the API key is taken from $WSK_API_KEY, others from $NAME after their header.
func Curl(r webhook.Request) string {
	r.URL = webhook.RedactURL(r.URL)
	lines := []string{"curl -sS -X " + r.Method + " " + Quote(r.URL)}
	for _, p := range r.Header {
		switch {
		case strings.EqualFold(p.Name, webhook.HeaderAPIKey):
			lines = append(lines, `-H "`+p.Name+`: $WSK_API_KEY"`)
		case p.IsSensitive():
			variable := strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))
			lines = append(lines, `-H "`+p.Name+`: $`+variable+`"`)
		default:
			lines = append(lines, "-H "+Quote(p.Name+": "+p.Value))
		}
	}
	body := string(r.Body)
	if CleanLines(body) != body || strings.HasPrefix(body, "@") { // curl would read a file for @
		return Printf(body) + " |\n  " + strings.Join(append(lines, "--data-binary @-"), " \\\n  ")
	}
	return strings.Join(append(lines, "--data-binary "+Quote(body)), " \\\n  ")
}

// Wire writes a request as it goes over the wire, with credentials redacted.
func Wire(r webhook.Request, p Palette) string {
	var b strings.Builder
	b.WriteString(p.Name(Clean(r.Method+" "+webhook.RedactURL(r.URL))) + "\n")
	for _, line := range r.Header.Redacted() {
		b.WriteString(p.Quiet(Clean(line.Name)+":") + " " + Clean(line.Value) + "\n")
	}
	b.WriteString("\n" + CleanLines(string(r.Body)) + "\n")
	return b.String()
}
