package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// requestWith is a signed WorkSkedge request with other headers in it.
func requestWith(t *testing.T, s webhook.Scheme, pairs ...string) (webhook.Verifier, webhook.Request) {
	t.Helper()
	message := webhook.Message{Body: []byte(testBody), Timestamp: testTimestamp, ID: testID, URL: testURL}
	secret := secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk=")
	value, err := s.Signature(message, secret)
	if err != nil {
		t.Fatal(err)
	}
	h := webhook.Header{{Name: s.SignatureHeader(), Value: value}}
	for name, value := range map[string]string{s.TimestampHeader(): testTimestamp, s.IDHeader(): testID} {
		if name != "" {
			h = append(h, webhook.Pair{Name: name, Value: value})
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if h = h.Without(pairs[i]); pairs[i+1] != "" {
			h = h.With(pairs[i], pairs[i+1])
		}
	}
	return webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: testURL}, webhook.Request{Header: h, Body: []byte(testBody)}
}

func TestRefusal(t *testing.T) {
	unrelatedHex := strings.Repeat("0f", 32)
	for _, test := range []struct {
		name    string
		scheme  string
		pairs   []string // headers that are replaced, or removed where the value is ""
		reason  webhook.Reason
		want    string
		certain bool
	}{
		{"no secret", webhook.TimestampBody, nil, webhook.NoSecret, "secret.none", true},
		{"a header twice", webhook.TimestampBody, nil, webhook.HeaderRepeated, "header.repeated", true},
		{"no signature", webhook.TimestampBody, []string{webhook.HeaderSignature, ""}, webhook.SignatureMissing, "header.signature_missing", true},
		{"a word for a signature", webhook.TimestampBody, []string{webhook.HeaderSignature, "undefined"}, webhook.SignatureMalformed, "encoding.placeholder", false},
		{"a text for a signature", webhook.QuickBooks, []string{"intuit-signature", "hello"}, webhook.SignatureMalformed, "encoding.unknown", false},
		{"no timestamp", webhook.TimestampBody, []string{webhook.HeaderTimestamp, ""}, webhook.TimestampMissing, "time.timestamp_missing", true},
		{"no id", webhook.StandardWebhooks, []string{"webhook-id", ""}, webhook.IDMissing, "header.id_missing", true},
		{"an unknown signature", webhook.TimestampBody, []string{webhook.HeaderSignature, unrelatedHex}, webhook.SignatureMismatch, "signature.unexplained", false},
		{"an unknown signature over milliseconds", webhook.TimestampBody, []string{webhook.HeaderSignature, unrelatedHex, webhook.HeaderTimestamp, testTimestamp + "789"}, webhook.SignatureMismatch, "time.milliseconds", false},
		{"milliseconds, signed", webhook.TimestampBody, []string{webhook.HeaderTimestamp, testTimestamp + "789"}, webhook.TimestampTooNew, "time.milliseconds", true},
		{"another timestamp", webhook.TimestampBody, []string{webhook.HeaderTimestamp, testTimestamp + "789"}, webhook.SignatureMismatch, "content.seconds", true},
		{"a timestamp that is a date", webhook.TimestampBody, nil, webhook.TimestampMalformed, "time.timestamp_malformed", true},
		{"an old timestamp", webhook.TimestampBody, nil, webhook.TimestampTooOld, "time.timestamp_too_old", true},
		{"a future timestamp", webhook.TimestampBody, nil, webhook.TimestampTooNew, "time.timestamp_too_new", true},
		{"a refusal for another reason", webhook.TimestampBody, nil, "size", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := webhook.SchemeNamed(test.scheme)
			if err != nil {
				t.Fatal(err)
			}
			v, r := requestWith(t, s, test.pairs...)
			d := Refusal(v, r, test.reason)
			if d == nil {
				d = &webhook.Diagnosis{}
			}
			if d.ID != test.want || d.Certain != test.certain {
				t.Fatalf("got %+v, want %q, certain %v", d, test.want, test.certain)
			}
			for _, text := range []string{d.Summary, d.Fix} {
				if (text == "") != (test.want == "") || strings.HasSuffix(text, ".") {
					t.Errorf("not one sentence without a period: %q", text)
				}
			}
		})
	}
}

