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
	if render.Errors(findings) == 0 {
		samples, err := render.Samples(template.Event)
		if err != nil {
			return err
		}
		_, more := template.Render(samples, r.env.Now().UTC())
		findings = append(findings, more...)
	}
	counts := lint.Counts{Events: 1}
	for _, f := range findings {
		weighed, ok := r.weigh(f)
		if !ok {
			continue
		}
		switch weighed.Severity {
		case lint.Error:
			counts.Errors++
		case lint.Warning:
			counts.Warnings++
		default:
			counts.Notes++
		}
		weighed.File, weighed.Event, weighed.Form, weighed.Platform = name, template.Event, webhook.Template, webhook.WorkMarket
		weighed.Excerpt, weighed.Caret = excerptOf(raw, f.Line, f.Column)
		if err := r.out.finding(weighed); err != nil {
			return err
		}
	}
	r.files++
	r.counts = r.counts.Plus(counts)
	return nil
}

// weigh gives a finding of a template the weight that --rule and --strict ask
// for; ok is false when its rule is off.
func (r *lintRun) weigh(f render.Finding) (out lint.Finding, ok bool) {
	severity := lint.Severity(f.Severity)
	if weight, given := r.weights[f.Rule]; given {
		severity = weight
	} else if r.strict && severity == lint.Warning {
		severity = lint.Error
	}
	return lint.Finding{Line: f.Line, Column: f.Column, Pointer: f.Pointer, Severity: severity, Rule: f.Rule, Message: f.Message}, severity != lint.Off
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

// lintRules lists the rules for payloads, and those for templates.
func lintRules() []lint.Rule {
	rules := lint.Rules()
	for _, r := range render.Rules() {
		rules = append(rules, lint.Rule{ID: r.ID, Severity: lint.Severity(r.Severity), Help: r.Help})
	}
	return rules
}

// ruleWeights reads --rule: those for payloads, and those for templates.
func ruleWeights(texts []string) (payloads, templates map[string]lint.Severity, err error) {
	payloads, templates = map[string]lint.Severity{}, map[string]lint.Severity{}
	var ids []string
	for _, r := range lintRules() {
		ids = append(ids, r.ID)
	}
	for _, text := range texts {
		id, weight, found := strings.Cut(text, "=")
		if !found {
			return nil, nil, fmt.Errorf("--rule %q: write ID=off, note, warning or error", text)
		}
		if !slices.Contains(ids, id) {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, webhook.Unknown("rule", id, ids))
		}
		severity, err := lint.SeverityNamed(weight)
		if err != nil {
			return nil, nil, fmt.Errorf("--rule %s: %w", text, err)
		}
		if _, err := lint.RuleNamed(id); err == nil {
			payloads[id] = severity
		} else {
			templates[id] = severity
		}
	}
	return payloads, templates, nil
}
