package lint_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestCheckerFix(t *testing.T) {
	t.Parallel()
	order := func(data string) string {
		return inbound("work_order.created", `{"project_code":"P","phase_name":"R",`+data+`}`)
	}
	items := func(item string) string {
		return order(`"scope_of_work":{"checklists":[{"checklist_name":"A","items":[` + item + `]}]}`)
	}
	tests := []struct {
		name, raw, want string
		places          int
	}{
		{"nothing to do", order(`"people_required":3`), "", 0},
		{"a comma", `{"event":"invoicePaid","data":{"a":[1, 2 ,` + "\r\n" + `],"b":"x,}",},}`, `{"event":"invoicePaid","data":{"a":[1, 2 ` + "\r\n" + `],"b":"x,}"}}`, 3},
		{"a comma alone", `{"a":[,]}`, "", 0},
		{"two commas", `{"a":[1,,]}`, "", 0},
		{"a comma before another mistake", `{"a":[1,],"b":tru,"c":[1,]}`, `{"a":[1],"b":tru,"c":[1,]}`, 1},
		{"a comma after another mistake", `{"b":tru,"c":[1,]}`, "", 0},
		{"no value", `{"a":,}`, "", 0},
		{"nothing", "", "", 0},
		{"a comma and the end", `{"a":1,`, "", 0},
		{"no JSON", "it's [a, b,] of {c,}", "", 0},
		{"an alias", order(` "required_headcount" : 3.00`), order(` "people_required" : 3.00`), 1},
		{"an alias in escapes", order(`"required\u005fheadcount":3`), order(`"people_required":3`), 1},
		{"an alias and a comma", order(`"required_headcount":3,`), order(`"people_required":3`), 2},
		{"both names", order(`"required_headcount":3,"people_required":3`), "", 0},
		{"an alias twice", order(`"required_headcount":3,"required_headcount":3`), "", 0},
		{"the value does not fit", order(`"required_headcount":"3"`), "", 0},
		{"names of items", items(`{"text":"a","status":"pending"}`), items(`{"item_name":"a","status":"pending"}`), 1},
		{"another type", items(`{"item_name":"a","completed":true}`), "", 0},
		{"one of two", items(`{"text":"a","completed":true},{"text":"b"}`), items(`{"item_name":"a","completed":true},{"item_name":"b"}`), 2},
		{"an unknown event", inbound("x", `{"required_headcount":3}`), "", 0},
		{"no event", `{"required_headcount":3}`, "", 0},
	}
	c := newLinter(t, lint.Config{}).NewChecker()
	for _, test := range tests {
		want := test.want
		if want == "" {
			want = test.raw
		}
		raw := []byte(test.raw)
		got, places := c.Fix(raw)
		if string(got) != want || places != test.places || string(raw) != test.raw {
			t.Errorf("%s: %d places\n%s, want %d\n%s", test.name, places, got, test.places, want)
		}
	}
	off := newLinter(t, lint.Config{Rules: map[string]report.Severity{"alias": report.Off, "type": report.Off}}).NewChecker()
	if got, places := off.Fix([]byte(order(`"required_headcount":3`))); places != 0 {
		t.Errorf("alias is off: %s", got)
	}
	untyped := newLinter(t, lint.Config{Rules: map[string]report.Severity{"type": report.Off, "duplicate-key": report.Off}}).NewChecker()
	if got, places := untyped.Fix([]byte(items(`{"item_name":"a","completed":true}`))); places != 0 {
		t.Errorf("type is off: %s", got)
	}
}

// TestCheckerFixWrongSample fixes a sample with the two mistakes of the one that
// Worksome documents.
func TestCheckerFixWrongSample(t *testing.T) {
	t.Parallel()
	sample := sampleOf(t, webhook.WorksomeForm, "hireUpdated")
	at := strings.Index(sample, `"email":"`) + len(`"email":"`)
	wrong := sample[:at] + "[email\u00a0protected]" + sample[at+strings.IndexByte(sample[at:], '"'):]
	wrong = wrong[:len(wrong)-1] + ",\n}"
	c := newLinter(t, lint.Config{}).NewChecker()
	if got := summarize(c.Check([]byte(wrong)).Findings); !strings.Contains(got, "2:1  error syntax") {
		t.Error(got)
	}
	fixed, places := c.Fix([]byte(wrong))
	r := c.Check(fixed)
	if places != 1 || r.Errors() != 0 || len(r.Findings) != 1 || r.Findings[0].Rule != "masked-email" {
		t.Errorf("%d places: %s", places, summarize(r.Findings))
	}
}

// TestCheckerFixKeepsBytes adds trailing commas, aliases and white space to the
// samples at random: only commas and aliases change, and a second fix changes
// nothing.
func TestCheckerFixKeepsBytes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	c := newLinter(t, lint.Config{}).NewChecker()
	for _, d := range samples() {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, d.Sample(), " ", "\t"); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			right := pretty.String()
			if random.IntN(2) == 0 {
				right = string(d.Sample())
			}
			var wrong strings.Builder
			commas, quoted := 0, false
			for i, b := range []byte(right) {
				if b == '"' && right[i-1] != '\\' {
					quoted = !quoted
				}
				if before := strings.TrimRight(right[:i], " \t\n"); !quoted && (b == '}' || b == ']') && strings.IndexByte("{[", before[len(before)-1]) < 0 && random.IntN(3) == 0 {
					wrong.WriteByte(',')
					commas++
				}
				wrong.WriteByte(b)
			}
			fixed, places := c.Fix([]byte(wrong.String()))
			want, aliases := c.Fix([]byte(right))
			if places != commas+aliases || !bytes.Equal(fixed, want) {
				t.Fatalf("%s: %d places, want %d\n%s", d.Type, places, commas+aliases, fixed)
			}
			if again, n := c.Fix(fixed); n != 0 || !bytes.Equal(again, fixed) {
				t.Fatalf("%s: again %d places", d.Type, n)
			}
		}
	}
}

// TestCheckerFixMany fixes more places in one call than a payload has findings.
func TestCheckerFixMany(t *testing.T) {
	t.Parallel()
	item := `{"text":"a",},`
	raw := inbound("work_order.created", `{"project_code":"P","phase_name":"R","scope_of_work":{"checklists":[{"title":"A","items":[`+strings.Repeat(item, 3000)+`]}]}}`)
	c := newLinter(t, lint.Config{}).NewChecker()
	fixed, places := c.Fix([]byte(raw))
	if r := c.Check(fixed); places != 6002 || len(r.Findings) != 0 {
		t.Errorf("%d places: %.300s", places, summarize(r.Findings))
	}
}
