package lint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// templateOf returns a file's content when it is a template, and a reader with
// all of it when it is not.
func templateOf(name string, r io.Reader, size int64) (raw []byte, rest io.Reader, err error) {
	small := size >= 0 && size <= render.MaxTemplate
	if !command.IsYAML(name) && (!small || isLines(name) || name == "-") {
		return nil, r, nil
	}
	raw, err = io.ReadAll(io.LimitReader(r, render.MaxTemplate+1)) // one that is larger is said to be
	if err != nil {
		return nil, nil, err
	}
	if command.IsYAML(name) || bytes.Contains(raw, []byte(`"method"`)) && render.LooksLikeTemplate(raw) {
		return raw, nil, nil
	}
	return nil, bytes.NewReader(raw), nil
}

// lintTemplate lints a template for its own event, with sample values.
func (r *lintRun) template(ctx context.Context, name string, raw []byte) error {
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
func (r *lintRun) severity(f report.Finding) report.Severity {
	if weight, given := r.weights[f.Rule]; given {
		return weight
	}
	if r.strict && f.Severity == report.Warning {
		return report.Error
	}
	return f.Severity
}

// maxExcerpt is how much of a line is shown with a finding, in bytes.
const maxExcerpt = 200

// excerptOf is a line of a file, and the byte of it that a column is at.
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

// lintRules returns the rules for payloads, then those for templates.
func lintRules() []report.Rule {
	return slices.Concat(lint.Rules(), render.Rules())
}

// ruleWeights parses the values of --rule, for payloads and for templates.
func ruleWeights(texts []string) (payloads, templates map[string]report.Severity, err error) {
	payloads, templates = map[string]report.Severity{}, map[string]report.Severity{}
	target := map[string]map[string]report.Severity{}
	var ids []string
	for _, r := range lintRules() {
		ids = append(ids, r.ID)
		target[r.ID] = templates
	}
	for _, r := range lint.Rules() {
		target[r.ID] = payloads
	}
	for _, text := range texts {
		id, name, found := strings.Cut(text, "=")
		if !found {
			return nil, nil, fmt.Errorf("--rule %q: write ID=off, note, warning or error", text)
		}
		if target[id] == nil {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, webhook.Unknown("rule", id, ids))
		}
		severity, err := report.ParseSeverity(name)
		if err != nil {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, err)
		}
		target[id][id] = severity
	}
	return payloads, templates, nil
}