func TestRefusal_previous_secret(t *testing.T) {
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	old := v.Secrets[0]
	v.Secrets = []webhook.Secret{secretOf("the new one")}
	if d := Refusal(v, r, webhook.SignatureMismatch); d == nil || d.ID != "signature.unexplained" {
		t.Errorf("without the previous secret: %+v", d)
	}
	if d := Refusal(v, r, webhook.SignatureMismatch, old); d == nil || d.ID != "secret.previous" {
		t.Errorf("with the previous secret: %+v", d)
	}
}

func TestLimiter(t *testing.T) {
	var l Limiter
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	r.Body = append(r.Body, '\n')
	if d := l.Refusal(v, r, webhook.SignatureMismatch); d == nil || d.ID != "body.newline_added" {
		t.Errorf("an idle limiter: %+v", d)
	}
	l.searching.Lock()
	if d := l.Refusal(v, r, webhook.SignatureMismatch); d != nil {
		t.Errorf("while another search runs: %+v", d)
	}
	if d := l.Refusal(v, r, webhook.TimestampTooOld); d == nil {
		t.Error("a reason that needs no search waits for one")
	}
	l.searching.Unlock()
	r.Body = make([]byte, maxLimited+1)
	if d := l.Refusal(v, r, webhook.SignatureMissing); d != nil {
		t.Errorf("a large body: %+v", d)
	}
}

// A timestamp in another unit is named, in its unit, beside what else is wrong.
func TestRefusal_names_the_unit_of_a_timestamp(t *testing.T) {
	for unit, timestamp := range map[string]string{
		"milliseconds": testTimestamp + "789", "microseconds": testTimestamp + "789000", "nanoseconds": testTimestamp + "789000123",
	} {
		v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
		r.Header = r.Header.With(webhook.HeaderTimestamp, timestamp)
		signed := webhook.Message{Body: r.Body, Timestamp: timestamp}
		if d := Refusal(v, r, webhook.TimestampTooNew); d == nil || d.ID != "time.milliseconds" || !strings.Contains(d.Summary, "is in "+unit) {
			t.Errorf("%s, signed: %+v", unit, d)
		}
		signed.Body = append(slices.Clone(r.Body), '\n')
		signature, err := v.Scheme.Signature(signed, v.Secrets[0])
		if err != nil {
			t.Fatal(err)
		}
		r.Header = r.Header.With(webhook.HeaderSignature, signature)
		if d := Refusal(v, r, webhook.SignatureMismatch); d == nil || d.ID != "body.newline_missing" || !d.Certain || !strings.Contains(d.Summary, "the timestamp is in "+unit) {
			t.Errorf("%s, and a newline: %+v", unit, d)
		}
	}
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	r.Header = r.Header.With(webhook.HeaderTimestamp, testTimestamp+".5")
	if d := Refusal(v, r, webhook.TimestampMalformed); d == nil || !strings.Contains(d.Summary, "fraction of a second") {
		t.Errorf("a fraction: %+v", d)
	}
}

// Line breaks that curl -d dropped are put back; where blank lines or comments make
// that impossible, the shape of the body is the hint.
func TestRefusal_line_breaks_dropped(t *testing.T) {
	v, r := requestWith(t, webhook.SchemeFor(webhook.WorkSkedge))
	r.Body = []byte(`{  "a": 1,    "b": 2}`) // a blank line, and another indentation
	d := Refusal(v, r, webhook.SignatureMismatch)
	if d == nil || d.ID != "body.newlines_dropped" || d.Certain || !strings.Contains(d.Summary, "curl -d @FILE") {
		t.Errorf("%+v", d)
	}
}
