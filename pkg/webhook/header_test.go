package webhook_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestHeader_keeps_order_and_repeats(t *testing.T) {
	t.Parallel()
	h := webhook.Header{{"b", "1"}, {"A", "2"}, {"B", "3"}, {"a", ""}}
	if got := h.Get("B"); got != "1" {
		t.Errorf("Get takes %q, want the first line of any spelling", got)
	}
	if !h.Has("a") || h.Has("c") || h.Get("c") != "" {
		t.Error("Has and Get disagree with the lines")
	}
	want := http.Header{"A": {"2", ""}, "B": {"1", "3"}}
	if got := h.HTTP(); !reflect.DeepEqual(got, want) {
		t.Errorf("HTTP() = %v, want %v", got, want)
	}
	sorted := webhook.Header{{"A", "2"}, {"A", ""}, {"B", "1"}, {"B", "3"}}
	if got := webhook.HeaderOf(h.HTTP()); !reflect.DeepEqual(got, sorted) {
		t.Errorf("HeaderOf = %v, want %v", got, sorted)
	}
	if got := webhook.HeaderOf(nil); got != nil {
		t.Errorf("HeaderOf(nil) = %v", got)
	}
}

func TestHeaderWith_and_Without_copy(t *testing.T) {
	t.Parallel()
	base := webhook.Header{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}}
	before := append(webhook.Header(nil), base...)
	tests := map[string]struct{ got, want webhook.Header }{
		"With replaces the first line and drops the others": {base.With("a", "x"), webhook.Header{{"a", "x"}, {"B", "2"}, {"C", "4"}}},
		"With puts a new name at the end":                   {base.With("D", "5"), webhook.Header{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}, {"D", "5"}}},
		"With takes an empty value":                         {base.With("B", ""), webhook.Header{{"A", "1"}, {"B", ""}, {"a", "3"}, {"C", "4"}}},
		"With starts a header":                              {webhook.Header(nil).With("A", "1"), webhook.Header{{"A", "1"}}},
		"Without drops every spelling":                      {base.Without("A"), webhook.Header{{"B", "2"}, {"C", "4"}}},
		"Without leaves what is not there":                  {base.Without("D"), base},
		"Without of nothing is nothing":                     {webhook.Header(nil).Without("A"), nil},
	}
	for name, test := range tests {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
	if !reflect.DeepEqual(base, before) {
		t.Errorf("the header itself changed: %v", base)
	}
}

func TestHeaderMarshalJSON(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header webhook.Header
		want   string
	}{
		"none":                        {nil, `[]`},
		"repeats in order":            {webhook.Header{{"b", "1"}, {"A", "2"}, {"b", "3"}}, `[["b","1"],["A","2"],["b","3"]]`},
		"an empty value":              {webhook.Header{{"A", ""}}, `[["A",""]]`},
		"no escapes for HTML":         {webhook.Header{{"A", "<&>"}}, `[["A","<&>"]]`},
		"text beyond ASCII":           {webhook.Header{{"A", "Café"}}, `[["A","Café"]]`},
		"bytes that are not UTF-8":    {webhook.Header{{"A", "Caf\xe9"}}, `[["A","Q2Fm6Q==","base64"]]`},
		"a half of a surrogate's row": {webhook.Header{{"A", "\xed\xa0\x80"}}, `[["A","7aCA","base64"]]`},
		"the replacement character":   {webhook.Header{{"A", "\ufffd"}}, `[["A","` + "\ufffd" + `"]]`},
		"a value that reads base64":   {webhook.Header{{"base64", "base64"}}, `[["base64","base64"]]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := test.header.MarshalJSON()
			if err != nil || string(text) != test.want {
				t.Fatalf("JSON %s, %v; want %s", text, err, test.want)
			}
			var back webhook.Header
			if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, test.header) {
				t.Errorf("read back %q, %v; want %q", back, err, test.header)
			}
		})
	}
}

func TestHeaderUnmarshalJSON_refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"A":"1"}`:                           "headers must be a list",
		`"A: 1"`:                              "headers must be a list",
		`[["A","1"],["B"]]`:                   "header 2: want",
		`[[]]`:                                "header 1: want",
		`[["A","1","gzip"]]`:                  "header 1: want",
		`[["A","1","base64","x"]]`:            "header 1: want",
		`[["A","1"],["B","*not*","base64"]]`:  "header 2: it is not base64",
		`[["A",1]]`:                           "headers must be a list",
		`[["A","1"],["B","MQ","base64"]]`:     "header 2: it is not base64",
		`[["A","1"],{"name":"B","value":""}]`: "headers must be a list",
	} {
		h := webhook.Header{{"kept", "as it was"}}
		err := json.Unmarshal([]byte(text), &h)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", text, err, want)
		}
		if len(h) != 1 || h[0].Name != "kept" {
			t.Errorf("%s: the header became %v", text, h)
		}
	}
}

