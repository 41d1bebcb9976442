package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// TestSignaturesOfAnotherShapeAreRefused holds row 2 of the threats: an empty
// signature, a shorter or longer one, and one that is not lowercase hex.
func TestSignaturesOfAnotherShapeAreRefused(t *testing.T) {
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

func TestSignaturesInBase64AreReadStrictly(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.QuickBooks)
	secret := keyFor(t, s.Name())
	good, err := s.Sign(webhook.Message{Body: order}, secret)
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

// TestARepeatedHeaderIsRefused holds row 6: net/http's Get sees the first
// value only, and another program may see the last.
func TestARepeatedHeaderIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range webhook.Schemes() {
		secret := keyFor(t, s.Name())
		v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: "https://example.com/"}
		for _, name := range []string{s.SignatureHeader(), s.TimestampHeader(), s.IDHeader()} {
			if name == "" {
				continue
			}
			for _, second := range []string{"", "the same", "another"} {
				h := headersOf(t, s, webhook.Message{Body: order, Timestamp: stamp, ID: "msg_1", URL: v.URL}, secret)
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

func TestAMissingHeaderIsNamed(t *testing.T) {
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
			h := headersOf(t, s, webhook.Message{Body: order, Timestamp: stamp, ID: "msg_1", URL: v.URL}, secret)
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

func TestAnySecretInRotationMatches(t *testing.T) {
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

// TestABlankSecretNeverVerifies holds row 1: a receiver without a secret takes
// nothing, not even what was signed with an empty one.
func TestABlankSecretNeverVerifies(t *testing.T) {
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

func TestAVerifierAtFaultSaysSo(t *testing.T) {
	t.Parallel()
	square, standard := schemeNamed(t, webhook.Square), schemeNamed(t, webhook.StandardWebhooks)
	h := headersOf(t, square, webhook.Message{Body: order, URL: "https://example.com/"}, secretOf(t, "k"))
	_, err := webhook.Verifier{Scheme: square, Secrets: []webhook.Secret{secretOf(t, "k")}}.Verify(h, order, now())
	if err == nil || !strings.Contains(err.Error(), "no URL was given") || webhook.StatusOf(err) != http.StatusInternalServerError {
		t.Errorf("square without a URL: %v, want an error that names the URL", err)
	}
	h = headersOf(t, standard, webhook.Message{Body: order, Timestamp: stamp, ID: "a"}, keyFor(t, standard.Name()))
	bad := []webhook.Secret{keyFor(t, standard.Name()), secretOf(t, "whsec_n0t base64")}
	if _, err = (webhook.Verifier{Scheme: standard, Secrets: bad}).Verify(h, order, now()); err == nil || strings.Contains(err.Error(), "n0t") {
		t.Errorf("a bad whsec_ secret: %v, want an error that does not show it", err)
	}
}

func TestStandardWebhooksReadsAList(t *testing.T) {
	t.Parallel()
	s := schemeNamed(t, webhook.StandardWebhooks)
	secret := keyFor(t, s.Name())
	good := headersOf(t, s, webhook.Message{Body: order, Timestamp: stamp, ID: "msg_1"}, secret).Get(s.SignatureHeader())
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
			h := headersOf(t, s, webhook.Message{Body: order, Timestamp: stamp, ID: "msg_1"}, secret)
			h.Set(s.SignatureHeader(), test.value)
			_, err := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}}.Verify(h, order, now())
			wantReason(t, err, test.want)
		})
	}
}
