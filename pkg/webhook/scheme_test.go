package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestScheme_verifies_what_it_signed(t *testing.T) {
	t.Parallel()
	bodies := map[string][]byte{
		"an event":                 order,
		"an empty body":            {},
		"no body":                  nil,
		"bytes that are not UTF-8": {0, 0xff, 0xfe, '.', '\r', '\n', 0x80},
		"a mebibyte":               []byte(strings.Repeat("0123456789abcdef", 1<<16)),
	}
	for _, s := range append(webhook.Schemes(), schemeNamed(t, webhook.BodyOnly).On(webhook.Worksome)) {
		for name, body := range bodies {
			t.Run(s.Name()+" in "+s.SignatureHeader()+" over "+name, func(t *testing.T) {
				t.Parallel()
				secret := keyFor(t, s.Name())
				m := webhook.Message{Body: body, Timestamp: unixTimestamp, ID: "msg_1", URL: "https://example.com/hook"}
				h := headersOf(t, s, m, secret)
				v := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secret}, URL: m.URL}
				proof, err := v.Verify(h, body, now())
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if want := (time.Time{}); s.TimestampHeader() == "" && proof.Timestamp != want {
					t.Errorf("time of signing %v, want none", proof.Timestamp)
				}
				if s.TimestampHeader() != "" && proof.Timestamp.Unix() != signedAt {
					t.Errorf("time of signing %v, want %v", proof.Timestamp, now())
				}
			})
		}
	}
}

func TestSchemeContent(t *testing.T) {
	t.Parallel()
	m := webhook.Message{Body: []byte("BODY"), Timestamp: "17", ID: "ID", URL: "URL"}
	for name, want := range map[string]string{
		webhook.TimestampBody:    "17.BODY",
		webhook.BodyOnly:         "BODY",
		webhook.Square:           "URLBODY",
		webhook.QuickBooks:       "BODY",
		webhook.StandardWebhooks: "ID.17.BODY",
	} {
		if got := string(schemeNamed(t, name).Content(m)); got != want {
			t.Errorf("%s signs %q, want %q", name, got, want)
		}
	}
}

func TestSchemeHeaders(t *testing.T) {
	t.Parallel()
	full := webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "wh_1", URL: "https://example.com/"}
	noID := full
	noID.ID = ""
	worksome := schemeNamed(t, webhook.BodyOnly).On(webhook.Worksome)
	tests := map[string]struct {
		scheme  webhook.Scheme
		message webhook.Message
		want    string
	}{
		"the default has id, timestamp, signature": {webhook.SchemeFor(webhook.WorkSkedge), full, "X-Webhook-ID X-Webhook-Timestamp X-Webhook-Signature"},
		"a message without id has no id line":      {webhook.SchemeFor(webhook.WorkSkedge), noID, "X-Webhook-Timestamp X-Webhook-Signature"},
		"body has no timestamp":                    {schemeNamed(t, webhook.BodyOnly), full, "X-Webhook-ID X-Webhook-Signature"},
		"Worksome has one header":                  {worksome, full, "Signature"},
		"square has its own header":                {schemeNamed(t, webhook.Square), full, "x-square-hmacsha256-signature"},
		"quickbooks has Intuit's header":           {schemeNamed(t, webhook.QuickBooks), full, "intuit-signature"},
		"standard-webhooks has its three":          {schemeNamed(t, webhook.StandardWebhooks), full, "webhook-id webhook-timestamp webhook-signature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := test.scheme.Headers(test.message, keyFor(t, test.scheme.Name()))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range h {
				names = append(names, p.Name)
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("headers %q, want %q", got, test.want)
			}
		})
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 15, 20, 0, 999, time.FixedZone("", -7*3600))
	h, err := webhook.Sign(order, at, keyFor(t, webhook.TimestampBody))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Get("x-webhook-timestamp"), "1772490000"; got != want {
		t.Errorf("timestamp %q, want %q: seconds, whatever the zone", got, want)
	}
	if err := webhook.Verify(h.HTTP(), order, at, keyFor(t, webhook.TimestampBody)); err != nil {
		t.Error(err)
	}
}

