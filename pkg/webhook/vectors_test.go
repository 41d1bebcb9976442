package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

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

func TestVectorsOfOtherToolsAreSignedAlike(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		seen[v.Scheme] = true
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			got, err := schemeNamed(t, v.Scheme).Sign(v.message(t), secretOf(t, v.Secret))
			if err != nil || got != v.Signature {
				t.Errorf("signature %q, %v; want %q", got, err, v.Signature)
			}
		})
	}
	for _, name := range webhook.SchemeNames() {
		if !seen[name] {
			t.Errorf("no vector for scheme %s", name)
		}
	}
}

func TestVectorsOfOtherToolsVerify(t *testing.T) {
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
