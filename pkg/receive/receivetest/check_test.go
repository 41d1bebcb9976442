package receivetest_test

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/check"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive/receivetest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// checkTest is a call of Check, and the subtests that it has to fail.
type checkTest struct {
	name     string
	receiver *webhooktest.Receiver
	noEffect bool
	options  []receivetest.CheckOption

	fails  string   // the IDs of cases, in their order
	skips  string   // likewise
	runs   string   // the IDs of all subtests, if they are not the cases of the platform
	aborts string   // what it says if it ends before the first subtest
	says   []string // in the output of go test -v
}

// ran returns the names of the subtests.
func (c *checkTest) ran() []string {
	if c.runs != "" || c.aborts != "" {
		return strings.Fields(c.runs)
	}
	var ids []string
	for _, k := range check.Cases(cmp.Or(c.receiver.Platform, webhook.WorkSkedge)) {
		ids = append(ids, k.ID)
	}
	return ids
}

var checks = []checkTest{
	{name: "right", receiver: &webhooktest.Receiver{}},
	{name: "right_by_its_clock", receiver: &webhooktest.Receiver{Now: atNoon}, options: []receivetest.CheckOption{receivetest.Clock(atNoon)}},
	{name: "right_for_worksome", receiver: &webhooktest.Receiver{Platform: webhook.Worksome},
		options: []receivetest.CheckOption{receivetest.Platform(webhook.Worksome)}},
	{name: "right_for_all_events", receiver: &webhooktest.Receiver{}, options: []receivetest.CheckOption{receivetest.AllEvents(), receivetest.Only("event:project.*")},
		runs: "event:project.closed event:project.created event:project.deleted event:project.updated"},
	{name: "right_for_all_events_of_worksome", receiver: &webhooktest.Receiver{Platform: webhook.Worksome},
		options: []receivetest.CheckOption{receivetest.Platform(webhook.Worksome), receivetest.AllEvents(), receivetest.Only("event:hire*")},
		runs:    "event:hireUpdated"},
	{name: "no_verification", receiver: &webhooktest.Receiver{Any: true},
		fails: "signature_missing signature_wrong signature_length signature_not_hex signature_other_body signature_empty_secret body_changed"},
	{name: "another_secret", receiver: &webhooktest.Receiver{}, options: []receivetest.CheckOption{receivetest.Secret("another secret")},
		fails: "valid", skips: "raw_body not_json large_body unknown_event unknown_field signature_missing signature_wrong signature_length signature_not_hex signature_uppercase signature_other_body signature_empty_secret body_changed timestamp_old timestamp_future timestamp_missing timestamp_not_number duplicate duplicate_effect captured retry burst get", says: []string{"responded 401 to a valid event: is this the receiver's secret?"}},
	{name: "parses_and_serializes_again", receiver: &webhooktest.Receiver{Body: webhooktest.Reserialised}, fails: "raw_body"},
	// A comparison by == that leaks its time responds as one in constant time does.
	{name: "compares_by_==", receiver: &webhooktest.Receiver{Equal: func(got, want string) bool { return got == want }}},
	{name: "compares_the_common_part", receiver: &webhooktest.Receiver{Equal: func(got, want string) bool { return got != "" && strings.HasPrefix(want, got) }},
		fails: "signature_length"},
	{name: "panics_at_another_length", receiver: &webhooktest.Receiver{Equal: func(got, want string) bool {
		if got != "" && len(got) != len(want) {
			panic("a signature of another length")
		}
		return got == want
	}}, fails: "signature_length", says: []string{
		"did not respond to a signature of 63 digits", "  got   no response\n",
		"    http: panic serving", "a signature of another length", // the server's log is output of the test
	}},
	{name: "no_window", receiver: &webhooktest.Receiver{InTime: func(string, time.Time) bool { return true }}, fails: "timestamp_old", skips: "timestamp_future timestamp_missing timestamp_not_number", says: []string{
		"a request older than five minutes is refused: accepted a timestamp of 301 seconds ago with 200\n",
		"  sent  POST http://127.0.0.1:", "X-Webhook-Event: work_order.created\n", "  got   200 OK\n",
		"  why   Anyone who has seen one valid request could send it again forever: its signature stays valid.\n",
		"  fix   Call webhook.Verify, which allows 300 seconds either way.\n",
	}},
	{name: "remembers_nothing", receiver: &webhooktest.Receiver{Forgetful: true}, fails: "duplicate_effect",
		says: []string{"warning: a captured request under a new id has no effect: "}},
	{name: "remembers_nothing_uncounted", receiver: &webhooktest.Receiver{Forgetful: true}, noEffect: true, skips: "duplicate_effect",
		says: []string{"give --effect-cmd, or Effect in Go, to count the effect"}},
	{name: "remembers_ids_strict", receiver: &webhooktest.Receiver{ByID: true}, options: []receivetest.CheckOption{receivetest.Strict()}, fails: "captured"},
	{name: "remembers_signatures", receiver: &webhooktest.Receiver{ByDigest: true}, fails: "duplicate_effect"},
	{name: "responds_200_before_it_verifies", receiver: &webhooktest.Receiver{Before: func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusOK)
		return false
	}}, fails: "not_json signature_missing signature_wrong signature_length signature_not_hex signature_other_body signature_empty_secret body_changed timestamp_old",
		skips: "timestamp_future timestamp_missing timestamp_not_number"},
	{name: "refuses_unknown_events", receiver: &webhooktest.Receiver{Parsed: func(w http.ResponseWriter, body map[string]any, _ *http.Request) bool {
		if body["event_type"] == "work_order.created" {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		return true
	}}, fails: "unknown_event"},
	{name: "hangs_at_the_last_retry", receiver: &webhooktest.Receiver{Before: func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get(webhook.HeaderRetry) != "5" {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return true
	}}, options: []receivetest.CheckOption{
		receivetest.Only("retry", "answer_time"), receivetest.Timeout(500 * time.Millisecond),
		receivetest.NewID(func() string { return "given" }),
	}, fails: "retry answer_time", runs: "retry answer_time", says: []string{
		"did not respond to X-Webhook-Retry: 5: no answer within 500ms", "X-Webhook-ID: whk_given\n",
	}},
	{name: "reveals_the_signature", receiver: &webhooktest.Receiver{Refusal: func(w http.ResponseWriter, want string) {
		http.Error(w, "expected "+want, http.StatusUnauthorized)
	}}, fails: "leak"},

	{name: "selected", receiver: &webhooktest.Receiver{Any: true},
		options: []receivetest.CheckOption{receivetest.Only("signature_*", "raw_body"), receivetest.Skip("*_empty_secret", "*_length")},
		fails:   "signature_missing signature_wrong signature_not_hex signature_other_body",
		runs:    "raw_body signature_missing signature_wrong signature_not_hex signature_uppercase signature_other_body"},
	{name: "unknown_case", receiver: &webhooktest.Receiver{}, options: []receivetest.CheckOption{receivetest.Only("raw_bodi")}, aborts: `"raw_bodi"`},
}

