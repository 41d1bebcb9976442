package receive_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// THREATS row 1.
func TestNewRefusesToVerifyNothing(t *testing.T) {
	good := webhooktest.Secret(t, sharedSecret)
	tests := []struct {
		name string
		c    receive.Config
		want error
	}{
		{"no secret", receive.Config{}, receive.ErrNoSecret},
		{"an empty list of secrets", receive.Config{Verifier: webhook.Verifier{Secrets: []webhook.Secret{}}}, receive.ErrNoSecret},
		{"a zero secret", receive.Config{Verifier: webhook.Verifier{Secrets: make([]webhook.Secret, 1)}}, webhook.ErrBlankSecret},
		{"a zero secret behind a good one", receive.Config{Verifier: webhook.Verifier{Secrets: []webhook.Secret{good, {}}}}, webhook.ErrBlankSecret},
		{"a zero secret beside SkipVerify", receive.Config{SkipVerify: true, Verifier: webhook.Verifier{Secrets: make([]webhook.Secret, 1)}}, webhook.ErrBlankSecret},
		{"a good secret", receive.Config{Verifier: webhook.Verifier{Secrets: []webhook.Secret{good}}}, nil},
		{"no secret with SkipVerify", receive.Config{SkipVerify: true}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handler, err := receive.New(tt.c)
			if !errors.Is(err, tt.want) || (handler == nil) != (tt.want != nil) {
				t.Errorf("New returned %v, %v; want the error %v", handler, err, tt.want)
			}
		})
	}
	for _, blank := range []string{"", " ", "\t\r\n", "\u00a0"} {
		if _, err := webhook.NewSecret(blank); !errors.Is(err, webhook.ErrBlankSecret) {
			t.Errorf("NewSecret(%q) returned %v", blank, err)
		}
	}
}

func TestNewDefaults(t *testing.T) {
	var records []webhook.Record
	handler, err := receive.New(receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(t, sharedSecret)}},
		Sink:     func(r webhook.Record) { records = append(records, r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	for _, id := range []string{"one", "two"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, post(header(id, payload, before), payload))
		before = before.Add(time.Second) // another timestamp, so another delivery
	}
	if len(records) != 2 {
		t.Fatalf("%d records", len(records))
	}
	for _, r := range records {
		if r.Verdict.Outcome != webhook.Accepted || time.Since(r.Time).Abs() > time.Minute || len(r.ID) != len("rec_")+26 {
			t.Errorf("recorded as %q at %s, %+v", r.ID, r.Time, r.Verdict)
		}
	}
	if records[0].ID == records[1].ID {
		t.Errorf("both records are %s", records[0].ID)
	}
}

// New refuses to make such a handler. It would refuse every request as well.
func TestHandlerWithoutSecretsAcceptsNothing(t *testing.T) {
	r := newReceiver(t, nil)
	r.DropSecrets()
	wantAnswer(t, r.deliver("a", payload, clock), 500, `{"error":"No secret to verify with"}`)
	wantCalls(t, r, 0)
}

