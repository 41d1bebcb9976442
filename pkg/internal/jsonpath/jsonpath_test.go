package jsonpath_test

import (
	"reflect"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/jsonpath"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"":               nil,
		"a":              {"a"},
		"a.b.c":          {"a", "b", "c"},
		"a.0.b":          {"a", "0", "b"},
		"a[0].b":         {"a", "0", "b"},
		"a[0][1]":        {"a", "0", "1"},
		"a[].b":          {"a", "[]", "b"},
		"a[][].b":        {"a", "[]", "[]", "b"},
		`a\.b.c`:         {"a.b", "c"},
		`a\\.b`:          {`a\`, "b"},
		`a\[0\]`:         {"a[0]"},
		`a\`:             {`a\`},
		"a..b":           {"a", "b"},
		".a.":            {"a"},
		"data.*.x":       {"data", "*", "x"},
		"data.Café ☕.x":  {"data", "Café ☕", "x"},
		"[0].a":          {"0", "a"},
		"data.two words": {"data", "two words"},
	} {
		if got := jsonpath.Split(path); !reflect.DeepEqual(got, want) {
			t.Errorf("Split(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestIsIndex(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]bool{"0": true, "17": true, "00": false, "01": false, "-1": false, "+1": false, "": false, "[]": false, "a": false, "1a": false} {
		if got := jsonpath.IsIndex(step); got != want {
			t.Errorf("IsIndex(%q) = %v", step, got)
		}
	}
}