// innerTest is in the environment of the processes of their own that the tests run
// themselves in, where subtests fail.
const innerTest = "WSK_RECEIVETEST_INNER"

func TestCheck_fails_the_case_of_the_fault(t *testing.T) {
	t.Parallel()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if os.Getenv(innerTest) != "" {
				c.receiver.Secret = receivetest.DefaultSecret
				if !c.noEffect {
					c.options = append(c.options, receivetest.Effect(func() int { return int(c.receiver.Effects.Load()) }))
				}
				receivetest.Check(t, c.receiver, c.options...)
				return
			}
			output, passed := runInner(t)
			if wantsPass := c.fails == "" && c.aborts == ""; passed != wantsPass {
				t.Errorf("the test passed: %t, want %t", passed, wantsPass)
			}
			ran, failed, skipped := subtests(t, output)
			if got := strings.Join(failed, " "); got != c.fails {
				t.Errorf("failed %q, want %q", got, c.fails)
			}
			if got := strings.Join(skipped, " "); got != c.skips {
				t.Errorf("skipped %q, want %q", got, c.skips)
			}
			if want := c.ran(); !slices.Equal(ran, want) {
				t.Errorf("ran %q, want %q", ran, want)
			}
			for _, text := range append(c.says, c.aborts) {
				if !strings.Contains(output, text) {
					t.Errorf("it does not say %q", text)
				}
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

// runInner runs the current test in a process of its own.
func runInner(t *testing.T) (output string, passed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inner := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	inner.Env = append(os.Environ(), innerTest+"=1")
	raw, err := inner.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return string(raw), err == nil
}

// subtests returns the names of the subtests of the current test that an inner one
// reports.
func subtests(t *testing.T, output string) (ran, failed, skipped []string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^ +--- (FAIL|PASS|SKIP): `+t.Name()+`/(\S+) `).FindAllStringSubmatch(output, -1) {
		ran = append(ran, found[2])
		switch found[1] {
		case "FAIL":
			failed = append(failed, found[2])
		case "SKIP":
			skipped = append(skipped, found[2])
		}
	}
	return ran, failed, skipped
}
