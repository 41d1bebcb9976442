package lint

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// templateOf returns the content of a file if it is a template, and otherwise a
// reader of all of it.
func templateOf(name string, r io.Reader, size int64) (raw []byte, rest io.Reader, err error) {
	small := size >= 0 && size <= render.MaxTemplate
	if !command.IsYAML(name) && (!small || lint.IsLines(name) || name == "-") {
		return nil, r, nil
	}
	raw, err = io.ReadAll(io.LimitReader(r, render.MaxTemplate+1)) // one byte more, so that render reports a larger one
	if err != nil {
		return nil, nil, err
	}
	if command.IsYAML(name) || bytes.Contains(raw, []byte(`"method"`)) && render.LooksLikeTemplate(raw) {
		return raw, nil, nil
	}
	return nil, bytes.NewReader(raw), nil
}

// template lints a template for its own event, with sample values.
func (r *linting) template(ctx context.Context, name string, raw []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	template, findings := render.Parse(raw)
	if report.Count(findings).Errors == 0 {
		samples, err := render.Samples(template.Event)
		if err != nil {
			return err
		}
		_, more := template.Render(samples, r.env.Now().UTC())
		findings = append(findings, more...)
	}
	var kept []report.Finding
	for _, f := range findings {
		if f.Severity = r.severity(f); f.Severity == report.Off {
			continue
		}
		f.File, f.Event, f.Form, f.Platform = name, template.Event, webhook.Template, webhook.WorkMarket
		f.Excerpt, f.Caret = excerptOf(raw, f.Line, f.Column)
		if err := r.out.finding(f); err != nil {
			return err
		}
		kept = append(kept, f)
	}
	r.counts = r.counts.Plus(report.Count(kept)).Plus(report.Summary{Files: 1, Events: 1})
	return nil
}

// severity returns the severity of a template's finding by --rule and --strict.
func (r *linting) severity(f report.Finding) report.Severity {
	if severity, given := r.templateRules[f.Rule]; given {
		return severity
	}
	if r.options.strict && f.Severity == report.Warning {
		return report.Error
	}
	return f.Severity
}

// maxExcerpt is how much of a line is shown with a finding, in bytes.
const maxExcerpt = 200

// excerptOf returns a line of a file and the offset of a column in it.
func excerptOf(raw []byte, line, column int) (text string, caret int) {
	lines := strings.Split(string(raw), "\n")
	if line > len(lines) {
		return "", 0
	}
	text = strings.TrimRight(lines[line-1], "\r")
	for i := range text {
		if column--; column == 0 {
			caret = i
			break
		}
	}
	if caret >= maxExcerpt {
		return "", 0
	}
	return strings.ToValidUTF8(text[:min(len(text), maxExcerpt)], ""), caret
}
