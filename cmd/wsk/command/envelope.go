package command

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// head is what an envelope that is made here says of its event. A form takes
// the members that it has.
type head struct {
	eventID string
	stamp   string // RFC 3339
	origin  string // the source of an inbound one
}

// rfc3339 writes a time as envelopes carry it.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// WrapInbound returns raw when it is an envelope of the inbound event, and puts a
// data object into one.
func WrapInbound(d webhook.Definition, raw []byte, origin string, now time.Time) ([]byte, error) {
	return head{stamp: rfc3339(now), origin: origin}.enclose(d, raw)
}

// enclose returns raw when it is an envelope of the event, and puts a data
// object into one.
func (h head) enclose(d webhook.Definition, raw []byte) ([]byte, error) {
	event, err := webhook.ParseEvent(raw)
	var shape *webhook.EnvelopeError
	if err != nil && !errors.As(err, &shape) {
		return nil, err
	}
	root, has := gjson.ParseBytes(raw), map[string]bool{}
	root.ForEach(func(name, _ gjson.Result) bool {
		has[name.String()] = true
		return true
	})
	whole := has["event_type"] || has["event"] && has["data"]
	switch {
	case whole && err != nil:
		return nil, err
	case whole && event.Form != d.Form:
		return nil, fmt.Errorf("this is an envelope of the form %s (%s); %s takes the form %s", event.Form, event.Type, d.Type, d.Form)
	case whole && event.Type != d.Type:
		return nil, fmt.Errorf("the envelope is of %s, not of %s: name that event, or give its data object alone", event.Type, d.Type)
	case whole:
		return raw, nil
	case !root.IsObject():
		return nil, err
	case root.Get("data").IsObject() && (has["timestamp"] || has["source"]):
		return nil, fmt.Errorf("there is an envelope around the data, but it has no %s", typeMember(d.Form))
	}
	made, err := webhook.Marshal(h.members(d))
	if err != nil {
		return nil, err
	}
	made = append(made[:len(made)-1:len(made)-1], `,"data":`...)
	made = append(made, strings.TrimSpace(root.Raw)...)
	return append(made, '}'), nil
}

// typeMember names the member that holds an event's type.
func typeMember(f webhook.Form) string {
	if f == webhook.Inbound || f == webhook.Outbound {
		return "event_type"
	}
	return "event"
}

// members are an envelope's, without its data.
func (h head) members(d webhook.Definition) any {
	switch d.Form {
	case webhook.Outbound:
		company := gjson.GetBytes(d.Sample(), "company_id").String()
		if company == "" {
			company = "comp_wsk"
		}
		return struct {
			ID      string `json:"event_id"`
			Type    string `json:"event_type"`
			Time    string `json:"timestamp"`
			Company string `json:"company_id"`
		}{h.eventID, d.Type, h.stamp, company}
	case webhook.Compact:
		return struct {
			Type string `json:"event"`
			Time string `json:"timestamp"`
		}{d.Type, h.stamp}
	case webhook.WorksomeForm:
		return struct {
			Type string `json:"event"`
		}{d.Type}
	}
	return struct {
		Type   string `json:"event_type"`
		Time   string `json:"timestamp"`
		Source string `json:"source"`
	}{d.Type, h.stamp, h.origin}
}

// renew gives a sample the id and the time of an event that happens now, and
// leaves every other byte alone.
func (h head) renew(d webhook.Definition, sample []byte) (raw []byte, err error) {
	raw = sample
	if d.Form == webhook.Outbound {
		if raw, err = sjson.SetBytes(raw, "event_id", h.eventID); err != nil {
			return nil, err
		}
	}
	if d.Form == webhook.Outbound || d.Form == webhook.Compact {
		raw, err = sjson.SetBytes(raw, "timestamp", h.stamp)
	}
	return raw, err
}
