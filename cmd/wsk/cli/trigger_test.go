package cli

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wskdev/wsk/pkg/webhook"
)

// receiver answers each request of a fake world with a status and a body, and
// lets its clock go on.
func (f *fake) receiver(took time.Duration, status int, body string) {
	now := time.Unix(1764000000, 0)
	f.Now = func() time.Time { return now }
	f.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
		now = now.Add(took)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

func TestTriggerKeepsToTheTerminal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.NewID = func() string { return strings.Repeat("x", 26) }
	f.OutTTY, f.Columns = true, 80
	f.vars["NO_COLOR"] = "1"
	f.receiver(1234*time.Millisecond, 500, strings.Repeat("word ", 200)+"\x1b]0;title\a")
	code := f.run(t, "trigger", "timesheet.created", "--to", "http://receiver.example.com:8080/hooks/workskedge", "--secret", "s", "--speed", "max", "--no-journal")
	if code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.err)
	}
	for line := range strings.Lines(f.out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if words := strings.Count(f.out.String(), "word"); words != 6*80 {
		t.Errorf("%d words of the answers are shown, want 400 characters of each", words)
	}
	if !strings.HasPrefix(f.out.String(), "timesheet.created  whk_xxxxxxxxxxxxxxxxxxxxxxxxxx\n  http://receiver") {
		t.Errorf("the head is not broken:\n%s", &f.out)
	}
}

func TestTriggerShowsWhatARefusalSaysAndNothingThatATerminalObeys(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.receiver(time.Millisecond, 422, "{\n  \"error\": \"no\x1b[31m\xff\"\n}")
	if code := f.run(t, "trigger", "timesheet.created", "--to", "http://r.example", "--secret", "s", "--no-journal"); code != exitNo {
		t.Fatalf("exit code %d: %s", code, &f.err)
	}
	if want := "\n     { \"error\": \"no\\x1b[31m\\xff\" }\n"; !strings.Contains(f.out.String(), want) {
		t.Errorf("printed\n%s", &f.out)
	}
}

func TestTriggerWarnsOfASlowAnswerInYellow(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{10 * time.Second, 12 * time.Second} {
		f := newFake(t)
		f.receiver(took, 200, "")
		if code := f.run(t, "trigger", "timesheet.created", "--to", "http://r.example", "--secret", "s", "--no-journal", "--color", "on"); code != exitYes {
			t.Fatalf("exit code %d: %s", code, &f.err)
		}
		if got := strings.Contains(f.out.String(), "\x1b[33mslower than the 10 s"); got != (took > 10*time.Second) {
			t.Errorf("after %s it printed\n%s", took, &f.out)
		}
		if !strings.Contains(f.out.String(), "     "+took.String()) {
			t.Errorf("the time is not shown:\n%s", &f.out)
		}
	}
}

func TestSpanLeavesOutUnitsThatAreZero(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Microsecond: "0s", 1500 * time.Microsecond: "2ms", 999 * time.Millisecond: "999ms",
		time.Second: "1s", 10 * time.Second: "10s", 1234 * time.Millisecond: "1.2s", time.Minute: "1m", 10 * time.Minute: "10m",
		time.Hour: "1h", 10 * time.Hour: "10h", 441 * time.Minute: "7h21m", 10000 * time.Second: "2h46m40s", time.Hour + time.Second: "1h0m1s",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestSpeedIsAFactorOrMax(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"1x": 1, "1": 1, "60x": 60, "60": 60, "2.5x": 2.5, "max": math.Inf(1)} {
		if got, err := speed(text); err != nil || got != want {
			t.Errorf("%q is %g, %v; want %g", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "0", "0.5x", "-2x", "60xx", "60 x", "maxx", "Inf", "+Infx", "NaN", "1e999", "6O"} {
		if got, err := speed(text); err == nil {
			t.Errorf("%q was read as %g", text, got)
		}
	}
}

func FuzzSpeed(f *testing.F) {
	for _, seed := range []string{"60x", "max", "2.5", "NaN", "-1x", "1e308x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if factor, err := speed(text); err == nil && (math.IsNaN(factor) || factor < 1 || math.IsInf(factor, 0) && text != "max") {
			t.Errorf("%q was read as %g", text, factor)
		}
	})
}

func TestAnEnvelopeThatIsMadeIsOfItsForm(t *testing.T) {
	t.Parallel()
	data := `{ "cost": 1.50 }`
	h := head{eventID: "evt_1", stamp: "2026-01-15T14:30:00Z", origin: "erp"}
	tests := []struct {
		platform webhook.Platform
		form     webhook.Form
		name     string
		want     string
	}{
		{webhook.WorkSkedge, webhook.Inbound, "work_order.created", `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":` + data + `}`},
		{webhook.WorkSkedge, webhook.Outbound, "work_order.created", `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"comp_hollisfrost","data":` + data + `}`},
		{webhook.WorkSkedge, webhook.Compact, "workorder.created", `{"event":"workorder.created","timestamp":"2026-01-15T14:30:00Z","data":` + data + `}`},
		{webhook.Worksome, webhook.WorksomeForm, "hireUpdated", `{"event":"hireUpdated","data":` + data + `}`},
	}
	for _, tt := range tests {
		d, err := webhook.Lookup(tt.platform, tt.form, tt.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.enclose(d, []byte(" "+data+"\n"))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.form, got, err, tt.want)
		}
		if again, err := (head{}).enclose(d, got); err != nil || string(again) != tt.want {
			t.Errorf("%s: an envelope was changed to %s, %v", tt.form, again, err)
		}
	}
}

// Every sample of the catalog goes out as it stands, but for who and when.
func TestASampleIsRenewedAndOtherwiseLeftAlone(t *testing.T) {
	t.Parallel()
	h := head{eventID: "evt_fresh", stamp: "2031-01-15T14:30:00Z"}
	for _, d := range webhook.Catalog() {
		sample := d.Sample()
		if sample == nil || d.Form == webhook.Inbound || d.Form == webhook.Template {
			continue
		}
		was, err := webhook.ParseEvent(sample)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.renew(d, sample)
		if err != nil {
			t.Fatal(err)
		}
		want := string(sample)
		if d.Form == webhook.Outbound {
			want = strings.Replace(want, `"event_id":"`+was.ID+`"`, `"event_id":"evt_fresh"`, 1)
		}
		if d.Form != webhook.WorksomeForm {
			want = strings.Replace(want, `"timestamp":"`+was.Timestamp+`"`, `"timestamp":"2031-01-15T14:30:00Z"`, 1)
		}
		if string(got) != want {
			t.Errorf("%s %s: %s\nwant %s", d.Form, d.Type, got, want)
		}
	}
}
