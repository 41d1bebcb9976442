package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestNearestFindsWhatWasMeant(t *testing.T) {
	t.Parallel()
	known := []string{"timestamp.body", "body", "square", "quickbooks", "standard-webhooks"}
	for name, want := range map[string]string{
		"body":             "body",
		"boddy":            "body",
		"bdoy":             "body",
		"bod":              "body",
		"BODY":             "body",
		"squore":           "square",
		"quick-books":      "quickbooks",
		"timestamp-body":   "timestamp.body",
		"standardwebhooks": "standard-webhooks",
		"github":           "",
		"":                 "",
		"x":                "",
		"completely other": "",
	} {
		if got := webhook.Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := webhook.Nearest("abc", []string{"abd", "abe"}); got != "abd" {
		t.Errorf("of two alike %q, want the first", got)
	}
	if got := webhook.Nearest("a", nil); got != "" {
		t.Errorf("of none %q", got)
	}
}

func TestALongNameIsNotMeasured(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	if got := webhook.Nearest(long, []string{long[1:], "x"}); got != "" {
		t.Errorf("nearest has %d letters", len(got))
	}
	if text := webhook.Unknown("event", long, nil).Error(); len(text) > 200 {
		t.Errorf("an error of %d bytes", len(text))
	}
}

func TestUnknownNamesTheNearestOrAll(t *testing.T) {
	t.Parallel()
	many := make([]string, 13)
	for i := range many {
		many[i] = fmt.Sprintf("name-%02d", i)
	}
	for _, test := range []struct {
		name  string
		known []string
		want  string
	}{
		{"bodi", []string{"body", "square"}, `unknown scheme "bodi": did you mean "body"?`},
		{"zzzz", []string{"body", "square"}, `unknown scheme "zzzz": known are body, square`},
		{"zzzz", nil, `unknown scheme "zzzz"`},
		{"zzzz", many, `unknown scheme "zzzz": none of the 13 known is like it`},
		{"zzzz", many[:12], `unknown scheme "zzzz": known are name-00, ` + strings.Join(many[1:12], ", ")},
		{"\x1b]0;x\a", nil, `unknown scheme "\x1b]0;x\a"`},
	} {
		if got := webhook.Unknown("scheme", test.name, test.known).Error(); got != test.want {
			t.Errorf("%q: %s, want %s", test.name, got, test.want)
		}
	}
}
