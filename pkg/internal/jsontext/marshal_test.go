package jsontext_test

import (
	"encoding/json"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
)

func TestMarshal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain <b>&amp; é 東 🔧":       `"plain <b>&amp; é 東 🔧"`,
		"\x1b[31m\x7f":               `"\u001b[31m\u007f"`,
		"\u009b \u202e \u200b":       `"\u009b \u202e \u200b"`,
		"\u2028\ufeff\ue000":         `"\u2028\ufeff\ue000"`,
		"a tag \U000e0041 and after": `"a tag \udb40\udc41 and after"`,
		"not UTF-8 \xff":             `"not UTF-8 \ufffd"`,
		`quote " and \`:              `"quote \" and \\"`,
	} {
		got, err := jsontext.Marshal(text)
		if err != nil || string(got) != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
		var back, plain string
		standard, _ := json.Marshal(text)
		if json.Unmarshal(got, &back) != nil || json.Unmarshal(standard, &plain) != nil || back != plain {
			t.Errorf("%s decodes to %q, want %q", got, back, plain)
		}
	}
	if _, err := jsontext.Marshal(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}
