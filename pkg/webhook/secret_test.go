package webhook_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

const hidden = "hunter2-very-secret"

// disguises are ways in which a verb could show the secret's text.
var disguises = []string{hidden, "68756e746572", "68756E746572", "104 117 110", "0x68, 0x75", "aHVudGVyMi12ZXJ5"}

func wantHidden(t *testing.T, how, text string) {
	t.Helper()
	for _, d := range disguises {
		if strings.Contains(text, d) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

type (
	exported   struct{ Secret webhook.Secret }
	unexported struct{ secret webhook.Secret }
	embedded   struct{ webhook.Secret }
	deep       struct {
		inner map[string][]unexported
		any   any
	}
)

func TestSecret_under_every_verb(t *testing.T) {
	t.Parallel()
	s := secretOf(t, hidden)
	u := unexported{s}
	holders := map[string]any{
		"a secret":                      s,
		"a pointer to one":              &s,
		"an exported field":             exported{s},
		"an unexported field":           u,
		"a pointer to such a struct":    &u,
		"an embedded secret":            embedded{s},
		"a slice":                       []webhook.Secret{s},
		"an array in an interface":      any([1]webhook.Secret{s}),
		"a map":                         map[string]webhook.Secret{"k": s},
		"a map's key":                   map[webhook.Secret]int{s: 1},
		"something nested deeply":       deep{map[string][]unexported{"k": {u}}, u},
		"a verifier":                    webhook.Verifier{Secrets: []webhook.Secret{s}},
		"a slice of unexported fields":  []unexported{u},
		"an error that wraps one":       fmt.Errorf("signing with %v and %+v: %w", s, u, errors.New("x")),
		"an error that joins a message": errors.Join(fmt.Errorf("%#v", u), fmt.Errorf("%p", any(s))),
	}
	for name, holder := range holders {
		for verb := 'A'; verb <= 'z'; verb++ {
			if verb > 'Z' && verb < 'a' {
				continue
			}
			for _, flags := range []string{"", "+", "#", " ", "0", "-40", "+#", "60", ".3", "#60", "[1]"} {
				format := "%" + flags + string(verb)
				wantHidden(t, name+" by "+format, fmt.Sprintf(format, holder))
			}
		}
		wantHidden(t, name+" by Sprint", fmt.Sprint(holder))
		wantHidden(t, name+" by Sprintln", fmt.Sprintln("x", holder))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s gives %q, want [redacted]", verb, got)
		}
	}
}

func TestSecret_in_every_encoding(t *testing.T) {
	t.Parallel()
	s := secretOf(t, hidden)
	for name, v := range map[string]any{"alone": s, "in a struct": exported{s}, "in a slice": []webhook.Secret{s}, "as a key": map[webhook.Secret]int{s: 1}} {
		text, err := json.Marshal(v)
		if err != nil || !bytes.Contains(text, []byte("[redacted]")) {
			t.Errorf("JSON of a secret %s: %s, %v; want [redacted]", name, text, err)
		}
		wantHidden(t, "JSON of a secret "+name, string(text))
	}
	text, err := xml.Marshal(exported{s})
	if err != nil || !bytes.Contains(text, []byte("[redacted]")) {
		t.Errorf("XML: %s, %v", text, err)
	}
	wantHidden(t, "XML", string(text))
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("signing", "secret", s, "holder", exported{s}, "inside", unexported{s})
	}
	wantHidden(t, "a log", log.String())
}

func TestSecret_in_a_panic(t *testing.T) {
	t.Parallel()
	s := secretOf(t, hidden)
	for name, value := range map[string]any{"a secret": s, "a struct": unexported{s}, "an error": fmt.Errorf("with %+v", unexported{s})} {
		func() {
			defer func() { wantHidden(t, "a panic with "+name, fmt.Sprint(recover())) }()
			panic(value)
		}()
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", " padded ", "line\n", "\x00k", "\ufeffkey", "\xff\xfe", "clé", strings.Repeat("k", 1000)} {
		s, err := webhook.NewSecret(text)
		if err != nil || s.Reveal() != text || s.IsZero() {
			t.Errorf("NewSecret(%q) reveals %q, zero %v, %v", text, s.Reveal(), s.IsZero(), err)
		}
	}
	for _, text := range []string{"", " ", "\t", "\r\n", "\n\n \t", "\u00a0", "\u2003", "\u3000", "\x00", "\x00\x00", "\ufeff", "\u200b", "\ufeff\u200b \x00\n", "\u200e", "\x7f", "\u034f\ufe0f", "\u3164"} {
		s, err := webhook.NewSecret(text)
		if !errors.Is(err, webhook.ErrBlankSecret) || !s.IsZero() {
			t.Errorf("NewSecret(%q) = %v, %v; want ErrBlankSecret", text, s, err)
		}
	}
	if zero := (webhook.Secret{}); !zero.IsZero() || zero.Reveal() != "" || fmt.Sprint(zero) != "[redacted]" {
		t.Errorf("the zero secret: %v, %q", zero.IsZero(), zero.Reveal())
	}
}

// Hashes that are keyed by a secret are used again: by any scheme, by many
// goroutines, and after a request that was refused.
func TestSecret_used_many_times_at_once(t *testing.T) {
	t.Parallel()
	kept := keyFor(t, webhook.StandardWebhooks) // also a key as it is, for the other schemes
	var work sync.WaitGroup
	for i, scheme := range slices.Repeat(webhook.Schemes(), 8) {
		m := webhook.Message{Body: bytes.Repeat([]byte{byte(i)}, 40*i), Timestamp: unixTimestamp, ID: fmt.Sprint("wh_", i), URL: "https://example.com/" + strings.Repeat("x", i)}
		work.Go(func() {
			for range 20 {
				h := headersOf(t, scheme, m, keyFor(t, webhook.StandardWebhooks))
				v := webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{kept}, URL: m.URL}
				if _, err := v.Verify(h, m.Body, now()); err != nil {
					t.Errorf("%s, request %d: %v", scheme.Name(), i, err)
				}
				if _, err := v.Verify(h, append([]byte("x"), m.Body...), now()); !errors.Is(err, webhook.SignatureMismatch) {
					t.Errorf("%s, request %d with another body: %v", scheme.Name(), i, err)
				}
			}
		})
	}
	work.Wait()
}
