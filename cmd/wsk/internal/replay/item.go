package replay

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// ErrNoBody says that a record does not hold the body of its request: it was
// refused before it was read, or was empty.
var ErrNoBody = errors.New("the record holds no body, so there is nothing to send again")

// Item is one thing to send again.
type Item struct {
	Source string          // where it is from: a file, a file and a line, "journal"
	Event  webhook.Event   // Raw is the body
	Record *webhook.Record // what was recorded; nil for a payload
}

// FromRecord makes an item of a record.
func FromRecord(source string, r webhook.Record) Item {
	return Item{
		Source: source, Record: &r,
		Event: webhook.Event{Platform: r.Platform, Form: r.Form, Type: r.Event, Raw: r.Request.Body},
	}
}

// Check returns an error for a record that cannot be sent again: [ErrNoBody],
// or that its method is not POST.
func (i Item) Check() error {
	switch {
	case i.Record == nil:
		return nil
	case len(i.Record.Request.Body) == 0:
		return ErrNoBody
	case i.Record.Request.Method != "" && i.Record.Request.Method != http.MethodPost:
		return fmt.Errorf("its method is %.20q, and a delivery is a POST", i.Record.Request.Method)
	}
	return nil
}

// Name is what people know the item by: the record's id, else its source.
func (i Item) Name() string {
	if i.Record != nil && i.Record.ID != "" {
		return i.Record.ID
	}
	return i.Source
}

// Before returns the recorded status, 0 where there was no answer. known is
// false where nothing was recorded of an answer or of its absence. What an app
// behind a receiver answered counts before what the receiver did.
func (i Item) Before() (status int, known bool) {
	r := i.Record
	switch {
	case r == nil:
		return 0, false
	case r.Forward != nil:
		return r.Forward.Status, true
	case r.Response != nil:
		return r.Response.Status, true
	}
	return 0, r.Verdict != nil && r.Verdict.Outcome != webhook.Pending
}

// id is the recorded webhook id.
func (i *Item) id(s *webhook.Scheme) string {
	switch {
	case i.Record == nil:
		return ""
	case i.Record.WebhookID != "" || s.IDHeader() == "":
		return i.Record.WebhookID
	}
	return i.Record.Request.Header.Get(s.IDHeader())
}

// lines are the recorded header lines that belong to the delivery.
func (i *Item) lines() webhook.Header {
	var named []string // by Connection
	stored := i.Record.Request.Header
	for _, p := range stored {
		if strings.EqualFold(p.Name, "Connection") {
			for name := range strings.SplitSeq(p.Value, ",") {
				named = append(named, strings.ToLower(strings.TrimSpace(name)))
			}
		}
	}
	var kept webhook.Header
	for _, p := range stored {
		if !ofConnection(strings.ToLower(p.Name), named) && p.Value != masked {
			kept = append(kept, p)
		}
	}
	return kept
}

// masked is what stands in a record for a credential, see
// [webhook.Record.Redacted].
const masked = "[redacted]"

// ofConnection reports a line, in lower case, that says how one request
// travelled: RFC 9110, section 7.6.1.
func ofConnection(name string, named []string) bool {
	switch name {
	case "host", "content-length", "connection", "keep-alive", "proxy-connection", "proxy-authorization",
		"proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "expect":
		return true
	}
	for _, n := range named {
		if n == name {
			return true
		}
	}
	return false
}
