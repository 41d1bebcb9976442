package schema_test

import (
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

func TestCheckDepth(t *testing.T) {
	lists := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for name, c := range map[string]struct {
		payload string
		deep    bool
		offset  int
	}{
		"512 lists":             {lists(512), false, 0},
		"513 lists":             {lists(513), true, 512},
		"512 objects":           {objects(512), false, 0},
		"513 objects":           {objects(513), true, 512 * len(`{"a":`)},
		"256 of each":           {strings.Repeat(`[{"a":`, 256) + "1" + strings.Repeat("}]", 256), false, 0},
		"257 of each":           {strings.Repeat(`[{"a":`, 257) + "1" + strings.Repeat("}]", 257), true, 256 * len(`[{"a":`)},
		"many, one by one":      {"[" + strings.Repeat("[],{},", 10000) + "0]", false, 0},
		"10,001 lists":          {lists(10001), true, 512},
		"100,000 open lists":    {strings.Repeat("[", 100_000), true, 512},
		"100,000 open objects":  {strings.Repeat(`{"a":`, 100_000), true, 512 * len(`{"a":`)},
		"100,000 open of each":  {strings.Repeat(`[{"a":`, 100_000), true, 256 * len(`[{"a":`)},
		"100,000 closed lists":  {strings.Repeat("]", 100_000), false, 0},
		"10,000,000 open lists": {strings.Repeat("[", 10_000_000), true, 512},
	} {
		t.Run(name, func(t *testing.T) {
			checker := new(schema.Checker)
			found := checker.Check(nil, []byte(c.payload))
			if got := summarize(found, func(k schema.Kind) bool { return k == schema.Depth }) != ""; got != c.deep {
				t.Fatalf("%.200v", found)
			}
			if c.deep && (len(found) != 1 || found[0].Offset != c.offset || found[0].End != c.offset+1 || !strings.Contains(found[0].Message(), "512")) {
				t.Errorf("%+v, want one finding at %d", found, c.offset)
			}
			if again := checker.Check(nil, []byte(`{"a":[1]}`)); len(again) != 0 {
				t.Errorf("the next payload suffers: %+v", again)
			}
		})
	}
}

func TestCheckDepthPointer(t *testing.T) {
	found := new(schema.Checker).Check(nil, []byte(`{"a":`+strings.Repeat("[", 600)))
	if want := "/a" + strings.Repeat("/0", 511); len(found) != 1 || found[0].Pointer != want {
		t.Errorf("%.200v", found)
	}
}

// Names are compared by their characters, whatever the schema lists.
func TestCheckDuplicateKeys(t *testing.T) {
	schemas := map[string]string{
		"nothing listed": `true`,
		"all listed":     `{"properties":{"a":{},"b":{"properties":{"a":{}}},"é":{},"a/b":{},"":{},"😀":{}}}`,
		"some listed":    `{"properties":{"a":true,"":true}}`,
		"required":       `{"anyOf":[{"required":["a"]},{"required":["b"]},{"required":["é"]},{"required":["a/b"]},{"required":[""]},{"required":["😀"]}]}`,
	}
	for _, c := range []struct {
		payload, name, pointer string
		offset, end            int
	}{
		{`{"a":1,"a":2}`, "a", "/a", 7, 10},
		{`{"a":1,"b":2,"a":1}`, "a", "/a", 13, 16},
		{`{"a":1, "\u0061" :2}`, "a", "/a", 8, 16},
		{`{"\u0061":1,"a":2}`, "a", "/a", 12, 15},
		{`{"é":1,"\u00E9":2}`, "é", "/é", 8, 16},
		{`{"😀":1,"\ud83d\ude00":2}`, "😀", "/😀", 10, 24},
		{`{"a/b":1,"a\/b":2}`, "a/b", "/a~1b", 9, 15},
		{`{"":1,"":2}`, "", "/", 6, 8},
		{`{"b":{"a":1,"a":2},"a":1}`, "a", "/b/a", 12, 15},
		{`[{"a":1},{"a":1,"a":1}]`, "a", "/1/a", 16, 19},
	} {
		for kind, text := range schemas {
			found := new(schema.Checker).Check(mustCompile(t, text), []byte(c.payload))
			want := schema.Finding{Kind: schema.DuplicateKey, Offset: c.offset, End: c.end, Pointer: c.pointer, Name: c.name}
			var got []schema.Finding
			for _, f := range found {
				if f.Kind == schema.DuplicateKey {
					got = append(got, f)
				}
			}
			if len(got) != 1 || got[0] != want {
				t.Errorf("%s with %s: %+v", c.payload, kind, got)
			}
		}
	}
}

func TestCheckDistinctKeys(t *testing.T) {
	for _, payload := range []string{
		`{"a":{"a":{"a":1}}}`, `[{"a":1},{"a":1}]`, `{"a":1,"A":1}`, `{"a":1,"a ":1,"a\u0000":1}`, "{\"\u00e9\":1,\"e\u0301\":1}", `{"a":{"b":1,"c":1},"b":{"a":1,"c":1},"c":1}`,
		`{"a":[{"b":1},{"b":1},{"b":{"b":1}}],"b":1}`, `{"\\u0061":1,"a":1}`,
	} {
		if found := new(schema.Checker).Check(nil, []byte(payload)); len(found) != 0 {
			t.Errorf("%s: %+v", payload, found)
		}
	}
}

func TestCheckRepeatedKeys(t *testing.T) {
	found := new(schema.Checker).Check(nil, []byte(`{"a":1,"b":1,"a":1,"b":1,"a":1}`))
	if got, want := summarize(found, schema.Kind.IsViolation), "duplicate-key /a; duplicate-key /b; duplicate-key /a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
