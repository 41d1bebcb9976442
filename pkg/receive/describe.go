package receive

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/wskdev/wsk/pkg/webhook"
)

// parse reads the envelope. A byte order mark and bytes that are not UTF-8 are
// what many parsers take, so they are no ground to refuse a signed body: the
// app gets it byte for byte, and the record gets a warning.
func parse(body []byte) (webhook.Event, error) {
	event, err := webhook.ParseEvent(body)
	var syntax *webhook.SyntaxError
	if !errors.As(err, &syntax) {
		return event, err
	}
	mended := bytes.ToValidUTF8(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), []byte("\ufffd"))
	event, again := webhook.ParseEvent(mended)
	if errors.As(again, &syntax) {
		return webhook.Event{Raw: body}, err
	}
	event.Raw = body
	return event, errors.New(err.Error()) // a warning, and no syntax error any more
}

// describe copies what the verified body says about itself to the record.
func (h *Handler) describe(record *webhook.Record, r *http.Request, e *webhook.Event) {
	record.Event, record.Form = e.Type, e.Form
	if e.Platform != "" {
		record.Platform = e.Platform
	}
	record.WebhookID = h.id(r)
	if n, err := strconv.ParseUint(r.Header.Get(webhook.HeaderRetry), 10, 16); err == nil {
		record.Attempt = int(n)
	}
	if named := r.Header.Get(webhook.HeaderEvent); named != "" && e.Type != "" && named != e.Type {
		warn(record, "the header "+webhook.HeaderEvent+" says "+named+", the signed body says "+e.Type)
	}
}

func (h *Handler) id(r *http.Request) string {
	if h.SkipVerify && r.Header.Get(webhook.HeaderID) == "" {
		return r.Header.Get("webhook-id")
	}
	if name := h.Verifier.Scheme.IDHeader(); name != "" {
		return r.Header.Get(name)
	}
	return ""
}

// stamp is what was signed beside the body, as far as it tells one delivery
// from another.
func (h *Handler) stamp(r *http.Request) string {
	stamp := ""
	if name := h.Verifier.Scheme.TimestampHeader(); name != "" {
		stamp = r.Header.Get(name)
	}
	if h.SkipVerify && stamp == "" {
		stamp = r.Header.Get("webhook-timestamp")
	}
	if h.Verifier.Scheme.Name() == webhook.StandardWebhooks { // the id is signed: under another it is another delivery
		stamp = h.id(r) + "." + stamp
	}
	return stamp
}
