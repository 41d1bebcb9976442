package webhook_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// An empty signature, a shorter or longer one, and one that is not lowercase hex
// are refused.
func TestVerifierVerify_malformed_signature(t *testing.T) {
	t.Parallel()
	good := signedOrder(t).Get(webhook.HeaderSignature)
	long := strings.Repeat(good, 4)
	check := func(name, signature string, want webhook.Reason) {
		h := signedOrder(t)
		h.Set(webhook.HeaderSignature, signature)
		err := webhook.Verify(h, order, now(), keyFor(t, webhook.TimestampBody))
		if got := reasonOf(err); got != want {
			t.Errorf("%s: reason %q, want %q", name, got, want)
		}
		if got := webhook.StatusOf(err); got != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", name, got)
		}
	}
	check("empty", "", webhook.SignatureMissing)
	for n := 1; n <= 200; n++ {
		if n != len(good) {
			check(fmt.Sprintf("%d digits that begin as the right ones", n), long[:n], webhook.SignatureMalformed)
		}
	}
	check("uppercase", strings.ToUpper(good), webhook.SignatureMalformed)
	check("one digit in uppercase", strings.Replace(good, "a", "A", 1), webhook.SignatureMalformed)
	check("64 characters that are not hex", strings.Repeat("g", 64), webhook.SignatureMalformed)
	check("64 characters beyond ASCII", strings.Repeat("é", 32), webhook.SignatureMalformed)
	check("a space before", " "+good, webhook.SignatureMalformed)
	check("a space after", good+" ", webhook.SignatureMalformed)
	check("a line end after", good+"\n", webhook.SignatureMalformed)
	check("a prefix", "sha256="+good, webhook.SignatureMalformed)
	check("two in a list", good+","+good, webhook.SignatureMalformed)
	check("another one of the right shape", strings.Repeat("0", 64), webhook.SignatureMismatch)
}

func TestVerifierVerify_reads_base64_strictly(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.QuickBooks)
	secret := keyFor(t, s.Name())
	good, err := s.Signature(webhook.Message{Body: order}, secret)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", good[42])
	spare := good[:42] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[last|1]) + "="
	for name, test := range map[string]struct {
		signature string
		want      webhook.Reason
	}{
		"as it was signed":          {good, ""},
		"without padding":           {strings.TrimRight(good, "="), webhook.SignatureMalformed},
		"a line end inside":         {good[:20] + "\n" + good[20:], webhook.SignatureMalformed},
		"a line end after":          {good + "\r\n", webhook.SignatureMalformed},
		"spare bits that are set":   {spare, webhook.SignatureMalformed},
		"one byte too few":          {"AAAA" + good[8:], webhook.SignatureMalformed},
		"hex of the same length":    {strings.Repeat("a", 44), webhook.SignatureMalformed},
		"characters of base64url":   {strings.Repeat("-_", 21) + "-=", webhook.SignatureMalformed},
		"another of the same shape": {strings.Repeat("A", 43) + "=", webhook.SignatureMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set(s.SignatureHeader(), test.signature)
			_, err := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}}.Verify(h, order, now())
			wantReason(t, err, test.want)
		})
	}
}

// A repeated header is refused: net/http's Get returns the first value, and
// another program may read the last.
func TestVerifierVerify_repeated_header(t *testing.T) {
	t.Parallel()
	for _, s := range webhook.Schemes() {
		secret := keyFor(t, s.Name())
		v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: "https://example.com/"}
		for _, name := range []string{s.SignatureHeader(), s.TimestampHeader(), s.IDHeader()} {
			if name == "" {
				continue
			}
			for _, second := range []string{"", "the same", "another"} {
				h := headersOf(t, s, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "msg_1", URL: v.URL}, secret)
				if second == "the same" {
					second = h.Get(name)
				}
				h.Add(name, second)
				_, err := v.Verify(h, order, now())
				var refusal *webhook.Refusal
				if !errors.As(err, &refusal) || refusal.Reason != webhook.HeaderRepeated || refusal.Header != name {
					t.Errorf("%s, %s twice (%q): %v, want it refused as repeated", s.Name(), name, second, err)
				}
				if got := webhook.StatusOf(err); got != http.StatusBadRequest {
					t.Errorf("%s, %s twice: status %d, want 400", s.Name(), name, got)
				}
			}
		}
	}
}

