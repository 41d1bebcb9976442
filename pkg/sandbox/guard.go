package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox/rules"
	"github.com/wskdev/wsk/pkg/sandbox/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

// caller is who sent a request, by its API key.
type caller struct {
	company *Company
	key     *Key
	secret  webhook.Secret
}

// digestOf names an API key in the table of callers: a lookup by the key
// itself would compare it letter by letter.
func digestOf(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// actor is how records name a key: user_ and the first letters of its digest.
func (k *Key) actor() string {
	d := digestOf(k.Key)
	return "user_" + hex.EncodeToString(d[:6])
}

// caller finds out whose key the header holds. A repeated header is nobody's.
func (s *Sandbox) caller(h http.Header) (caller, bool) {
	values := h.Values(webhook.HeaderAPIKey)
	if len(values) != 1 {
		return caller{}, false
	}
	c, ok := s.callers[digestOf(values[0])]
	return c, ok
}

// zapier is a source that only the page's sample of test.connection shows.
const zapier = "zapier"

// verify checks source, signature and timestamp. Whatever is wrong with the
// signature is answered alike; the record's verdict says what it was.
func (s *Sandbox) verify(r *http.Request, c caller, event webhook.Event, record *webhook.Record) (answer, bool) {
	verdict := record.Verdict
	source := r.Header.Get(webhook.HeaderSource)
	if source != "" && source != zapier && !slices.Contains(deliver.Sources(), source) {
		text := fmt.Sprintf("%s: %v", webhook.HeaderSource, webhook.Unknown("source", source, deliver.Sources()))
		verdict.Reason, verdict.Detail = "source", text
		return refused(http.StatusBadRequest, text, rules.Detail{Message: text}), false
	}
	if source == zapier {
		verdict.Warnings = append(verdict.Warnings, "the source zapier is in no list of the page, only in its sample of test.connection")
	}
	var first *unsigned
	schemes := s.schemes(source)
	for _, scheme := range schemes {
		record.Scheme = scheme.Name
		v := webhook.Verifier{Scheme: scheme, Secrets: []webhook.Secret{c.secret}, Tolerance: s.config.Tolerance, URL: "http://" + r.Host + r.URL.Path}
		_, err := v.Verify(r.Header, record.Request.Body, s.now())
		if err == nil && scheme.TimestampHeader == "" {
			err = s.fresh(r.Header)
		}
		if err == nil {
			return answer{}, true
		}
		if errors.Is(err, webhook.SignatureMissing) && event.Type == "test.connection" {
			verdict.Warnings = append(verdict.Warnings, "unsigned, as the page shows it for test.connection")
			record.Scheme = ""
			return answer{}, true
		}
		if first == nil {
			first = &unsigned{v, err}
		}
	}
	record.Scheme = schemes[0].Name
	verdict.Reason, verdict.Detail = "signature", first.fault.Error()
	var refusal *webhook.Refusal
	if errors.As(first.fault, &refusal) {
		verdict.Reason, verdict.Detail = string(refusal.Reason), refusal.Detail
	}
	a := noSignature()
	a.unsigned = first
	return a, false
}

// unsigned is a request whose signature or timestamp was refused.
type unsigned struct {
	verifier webhook.Verifier
	fault    error
}

// schemes lists what a source may sign by. The page can be read two ways for
// its own: over timestamp and body, or over the body alone.
func (s *Sandbox) schemes(source string) []webhook.Scheme {
	name := deliver.SchemeForSource(source)
	names := []string{name}
	if name == webhook.TimestampBody {
		names = []string{webhook.TimestampBody, webhook.BodyOnly}
		if s.config.RequireScheme != "" {
			names = []string{s.config.RequireScheme}
		}
	}
	var list []webhook.Scheme
	for _, name := range names {
		if scheme, err := webhook.SchemeNamed(name); err == nil { // New has checked it
			list = append(list, scheme)
		}
	}
	return list
}

// fresh checks the timestamp header, which the page requires, where the scheme
// does not sign it.
func (s *Sandbox) fresh(h http.Header) error {
	tolerance := s.config.Tolerance
	if tolerance == 0 {
		tolerance = webhook.DefaultTolerance
	}
	values := h.Values(webhook.HeaderTimestamp)
	refuse := func(r webhook.Reason, detail string) error {
		return &webhook.Refusal{Reason: r, Header: webhook.HeaderTimestamp, Detail: detail}
	}
	switch {
	case len(values) == 0:
		return refuse(webhook.TimestampMissing, "the header "+webhook.HeaderTimestamp+" is missing")
	case len(values) > 1:
		return refuse(webhook.HeaderRepeated, "the header "+webhook.HeaderTimestamp+" is there twice")
	}
	at, ok := webhook.ParseStamp(values[0])
	age := s.now().Unix() - at
	switch {
	case !ok:
		return refuse(webhook.TimestampMalformed, "the timestamp is no number of Unix seconds")
	case tolerance == webhook.AnyAge:
	case age > int64(tolerance.Seconds()):
		return refuse(webhook.TimestampTooOld, fmt.Sprintf("the timestamp is %d s old, more than %s", age, tolerance))
	case age < -int64(tolerance.Seconds()):
		return refuse(webhook.TimestampTooNew, fmt.Sprintf("the timestamp is %d s ahead, more than %s", -age, tolerance))
	}
	return nil
}

// explain puts into the verdict why a signature was refused, and how to mend
// it: the sandbox's user sees it, the sender does not.
func (s *Sandbox) explain(u *unsigned, record *webhook.Record) {
	var refusal *webhook.Refusal
	if errors.As(u.fault, &refusal) {
		record.Verdict.Diagnosis = s.refusals.Refusal(u.verifier, record.Request, refusal.Reason)
	}
}

// unknownCustomField finds a custom field that the company has not defined,
// where it has defined any for that kind of record.
func (c *Company) unknownCustomField(event webhook.Event) (rules.Detail, bool) {
	kind, _, _ := strings.Cut(event.Type, ".")
	known, limited := c.CustomFields[kind]
	if !limited {
		return rules.Detail{}, true
	}
	data, err := store.DecodeFields(event.Data())
	if err != nil {
		return rules.Detail{}, true // apply says so
	}
	given, _ := data["custom_fields"].(map[string]any)
	for name := range given {
		if !slices.Contains(known, name) {
			text := webhook.Unknown("custom field of a "+kind, name, known).Error()
			return rules.Detail{Pointer: "/data/custom_fields/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), Message: text}, false
		}
	}
	return rules.Detail{}, true
}
