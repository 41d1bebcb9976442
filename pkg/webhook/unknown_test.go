package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestUnknown(t *testing.T) {
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
		{"nat", append([]string{"nature", "nation", "native"}, many...), `unknown scheme "nat": did you mean nature, nation or native?`},
		{"na", append([]string{"body"}, many[:12]...), `unknown scheme "na": did you mean ` + strings.Join(many[:11], ", ") + ` or name-11?`},
		{"name-1", many, `unknown scheme "name-1": did you mean name-10, name-11 or name-12?`},
		{"squ", append([]string{"square"}, many...), `unknown scheme "squ": did you mean "square"?`},
		{"squ", []string{"body", "square"}, `unknown scheme "squ": known are body, square`},
		{"", []string{"body"}, `unknown scheme "": known are body`},
		{"n", many, `unknown scheme "n": none of the 13 known is like it`},
		{"\x1b]0;x\a", nil, `unknown scheme "\x1b]0;x\a"`},
	} {
		if got := webhook.Unknown("scheme", test.name, test.known).Error(); got != test.want {
			t.Errorf("%q: %s, want %s", test.name, got, test.want)
		}
	}
	long := strings.Repeat("x", 1<<20)
	if text := webhook.Unknown("event", long, nil).Error(); len(text) > 200 {
		t.Errorf("an error of %d bytes", len(text))
	}
}

func TestCheckGlob(t *testing.T) {
	t.Parallel()
	known := []string{"project.closed", "work_order.created", "work_order.updated", "hireUpdated"}
	for glob, want := range map[string]string{
		"hireUpdated":    "",
		"work_order.*":   "",
		"*":              "",
		"*.c[lr]*":       "",
		"project.closd":  `unknown event "project.closd": did you mean "project.closed"?`,
		"work_ordr.*":    `unknown event "work_ordr.*": did you mean "work_order.*"?`,
		"*.craeted":      `unknown event "*.craeted": did you mean "*.created"?`,
		"hireUpdated.*":  `unknown event "hireUpdated.*": known are project.closed, work_order.created, work_order.updated, hireUpdated`,
		"":               `unknown event "": known are project.closed, work_order.created, work_order.updated, hireUpdated`,
		"work_order.[ab": `the event "work_order.[ab" is not a valid glob: close each [ with a ]`,
	} {
		got := ""
		if err := webhook.CheckGlob("event", glob, known); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", glob, got, want)
		}
	}
}