func TestVerifierVerify_missing_header(t *testing.T) {
	t.Parallel()
	for _, s := range webhook.Schemes() {
		secret := keyFor(t, s.Name())
		v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: "https://example.com/"}
		want := map[string]webhook.Reason{s.SignatureHeader(): webhook.SignatureMissing, s.TimestampHeader(): webhook.TimestampMissing, s.IDHeader(): ""}
		if s.Name() == webhook.StandardWebhooks {
			want[s.IDHeader()] = webhook.IDMissing
		}
		delete(want, "")
		for name, reason := range want {
			h := headersOf(t, s, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "msg_1", URL: v.URL}, secret)
			h.Del(name)
			_, err := v.Verify(h, order, now())
			wantReason(t, err, reason)
			h.Set(name, "")
			_, err = v.Verify(h, order, now())
			wantReason(t, err, reason)
			var refusal *webhook.Refusal
			if errors.As(err, &refusal) && refusal.Header != name {
				t.Errorf("%s without %s: the refusal names %q", s.Name(), name, refusal.Header)
			}
		}
	}
}

func TestVerifierVerify_any_secret_in_rotation(t *testing.T) {
	t.Parallel()
	secrets := []webhook.Secret{secretOf(t, "old"), secretOf(t, "workbench-secret-1"), secretOf(t, "new"), secretOf(t, "new")}
	for i, want := range []int{0, 1, 2, 2} { // of two alike the first
		h, err := webhook.Sign(order, now(), secrets[i])
		if err != nil {
			t.Fatal(err)
		}
		proof, err := webhook.Verifier{Secrets: secrets}.Verify(h.HTTP(), order, now())
		if err != nil || proof.Secret != want {
			t.Errorf("signed with %d: proof %+v, %v; want secret %d", i, proof, err, want)
		}
		if err := webhook.Verify(h.HTTP(), order, now(), secrets...); err != nil {
			t.Errorf("signed with %d: %v", i, err)
		}
	}
	h, err := webhook.Sign(order, now(), secretOf(t, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	err = webhook.Verify(h.HTTP(), order, now(), secrets...)
	wantReason(t, err, webhook.SignatureMismatch)
	if !strings.Contains(err.Error(), "any of the 4 secrets") {
		t.Errorf("error %q, want it to count the secrets", err)
	}
}

// A receiver without a secret accepts nothing, not even what was signed with an
// empty one.
func TestVerifierVerify_blank_secret(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]webhook.Secret{
		"none":                   nil,
		"a zero one":             {{}},
		"a zero one behind good": {keyFor(t, webhook.TimestampBody), {}},
	} {
		err := webhook.Verify(signedOrder(t), order, now(), secrets...)
		if reasonOf(err) != webhook.NoSecret || webhook.StatusOf(err) != http.StatusInternalServerError {
			t.Errorf("%s: %v, want it refused for want of a secret", name, err)
		}
	}
}

func TestVerifierVerify_of_a_verifier_at_fault(t *testing.T) {
	t.Parallel()
	square, standard := schemeNamed(t, webhook.Square), schemeNamed(t, webhook.StandardWebhooks)
	h := headersOf(t, square, webhook.Message{Body: order, URL: "https://example.com/"}, secretOf(t, "k"))
	_, err := webhook.Verifier{Scheme: square, Secrets: []webhook.Secret{secretOf(t, "k")}}.Verify(h, order, now())
	if err == nil || !strings.Contains(err.Error(), "no URL was given") || webhook.StatusOf(err) != http.StatusInternalServerError {
		t.Errorf("square without a URL: %v, want an error that names the URL", err)
	}
	h = headersOf(t, standard, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "a"}, keyFor(t, standard.Name()))
	bad := []webhook.Secret{keyFor(t, standard.Name()), secretOf(t, "whsec_n0t base64")}
	if _, err = (webhook.Verifier{Scheme: standard, Secrets: bad}).Verify(h, order, now()); err == nil || strings.Contains(err.Error(), "n0t") {
		t.Errorf("a bad whsec_ secret: %v, want an error that does not show it", err)
	}
}