// THREATS row 2.
func TestHandlerRefusesAnIncompleteSignature(t *testing.T) {
	timestamp := webhook.FormatTimestamp(clock)
	good := webhooktest.HexHMAC(sharedSecret, timestamp+"."+payload)
	tests := map[string]string{
		"empty": "", "one space": " ",
		"65 digits": good + "0", "66 digits": good + "00", "twice over": good + good,
		"upper case": strings.ToUpper(good), "not hex": strings.Repeat("g", 64),
		"one letter not hex": good[:63] + "z", "prefixed": "sha256=" + good,
		"a space behind": good + " ", "a line break behind": good + "\n", "a NUL behind": good + "\x00",
		"two, with a comma": good + "," + good, "raw digest": string(webhooktest.HMAC(sharedSecret, timestamp+"."+payload)),
		"of another secret": webhooktest.HexHMAC("another", timestamp+"."+payload), "of the body alone": webhooktest.HexHMAC(sharedSecret, payload),
		"all zeros": strings.Repeat("0", 64),
	}
	for n := 1; n < 64; n++ {
		tests[fmt.Sprintf("the first %d digits", n)] = good[:n]
	}
	for i := range good {
		flipped := []byte(good)
		flipped[i] = "0123456789abcdef"[(strings.IndexByte("0123456789abcdef", good[i])+1)%16]
		tests[fmt.Sprintf("digit %d is another", i+1)] = string(flipped)
	}
	r := newReceiver(t, nil)
	for name, signature := range tests {
		t.Run(name, func(t *testing.T) {
			h := header("a", payload, clock)
			h.Set(webhook.HeaderSignature, signature)
			wantAnswer(t, r.answerTo(post(h, payload)), 401, invalidSignature)
			if v := r.last(t).Verdict; v.Outcome != webhook.Refused || v.Verified {
				t.Errorf("verdict %+v", v)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		h := header("a", payload, clock)
		h.Del(webhook.HeaderSignature)
		wantAnswer(t, r.answerTo(post(h, payload)), 401, invalidSignature)
	})
	wantCalls(t, r, 0)
	wantAnswer(t, r.deliver("a", payload, clock), 200, taken)
}

// THREATS row 4.
func TestHandlerAcceptsTimestampsWithinTheTolerance(t *testing.T) {
	tests := []struct {
		tolerance time.Duration
		offset    int
		status    int
	}{
		{0, -300, 200}, {0, -301, 400}, {0, 0, 200}, {0, 300, 200}, {0, 301, 400},
		{10 * time.Second, -10, 200}, {10 * time.Second, -11, 400}, {10 * time.Second, 10, 200}, {10 * time.Second, 11, 400},
		{webhook.AnyAge, -1e9, 200}, {webhook.AnyAge, 1e9, 200},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%+d s with a tolerance of %s is %d", tt.offset, tt.tolerance, tt.status), func(t *testing.T) {
			r := newReceiver(t, func(c *receive.Config) { c.Verifier.Tolerance = tt.tolerance })
			got := r.deliver("a", payload, clock.Add(time.Duration(tt.offset)*time.Second))
			if got.Code != tt.status {
				t.Errorf("answered %d %s, want %d", got.Code, got.Body, tt.status)
			}
			wantCalls(t, r, map[int]int{200: 1, 400: 0}[tt.status])
		})
	}
}

// THREATS row 5. Each is signed as it is, so that only the text is wrong.
func TestHandlerRefusesTimestampsOtherThanPlainSeconds(t *testing.T) {
	now := webhook.FormatTimestamp(clock)
	stamps := []string{
		"+" + now, "-" + now, "0" + now, "-1", ".5", now + ".0", now + ".5", "00", "1e9", "0x69690000", now + "s", " " + now, now + " ",
		"1_768_487_400", "４２", "now", "NaN", clock.Format(time.RFC3339), now + "000",
		"4611686018427387904", "9223372036854775807", "9223372036854775808", "18446744073709551616", strings.Repeat("9", 400),
	}
	r := newReceiver(t, nil)
	for _, timestamp := range stamps {
		t.Run(timestamp, func(t *testing.T) {
			got := r.answerTo(post(signedWith("a", payload, timestamp), payload))
			if got.Code != 400 {
				t.Errorf("answered %d %s, want 400", got.Code, got.Body)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		h := header("a", payload, clock)
		h.Del(webhook.HeaderTimestamp)
		wantAnswer(t, r.answerTo(post(h, payload)), 400, `{"error":"The header X-Webhook-Timestamp is missing or empty"}`)
	})
	wantCalls(t, r, 0)
}

// THREATS row 6.
func TestHandlerRefusesARepeatedHeader(t *testing.T) {
	for _, name := range []string{webhook.HeaderSignature, webhook.HeaderTimestamp, webhook.HeaderID} {
		for kind, second := range map[string]func(string) string{
			"the same value": func(v string) string { return v },
			"another value":  func(string) string { return "other" },
			"an empty value": func(string) string { return "" },
		} {
			for place, join := range map[string]func(good, more string) []string{
				"behind": func(good, more string) []string { return []string{good, more} },
				"before": func(good, more string) []string { return []string{more, good} },
			} {
				t.Run(name+" with "+kind+" "+place, func(t *testing.T) {
					r := newReceiver(t, nil)
					h := header("a", payload, clock)
					good := h.Get(name)
					h[http.CanonicalHeaderKey(name)] = join(good, second(good))
					wantAnswer(t, r.answerTo(post(h, payload)), 400, `{"error":"The header `+name+` occurs more than once"}`)
					wantCalls(t, r, 0)
				})
			}
		}
	}
}
