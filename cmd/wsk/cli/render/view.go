package render

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// printFindings prints findings to stderr and returns the verdict.
func (o *options) printFindings(env *command.Env, cfg *config.Config, name string, findings []report.Finding) error {
	p, err := command.Palette(env, cfg, env.ErrTTY)
	if err != nil {
		return err
	}
	for _, f := range findings {
		paint := p.Warn
		if f.Severity == report.Error {
			paint = p.Bad
		}
		fmt.Fprintf(env.Err, "%s: %s: %s %s\n", p.Name(fmt.Sprintf("%s:%d:%d", ui.Clean(command.SourceName(name)), f.Line, f.Column)),
			paint(f.Severity.String()), ui.Clean(f.Message), p.Quiet("("+f.Rule+")"))
	}
	return o.verdict(findings)
}

// maskedRequest returns a request without its credentials.
func maskedRequest(r webhook.Request) webhook.Request {
	r.URL, r.Header = webhook.RedactURL(r.URL), r.Header.Redacted()
	return r
}

// printRequest prints the request to stdout.
func (o *options) printRequest(env *command.Env, t render.Template, request webhook.Request) error {
	var err error
	switch o.output.Format {
	case "json":
		return command.WriteJSON(env.Out, maskedRequest(request))
	case "curl":
		_, err = fmt.Fprintln(env.Out, ui.Curl(request))
	case "http":
		var text []byte
		if text, err = httpFile(t, request); err == nil {
			_, err = env.Out.Write(text)
		}
	default:
		_, err = env.Out.Write(wireText(env, o.output.Palette, maskedRequest(request)))
	}
	return err
}

// wireText returns a request as it goes over the wire: byte for byte, but escaped
// for a terminal.
func wireText(env *command.Env, p ui.Palette, r webhook.Request) []byte {
	if env.OutTTY {
		if text := string(r.Body); ui.CleanLines(text) != text {
			r.Body = fmt.Appendf(nil, "(%s)", ui.Plural(len(r.Body), "byte"))
		}
		return []byte(ui.Wire(r, p))
	}
	var b strings.Builder
	b.WriteString(r.Method + " " + r.URL + "\n")
	for _, h := range r.Header {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	b.WriteString("\n" + string(r.Body))
	return []byte(b.String())
}

// httpFileMark is the beginning of a line of a body that clients read as a separator,
// a file to read or write, or a script.
var httpFileMark = regexp.MustCompile(`(?m)^[ \t]*(###|<@\w*[ \t]|<>|<[ \t]|>>|>[ \t])`)

// httpFile returns a request as an .http file for editors and REST clients. A
// credential becomes a variable of that file. The format has no escapes, so a body
// that would be read as more than a body is an error.
func httpFile(t render.Template, r webhook.Request) ([]byte, error) {
	body := string(r.Body)
	if ui.CleanLines(body) != body {
		return nil, errors.New("the body contains control characters, which an .http file cannot escape: use --curl")
	}
	if mark := httpFileMark.FindString(body); mark != "" {
		return nil, fmt.Errorf("a line of the body begins with %q, which starts another request or names a file in an .http file: use --curl", strings.TrimSpace(mark))
	}
	texts := []string{r.URL, body}
	for _, h := range r.Header {
		if !h.IsSensitive() {
			texts = append(texts, h.Value)
		}
	}
	if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{{") }) {
		return nil, errors.New(`the request contains "{{", which begins a variable of an .http file: use --curl`)
	}
	var b strings.Builder
	name := t.Name
	if name == "" {
		name = t.Event
	}
	b.WriteString("### " + ui.Clean(strings.Join(strings.Fields(name), " ")) + "\n" + r.Method + " " + ui.Clean(webhook.RedactURL(r.URL)) + "\n")
	for _, h := range r.Header {
		value := h.Value
		if h.IsSensitive() {
			value = "{{" + strings.ToLower(strings.ReplaceAll(h.Name, "-", "_")) + "}}"
		}
		b.WriteString(ui.Clean(h.Name) + ": " + ui.Clean(value) + "\n")
	}
	b.WriteString("\n" + body)
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	return []byte(b.String()), nil
}

// printMatrix prints for which events a template is valid.
func (o *options) printMatrix(env *command.Env, name string, t render.Template, now time.Time) error {
	fits, p := t.Matrix(now), o.output.Palette
	if !o.output.Text() {
		return command.WriteList(env.Out, o.output.Format, "events", fits)
	}
	table := &ui.Table{Width: env.Columns}
	right := 0
	for _, fit := range fits {
		mark := "✗"
		if fit.OK {
			mark = "✓"
			right++
		}
		cells := []ui.Cell{
			{Text: mark, Paint: func(string) string { return p.Mark(fit.OK) }},
			{Text: fit.Title, Paint: p.Name},
		}
		if !fit.OK {
			f := fit.Problems[0]
			text := strings.TrimPrefix(f.Message, "the event "+fit.Title+" ")
			if f.Rule == "variable-event" { // the table shows which events have it
				text, _, _ = strings.Cut(text, ":")
			}
			cells = append(cells, ui.Cell{Text: fmt.Sprintf("%d:%d %s", f.Line, f.Column, text), Paint: p.Quiet})
		}
		table.Row(cells...)
	}
	if err := table.Write(env.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.Out, "\n%s is valid for %d of %d events\n", ui.Clean(command.SourceName(name)), right, len(fits))
	return err
}