func TestSchemeDigest_fails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scheme webhook.Scheme
		secret webhook.Secret
		want   error  // by errors.Is, or
		says   string // in its text
	}{
		"without a secret":                   {webhook.SchemeFor(webhook.WorkSkedge), webhook.Secret{}, webhook.ErrBlankSecret, ""},
		"square without a URL":               {schemeNamed(t, webhook.Square), secretOf(t, "k"), nil, "no URL was given"},
		"a whsec_ secret that is not base64": {schemeNamed(t, webhook.StandardWebhooks), secretOf(t, "whsec_no+base64!"), nil, "base64 after whsec_"},
		"whsec_ with nothing behind it":      {schemeNamed(t, webhook.StandardWebhooks), secretOf(t, "whsec_"), nil, "base64 after whsec_"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := test.scheme.Headers(webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "a"}, test.secret)
			if err == nil || h != nil {
				t.Fatalf("headers %v, error %v; want an error alone", h, err)
			}
			if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q, want %v %q", err, test.want, test.says)
			}
			if key := strings.TrimPrefix(test.secret.Reveal(), "whsec_"); len(key) > 3 && strings.Contains(err.Error(), key) {
				t.Errorf("error %q shows the secret", err)
			}
		})
	}
}

func TestSchemeNamed(t *testing.T) {
	t.Parallel()
	for i, name := range schemeNames() {
		s, err := webhook.SchemeNamed(name)
		if err != nil || s.Name() != name || s.Covers() == "" || s.SignatureHeader() == "" {
			t.Errorf("%d: SchemeNamed(%q) = %+v, %v", i, name, s, err)
		}
	}
	_, err := webhook.SchemeNamed("timestamp-body")
	var unknown *webhook.UnknownError
	if !errors.As(err, &unknown) || unknown.Nearest != webhook.TimestampBody {
		t.Errorf("error %v, want one that names %s", err, webhook.TimestampBody)
	}
	if got := webhook.SchemeFor(webhook.WorkSkedge).Name(); got != webhook.TimestampBody {
		t.Errorf("default scheme %s", got)
	}
}

func TestSchemeFor(t *testing.T) {
	t.Parallel()
	want := map[webhook.Platform]string{
		webhook.WorkSkedge: "timestamp.body in X-Webhook-Signature",
		webhook.WorkMarket: "timestamp.body in X-Webhook-Signature",
		webhook.Worksome:   "body in Signature",
	}
	for _, p := range webhook.DefaultCatalog().Platforms() {
		s := webhook.SchemeFor(p)
		if got := s.Name() + " in " + s.SignatureHeader(); got != want[p] {
			t.Errorf("%s signs by %s, want %s", p, got, want[p])
		}
	}
	if s := webhook.SchemeFor(webhook.WorkSkedge).On(webhook.Worksome); s.SignatureHeader() != webhook.HeaderSignature {
		t.Errorf("timestamp.body on worksome goes in %s", s.SignatureHeader())
	}
}

// vector is a row of testdata/vectors/signatures.json, which openssl made.
type vector struct {
	Name, Scheme, Secret, Timestamp, ID, URL, Body, Signature string
}

func (v vector) message(t testing.TB) webhook.Message {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(v.Body)
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Message{Body: body, Timestamp: v.Timestamp, ID: v.ID, URL: v.URL}
}

func vectors(t testing.TB) []vector {
	t.Helper()
	raw, err := os.ReadFile("../../testdata/vectors/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

func TestSchemeSign_vectors_of_other_tools(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		seen[v.Scheme] = true
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			got, err := schemeNamed(t, v.Scheme).Signature(v.message(t), secretOf(t, v.Secret))
			if err != nil || got != v.Signature {
				t.Errorf("signature %q, %v; want %q", got, err, v.Signature)
			}
		})
	}
	for _, name := range schemeNames() {
		if !seen[name] {
			t.Errorf("no vector for scheme %s", name)
		}
	}
}

func TestVerifierVerify_vectors_of_other_tools(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			s, m := schemeNamed(t, v.Scheme), v.message(t)
			h := http.Header{}
			h.Set(s.SignatureHeader(), v.Signature)
			if s.TimestampHeader() != "" {
				h.Set(s.TimestampHeader(), v.Timestamp)
			}
			if s.IDHeader() != "" && v.ID != "" {
				h.Set(s.IDHeader(), v.ID)
			}
			verifier := webhook.Verifier{Scheme: s, Secrets: []webhook.Secret{secretOf(t, v.Secret)}, URL: v.URL, Tolerance: webhook.AnyAge}
			if _, err := verifier.Verify(h, m.Body, now()); err != nil {
				t.Errorf("refused: %v", err)
			}
			verifier.Secrets = []webhook.Secret{secretOf(t, "d3Jvbmc=")} // good for every scheme, and wrong
			if _, err := verifier.Verify(h, m.Body, now()); !errors.Is(err, webhook.SignatureMismatch) {
				t.Errorf("another secret: %v, want a mismatch", err)
			}
		})
	}
}