func TestVerifierVerify_standard_webhooks_list(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.StandardWebhooks)
	secret := keyFor(t, s.Name())
	good := headersOf(t, s, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "msg_1"}, secret).Get(s.SignatureHeader())
	other := "v1," + strings.Repeat("A", 43) + "="
	for name, test := range map[string]struct {
		value string
		want  webhook.Reason
	}{
		"the right one alone":                    {good, ""},
		"the right one last":                     {other + " " + other + " " + good, ""},
		"the right one first":                    {good + " " + other, ""},
		"the right one among other versions":     {"v1a,AAAA " + good + " v2,xyz", ""},
		"the right one among malformed ones":     {"v1,short " + good, ""},
		"wrong ones only":                        {other + " " + other, webhook.SignatureMismatch},
		"the asymmetric version only":            {"v1a," + strings.TrimPrefix(good, "v1,"), webhook.SignatureMalformed},
		"no version":                             {strings.TrimPrefix(good, "v1,"), webhook.SignatureMalformed},
		"a list with commas, as no sender sends": {good + "," + other, webhook.SignatureMalformed},
		"spaces only":                            {"   ", webhook.SignatureMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := headersOf(t, s, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "msg_1"}, secret)
			h.Set(s.SignatureHeader(), test.value)
			_, err := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}}.Verify(h, order, now())
			wantReason(t, err, test.want)
		})
	}
}

// stamps are timestamp headers, and whether they are Unix seconds. Some
// are what ParseInt accepts.
var stamps = map[string]bool{
	"0": true, "1": true, unixTimestamp: true, "4611686018427387904": true, "9223372036854775807": true,
	"": false, "+1772464800": false, "01772464800": false, "00": false, "-1": false, "-0": false, ".5": false,
	"1772464800.5": false, "1772464800.": false, "9223372036854775808": false, "18446744073709551616": false,
	"now": false, "1e9": false, "0x69a5": false, "1_772_464_800": false, "2026-03-02T15:20:00Z": false,
	"١٧٧٢٤٦٤٨٠٠": false, "１７７２４６４８００": false, " 1772464800": false, "1772464800 ": false, "1772464800\n": false, "17724 64800": false,
	"1772464800\x00": false, "1772464800,1772464800": false,
}

func TestMessageTime(t *testing.T) {
	t.Parallel()
	for text, good := range stamps {
		at, ok := webhook.Message{Timestamp: text}.Time()
		if ok != good || ok && fmt.Sprint(at.Unix()) != text {
			t.Errorf("the time of %q is %v, %v; want %v", text, at, ok, good)
		}
	}
}

// The signature covers the malformed timestamp, so that only its shape is wrong.
func TestVerifierVerify_malformed_timestamp(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for text, good := range stamps {
		if good || text == "" {
			continue
		}
		h := headersOf(t, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: order, Timestamp: text}, secret)
		for _, tolerance := range []time.Duration{0, webhook.AnyAge} {
			_, err := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: tolerance}.Verify(h, order, now())
			if reasonOf(err) != webhook.TimestampMalformed || webhook.StatusOf(err) != http.StatusBadRequest {
				t.Errorf("%q with tolerance %v: %v, want it malformed", text, tolerance, err)
			}
		}
		h.Set(webhook.HeaderSignature, strings.Repeat("0", 64))
		wantReason(t, webhook.Verify(h, order, now(), secret), webhook.SignatureMismatch) // the signature is looked at first
	}
}