// pairs are header lines that are taken, and what they become.
var pairs = map[string]webhook.Pair{
	"Name: value":             {"Name", "value"},
	"Name:value":              {"Name", "value"},
	"Name:":                   {"Name", ""},
	"Name: \t value \t ":      {"Name", "value"},
	"Name: a, b, c":           {"Name", "a, b, c"},
	"Name: a: b":              {"Name", "a: b"},
	"Name: a\tb":              {"Name", "a\tb"},
	"x!#$%&'*+-.^_`|~9: v":    {"x!#$%&'*+-.^_`|~9", "v"},
	"Name: Café":              {"Name", "Café"},
	"Name: Caf\xe9":           {"Name", "Caf\xe9"},
	"Name: https://h/p?q=1#f": {"Name", "https://h/p?q=1#f"},
}

// badPairs are lines that are refused, and part of the error.
var badPairs = map[string]string{
	"":                        "has no colon",
	"Name":                    "has no colon",
	"Name value":              "has no colon",
	": value":                 "the name may contain",
	" Name: value":            "the name may contain",
	"Name : value":            "the name may contain",
	"Na me: value":            "the name may contain",
	"Na\x00me: value":         "the name may contain",
	"Na\rme: value":           "the name may contain",
	"Na\nme: value":           "the name may contain",
	"Näme: value":             "the name may contain",
	"Na\xffme: value":         "the name may contain",
	"Na(me: value":            "the name may contain",
	"\"Name\": value":         "the name may contain",
	"Name: a\rb":              "line break",
	"Name: a\nb":              "line break",
	"Name: a\r\nX-Other: b":   "line break",
	"Name: value\r":           "line break",
	"Name: value\n":           "line break",
	"Name: a\x00b":            "control character",
	"Name: a\x1bb":            "control character",
	"Name: a\x7fb":            "control character",
	"Name: a\x1fb":            "control character",
	"Name: \x01":              "control character",
	"Name:\r\n folded":        "line break",
	"Name: a\x00b\nc":         "control character", // the first of them is named
	"Content-Type: a/b\vc":    "control character",
	"Transfer\tEncoding: a/b": "the name may contain",
}

func TestParsePair(t *testing.T) {
	t.Parallel()
	for line, want := range pairs {
		if got, err := webhook.ParsePair(line); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
}

func TestParsePair_refuses(t *testing.T) {
	t.Parallel()
	for line, want := range badPairs {
		got, err := webhook.ParsePair(line)
		var bad *webhook.HeaderError
		if !errors.As(err, &bad) || bad.Line != line || !strings.Contains(err.Error(), want) || got != (webhook.Pair{}) {
			t.Errorf("%q: %q, error %v; want a HeaderError with %q", line, got, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
			t.Errorf("%q: the error has control characters in it: %q", line, err)
		}
	}
	long := "Name " + strings.Repeat("x", 5000)
	if _, err := webhook.ParsePair(long); err == nil || len(err.Error()) > 200 {
		t.Errorf("a long line makes an error of %d bytes", len(err.Error()))
	}
}

func TestHeaderError_masks_a_credential(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"Authorization: Bearer hunter2-very-secret\r",
		"X-API-Key: hunter2-very-secret\nX: y",
		"X-API-Key hunter2-very-secret",
		"X-API-Key=hunter2-very-secret",
		"x-auth-token\thunter2-very-secret",
		"Cookie : hunter2-very-secret",
	} {
		_, err := webhook.ParsePair(line)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v, want one without the value", line, err)
		}
		if name := line[:4]; err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %v, want the name in it", line, err)
		}
	}
}
