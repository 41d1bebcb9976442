package nearest_test

import (
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/nearest"
)

func TestName(t *testing.T) {
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
		if got := nearest.Name(name, known); got != want {
			t.Errorf("Name(%q) = %q, want %q", name, got, want)
		}
	}
	if got := nearest.Name("abc", []string{"abd", "abe"}); got != "abd" {
		t.Errorf("of two alike %q, want the first", got)
	}
	if got := nearest.Name("a", nil); got != "" {
		t.Errorf("of none %q", got)
	}
}

func TestName_of_a_long_name(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	if got := nearest.Name(long, []string{long[1:], "x"}); got != "" {
		t.Errorf("nearest has %d letters", len(got))
	}
}