func TestVerifierVerify_tolerance(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for name, test := range map[string]struct {
		tolerance time.Duration
		age       int64 // seconds from signing to receipt
		want      webhook.Reason
	}{
		"just signed":                           {0, 0, ""},
		"300 s old":                             {0, 300, ""},
		"301 s old":                             {0, 301, webhook.TimestampTooOld},
		"300 s ahead":                           {0, -300, ""},
		"301 s ahead":                           {0, -301, webhook.TimestampTooNew},
		"a custom tolerance, at its edge":       {30 * time.Second, 30, ""},
		"a custom tolerance, past its edge":     {30 * time.Second, 31, webhook.TimestampTooOld},
		"a custom tolerance, ahead":             {30 * time.Second, -31, webhook.TimestampTooNew},
		"a wide tolerance":                      {time.Hour, 3600, ""},
		"a tolerance under a second takes none": {time.Millisecond, 1, webhook.TimestampTooOld},
		"a tolerance under a second takes now":  {time.Millisecond, 0, ""},
		"half a second is not rounded up":       {1500 * time.Millisecond, 2, webhook.TimestampTooOld},
		"any age, in the past":                  {webhook.AnyAge, 1e9, ""},
		"any age, in the future":                {webhook.AnyAge, -1e9, ""},
		"another negative tolerance":            {-5 * time.Minute, 0, webhook.TimestampTooOld},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: test.tolerance}
			proof, err := v.Verify(signedOrder(t), order, time.Unix(signedAt+test.age, 0))
			wantReason(t, err, test.want)
			if proof.Timestamp.Unix() != signedAt {
				t.Errorf("time of signing %v, want %v", proof.Timestamp, now())
			}
			if test.want != "" && webhook.StatusOf(err) != http.StatusBadRequest {
				t.Errorf("status %d, want 400", webhook.StatusOf(err))
			}
		})
	}
}

func TestVerify_ignores_parts_of_a_second(t *testing.T) {
	t.Parallel()
	late := time.Unix(signedAt+300, 999_999_999)
	wantReason(t, webhook.Verify(signedOrder(t), order, late, keyFor(t, webhook.TimestampBody)), "")
}

// TestVerifierVerify_far_timestamps signs the ends of int64 and reads them by
// clocks that are set wrong.
func TestVerifierVerify_far_timestamps(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for _, at := range []int64{0, 1 << 62, math.MaxInt64} {
		text := fmt.Sprint(at)
		h := headersOf(t, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: order, Timestamp: text}, secret)
		for _, clock := range []time.Time{now(), {}, time.Unix(math.MaxInt64, 0), time.Unix(-2, 0)} {
			err := webhook.Verify(h, order, clock, secret)
			inside := clock.Unix() == at || clock.Unix() == -2 && at == 0
			if r := reasonOf(err); inside != (err == nil) || err != nil && r != webhook.TimestampTooOld && r != webhook.TimestampTooNew {
				t.Errorf("signed at %d, read at %d: %v", at, clock.Unix(), err)
			}
		}
		proof, err := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: webhook.AnyAge}.Verify(h, order, now())
		if err != nil || proof.Timestamp.Unix() != at {
			t.Errorf("any age, %d: %v, %v", at, proof.Timestamp.Unix(), err)
		}
	}
}

// reasonOf is the reason of a refusal, or "".
func reasonOf(err error) webhook.Reason {
	var refusal *webhook.Refusal
	if !errors.As(err, &refusal) {
		return ""
	}
	return refusal.Reason
}

// statuses is the answer to each reason.
var statuses = map[webhook.Reason]int{
	webhook.NoSecret:           500,
	webhook.HeaderRepeated:     400,
	webhook.SignatureMissing:   401,
	webhook.SignatureMalformed: 401,
	webhook.TimestampMissing:   400,
	webhook.IDMissing:          400,
	webhook.SignatureMismatch:  401,
	webhook.TimestampMalformed: 400,
	webhook.TimestampTooOld:    400,
	webhook.TimestampTooNew:    400,
	"one of a later wsk":       401,
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for reason, want := range statuses {
		refusal := &webhook.Refusal{Reason: reason, Detail: "a sentence"}
		for _, err := range []error{refusal, fmt.Errorf("receiving: %w", refusal), errors.Join(io.EOF, refusal)} {
			if got := webhook.StatusOf(err); got != want {
				t.Errorf("%s: status %d, want %d", reason, got, want)
			}
			if !errors.Is(err, reason) {
				t.Errorf("%v is not %s", err, reason)
			}
			if errors.Is(err, webhook.Reason("another")) {
				t.Errorf("%v is another reason as well", err)
			}
		}
		if refusal.Error() != "a sentence" || reason.Error() != string(reason) {
			t.Errorf("%s: texts %q and %q", reason, refusal.Error(), reason.Error())
		}
	}
	for _, err := range []error{io.EOF, webhook.ErrBlankSecret, nil} {
		if got := webhook.StatusOf(err); got != 500 {
			t.Errorf("%v: status %d, want 500", err, got)
		}
	}
}

// TestVerifierVerify_reports_the_first_fault gives requests with every fault from one on:
// the reason is the earliest in the documented order.
func TestVerifierVerify_reports_the_first_fault(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.StandardWebhooks)
	secret := keyFor(t, s.Name())
	faults := []struct {
		reason webhook.Reason
		apply  func(h map[string][]string)
	}{
		{webhook.HeaderRepeated, func(h map[string][]string) { h["Webhook-Id"] = []string{"a", "b"} }},
		{webhook.SignatureMissing, func(h map[string][]string) { delete(h, "Webhook-Signature") }},
		{webhook.SignatureMalformed, func(h map[string][]string) { h["Webhook-Signature"] = []string{"v1,short"} }},
		{webhook.TimestampMissing, func(h map[string][]string) { delete(h, "Webhook-Timestamp") }},
		{webhook.IDMissing, func(h map[string][]string) { delete(h, "Webhook-Id") }},
		{webhook.SignatureMismatch, func(h map[string][]string) { h["Webhook-Timestamp"] = []string{"+1"} }},
	}
	for i := range faults {
		h := headersOf(t, s, webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "a"}, secret)
		for j := len(faults) - 1; j >= i; j-- { // so that the earliest is applied last
			faults[j].apply(h)
		}
		_, err := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}}.Verify(h, order, now())
		wantReason(t, err, faults[i].reason)
		_, err = webhook.Verifier{Scheme: s}.Verify(h, order, now())
		wantReason(t, err, webhook.NoSecret)
	}
}

// Every single bit of body, timestamp, id and signature of a small message is
// flipped, in each scheme that signs them.
func TestVerify_refuses_every_flipped_bit(t *testing.T) {
	t.Parallel()
	body := []byte(`{"event":"a.b","n":5000.00}`)
	for _, s := range webhook.Schemes() {
		t.Run(s.Name(), func(t *testing.T) {
			t.Parallel()
			p := newProof(t, s, body)
			if err := p.verify(p.header, body); err != nil {
				t.Fatal(err)
			}
			for bit := range 8 * len(body) {
				if p.verify(p.header, flip(body, bit)) == nil {
					t.Errorf("bit %d of the body flipped, and accepted", bit)
				}
			}
			for _, name := range p.signed {
				for bit := range 8 * len(p.header.Get(name)) {
					if p.verify(p.flipped(name, bit), body) == nil {
						t.Errorf("bit %d of %s flipped, and accepted", bit, name)
					}
				}
			}
		})
	}
}

// TestVerify_refuses_random_flips does the same with larger messages: a random
// bit, and cuts and additions, which a bit cannot be.
func TestVerify_refuses_random_flips(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(55, 0))
	for _, s := range webhook.Schemes() {
		for range 200 {
			body := make([]byte, 1+random.IntN(4096))
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			p := newProof(t, s, body)
			if err := p.verify(p.header, body); err != nil {
				t.Fatalf("%s: %v", s.Name(), err)
			}
			at := random.IntN(len(body))
			changed := map[string][]byte{
				"a bit flipped":      flip(body, random.IntN(8*len(body))),
				"a byte added":       append(bytes.Clone(body), byte(random.Uint32())),
				"a byte put in":      append(append(bytes.Clone(body[:at]), 0), body[at:]...),
				"cut off":            body[:at],
				"without its start":  body[at+1:],
				"a line end added":   append(bytes.Clone(body), '\n'),
				"twice, as one body": append(bytes.Clone(body), body...),
			}
			for how, other := range changed {
				if p.verify(p.header, other) == nil {
					t.Errorf("%s: a body of %d bytes, %s at %d, and accepted", s.Name(), len(body), how, at)
				}
			}
			name := p.signed[random.IntN(len(p.signed))]
			bit := random.IntN(8 * len(p.header.Get(name)))
			if p.verify(p.flipped(name, bit), body) == nil {
				t.Errorf("%s: bit %d of %s flipped, and accepted", s.Name(), bit, name)
			}
		}
	}
}

func TestVerifierVerify_square_refuses_another_URL(t *testing.T) {
	t.Parallel()
	p := newProof(t, schemeNamed(t, webhook.Square), order)
	for bit := range 8 * len(p.verifier.URL) {
		other := p
		other.verifier.URL = string(flip([]byte(p.verifier.URL), bit))
		wantReason(t, other.verify(p.header, order), webhook.SignatureMismatch)
	}
}

// proof is a signed request and who verifies it, of whatever age.
type proof struct {
	header   http.Header
	signed   []string // names of the headers that must not change
	verifier webhook.Verifier
}

func newProof(t testing.TB, s webhook.Scheme, body []byte) proof {
	t.Helper()
	secret := keyFor(t, s.Name())
	m := webhook.Message{Body: body, Timestamp: unixTimestamp, ID: "msg_1", URL: "https://example.com/hook"}
	p := proof{
		header:   headersOf(t, s, m, secret),
		signed:   []string{s.SignatureHeader()},
		verifier: webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: m.URL, Tolerance: webhook.AnyAge},
	}
	if s.TimestampHeader() != "" {
		p.signed = append(p.signed, s.TimestampHeader())
	}
	if s.Name() == webhook.StandardWebhooks {
		p.signed = append(p.signed, s.IDHeader())
	}
	return p
}

func (p proof) verify(h http.Header, body []byte) error {
	_, err := p.verifier.Verify(h, body, now())
	return err
}

// flipped is the header with one bit of one value changed.
func (p proof) flipped(name string, bit int) http.Header {
	h := p.header.Clone()
	h.Set(name, string(flip([]byte(h.Get(name)), bit)))
	return h
}

func flip(b []byte, bit int) []byte {
	out := bytes.Clone(b)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

// request is what a receiver sees of a signed request, and its clock.
type request struct {
	scheme                   string
	secret                   string
	body                     []byte
	timestamp, id, url, sign string
	clock                    int64
}

// byHand computes HMAC-SHA256 from RFC 2104, on nothing but SHA-256.
func byHand(key, message []byte) []byte {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	inner, outer := make([]byte, sha256.BlockSize), make([]byte, sha256.BlockSize)
	copy(inner, key)
	copy(outer, key)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := sha256.Sum256(append(inner, message...))
	sum = sha256.Sum256(append(outer, sum[:]...))
	return sum[:]
}

// signature is the one header value that is right, or "" when the secret or
// the URL is unfit. It is written from the documents, not from the product.
func (r request) signature() string {
	switch r.scheme {
	case "timestamp.body":
		return hex.EncodeToString(byHand([]byte(r.secret), append([]byte(r.timestamp+"."), r.body...)))
	case "body":
		return hex.EncodeToString(byHand([]byte(r.secret), r.body))
	case "square":
		if r.url == "" {
			return ""
		}
		return base64.StdEncoding.EncodeToString(byHand([]byte(r.secret), append([]byte(r.url), r.body...)))
	case "quickbooks":
		return base64.StdEncoding.EncodeToString(byHand([]byte(r.secret), r.body))
	case "standard-webhooks":
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return ""
		}
		return "v1," + base64.StdEncoding.EncodeToString(byHand(key, append([]byte(r.id+"."+r.timestamp+"."), r.body...)))
	}
	panic("no rule for scheme " + r.scheme)
}

var unixSeconds = regexp.MustCompile(`\A(0|[1-9][0-9]*)\z`)

// inWindow reports by big numbers whether the timestamp is at most 300 s from
// the clock.
func (r request) inWindow() bool {
	at, ok := new(big.Int).SetString(r.timestamp, 10)
	if !ok || !unixSeconds.MatchString(r.timestamp) || !at.IsInt64() {
		return false
	}
	return at.Sub(at, big.NewInt(r.clock)).CmpAbs(big.NewInt(300)) <= 0
}

func (r request) good() bool {
	right := r.signature()
	switch r.scheme {
	case "standard-webhooks":
		return right != "" && r.id != "" && slices.Contains(strings.Fields(r.sign), right) && r.inWindow()
	case "timestamp.body":
		return r.sign == right && r.inWindow()
	}
	return right != "" && r.sign == right
}

func (r request) header(s webhook.Scheme) http.Header {
	h := http.Header{}
	h.Set(s.SignatureHeader(), r.sign)
	if s.TimestampHeader() != "" {
		h.Set(s.TimestampHeader(), r.timestamp)
	}
	if s.IDHeader() != "" {
		h.Set(s.IDHeader(), r.id)
	}
	return h
}

// FuzzVerify signs by hand when asked to, so that the fuzzer gets past the
// signature, and holds that Verify accepts exactly what the rule by hand does.
func FuzzVerify(f *testing.F) {
	names := schemeNames()
	for _, v := range vectors(f) {
		body, err := base64.StdEncoding.DecodeString(v.Body)
		if err != nil {
			f.Fatal(err)
		}
		i := uint8(slices.Index(names, v.Scheme))
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, v.Signature, false, signedAt)
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, strings.ToUpper(v.Signature), false, signedAt)
		f.Add(i, v.Secret, body, v.Timestamp, v.ID, v.URL, "v1,AAAA "+v.Signature, false, signedAt)
	}
	for text := range stamps {
		f.Add(uint8(0), "k", order, text, "", "", "", true, signedAt)
		f.Add(uint8(4), "aw==", order, text, "msg_1", "", " v1a,x", true, signedAt)
	}
	f.Fuzz(func(t *testing.T, scheme uint8, secret string, body []byte, unixTimestamp, id, url, signature string, sign bool, clock int64) {
		r := request{names[int(scheme)%len(names)], secret, body, unixTimestamp, id, url, signature, clock % (1 << 60)}
		if sign {
			r.sign = r.signature() + r.sign
		}
		s := schemeNamed(t, r.scheme)
		key, err := webhook.NewSecret(secret)
		if err != nil {
			return
		}
		v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{key}, URL: r.url}
		proof, err := v.Verify(r.header(s), r.body, time.Unix(r.clock, 0))
		if (err == nil) != r.good() {
			t.Fatalf("%+v: %v, want good to be %v", r, err, r.good())
		}
		if err == nil && s.TimestampHeader() != "" && webhook.FormatTimestamp(proof.Timestamp) != r.timestamp {
			t.Fatalf("%+v: proof of %v", r, proof.Timestamp)
		}
		if status := webhook.StatusOf(err); err != nil && status != 400 && status != 401 && status != 500 {
			t.Fatalf("%+v: status %d", r, status)
		}
	})
}

func TestVerifierCheckTimestamp(t *testing.T) {
	t.Parallel()
	name := webhook.HeaderTimestamp
	for text, want := range map[string]struct {
		values []string
		reason webhook.Reason
	}{
		"now":       {[]string{unixTimestamp}, ""},
		"missing":   {nil, webhook.TimestampMissing},
		"empty":     {[]string{""}, webhook.TimestampMissing},
		"repeated":  {[]string{unixTimestamp, unixTimestamp}, webhook.HeaderRepeated},
		"malformed": {[]string{unixTimestamp + ".0"}, webhook.TimestampMalformed},
		"too old":   {[]string{fmt.Sprint(signedAt - 301)}, webhook.TimestampTooOld},
		"too new":   {[]string{fmt.Sprint(signedAt + 301)}, webhook.TimestampTooNew},
	} {
		at, err := webhook.Verifier{}.CheckTimestamp(http.Header{name: want.values}, name, now())
		wantReason(t, err, want.reason)
		if want.reason == "" && at.Unix() != signedAt {
			t.Errorf("%s: %v", text, at)
		}
	}
}

func TestVerify_allocates_nothing(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("under the race detector a sync.Pool forgets at random")
	}
	for _, scheme := range webhook.Schemes() {
		m := webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "wh_1", URL: "https://example.com/hook"}
		secret := keyFor(t, scheme.Name())
		h := headersOf(t, scheme, m, secret)
		v := webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{secret}, URL: m.URL}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := v.Verify(h, order, now()); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: %g allocations", scheme.Name(), n)
		}
	}
	h, secret := signedOrder(t), keyFor(t, webhook.TimestampBody)
	if n := testing.AllocsPerRun(100, func() { _ = webhook.Verify(h, order, now(), secret) }); n != 0 {
		t.Errorf("the function Verify: %g allocations", n)
	}
}
