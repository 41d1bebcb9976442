package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// envelopes are payloads with what is read off them.
var envelopes = map[string]struct {
	raw  string
	want webhook.Event
}{
	"inbound": {
		`{"event_type":"work_order.created","timestamp":"2026-03-02T15:20:00Z","source":"custom","data":{}}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Type: "work_order.created", Timestamp: "2026-03-02T15:20:00Z", Source: "custom"},
	},
	"outbound": {
		`{"event_id":"evt_1","event_type":"workorder.created","timestamp":"t","company_id":"c","data":{}}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Outbound, Type: "workorder.created", ID: "evt_1", Timestamp: "t", CompanyID: "c"},
	},
	"outbound by event_id alone": {
		`{"event_id":"evt_1","event_type":"x.y"}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Outbound, Type: "x.y", ID: "evt_1"},
	},
	"outbound by company_id alone": {
		`{"event_type":"x.y","company_id":"c"}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Outbound, Type: "x.y", CompanyID: "c"},
	},
	"compact": {
		`{"event":"work_order.created","timestamp":"t","data":{}}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Compact, Type: "work_order.created", Timestamp: "t"},
	},
	"worksome": {
		`{"event":"hireUpdated","data":{}}`,
		webhook.Event{Platform: webhook.Worksome, Form: webhook.WorksomeForm, Type: "hireUpdated"},
	},
	"members in another order, with others between": {
		`{"data":{"event_type":"inner","timestamp":1},"extra":[{"event_id":7}],"timestamp":"t","source":"s","event_type":"x.y"}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Type: "x.y", Timestamp: "t", Source: "s"},
	},
	"names written with escapes": {
		`{"\u0065vent_type":"caf\u00e9 \ud83d\udd27","data":null}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Type: "café 🔧"},
	},
	"names in another case are other names": {
		`{"Event_Type":"a","EVENT":"b","event":"x.y"}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Compact, Type: "x.y"},
	},
	"space all around": {
		" \r\n{ \"event\" :\t\"x.y\" } \n",
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Compact, Type: "x.y"},
	},
	"an empty type": {
		`{"event_type":""}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Inbound},
	},
	"names with dots and wildcards": {
		`{"a.event":"no","*":"no","event":"x.y","data.x":1}`,
		webhook.Event{Platform: webhook.WorkSkedge, Form: webhook.Compact, Type: "x.y"},
	},
}

func TestMembersClassify(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]webhook.Form{
		`{"event":5,"data":{}}`:                         webhook.WorksomeForm,
		`{"event":null}`:                                webhook.WorksomeForm,
		`{"event":"","data":{}}`:                        webhook.WorksomeForm,
		`{"event":5,"timestamp":"t","data":{}}`:         webhook.Compact,
		`{"event":["a.b"],"timestamp":1}`:               webhook.Compact,
		`{"event":"hireUpdated","timestamp":"t"}`:       webhook.WorksomeForm,
		`{"event":"a.b"}`:                               webhook.Compact,
		`{"event_type":5}`:                              webhook.Inbound,
		`{"event_type":null,"company_id":null}`:         webhook.Outbound,
		`{"event_type":"a.b","event":"a.b"}`:            webhook.Inbound,
		`{"event":"hireUpdated","event_type":"a.b"}`:    webhook.Inbound,
		`{"event_id":1,"event":"a.b","event_type":"c"}`: webhook.Outbound,
		`{"data":{"event":"a.b"}}`:                      "",
		`{}`:                                            "",
	} {
		event, err := webhook.ParseEvent([]byte(raw))
		if event.Form != want {
			t.Errorf("%s is %q (%v), want %q", raw, event.Form, err, want)
		}
		var platform webhook.Platform
		switch want {
		case webhook.WorksomeForm:
			platform = webhook.Worksome
		case webhook.Inbound, webhook.Outbound, webhook.Compact:
			platform = webhook.WorkSkedge
		}
		if event.Platform != platform {
			t.Errorf("%s is of %q, want %q", raw, event.Platform, platform)
		}
	}
}

func TestParseEvent(t *testing.T) {
	t.Parallel()
	for name, test := range envelopes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(test.raw)
			got, err := webhook.ParseEvent(raw)
			test.want.Raw = raw
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestParseEvent_keeps_every_byte(t *testing.T) {
	t.Parallel()
	raw := []byte("\t{\"event\":\"x.y\",\r\n \"data\" : {\"total\":5000.00,\"n\":9007199254740993,\"s\":\"\\/\\u00e9<\u2028\"}\n}\n\n")
	before := bytes.Clone(raw)
	event, err := webhook.ParseEvent(raw)
	if err != nil || !bytes.Equal(event.Raw, before) || !bytes.Equal(raw, before) {
		t.Errorf("%q, %v", event.Raw, err)
	}
	if got, want := string(event.Data()), "{\"total\":5000.00,\"n\":9007199254740993,\"s\":\"\\/\\u00e9<\u2028\"}"; got != want {
		t.Errorf("data %q, want %q", got, want)
	}
	for text, want := range map[string]string{`{"event":"x.y"}`: "<nil>", `{"event":"x.y","data":null}`: "null", `{"event":"x.y","data":[1]}`: "[1]"} {
		event, err := webhook.ParseEvent([]byte(text))
		got := string(event.Data())
		if event.Data() == nil {
			got = "<nil>"
		}
		if err != nil || got != want {
			t.Errorf("%s: data %s, %v; want %s", text, got, err, want)
		}
	}
}

// badEnvelopes are JSON, and no envelope; the place is that of the fault.
var badEnvelopes = map[string]struct {
	raw          string
	line, column int
	reason       string
}{
	"an empty object":             {`{}`, 1, 1, "neither event_type nor event is present"},
	"other members":               {`{"type":"x","data":{}}`, 1, 1, "neither event_type nor event is present"},
	"data alone":                  {`{"data":{"event_type":"x"}}`, 1, 1, "neither event_type nor event is present"},
	"event_id without a type":     {`{"event_id":"e","data":{}}`, 1, 1, "neither event_type nor event is present"},
	"a list":                      {`[{"event":"x.y"}]`, 1, 1, "this is a list"},
	"a number":                    {"  5000.00", 1, 1, "this is a number"},
	"a string":                    {`"event"`, 1, 1, "this is a string"},
	"null":                        {"null", 1, 1, "this is null"},
	"a boolean":                   {"true", 1, 1, "this is a boolean"},
	"both names of the type":      {`{"event":"x.y","event_type":"x.y"}`, 1, 1, "both present"},
	"a type that is a number":     {"{\n  \"event_type\": 7}", 2, 17, "event_type must be a string, is a number"},
	"a type that is null":         {`{"event":null}`, 1, 10, "event must be a string, is null"},
	"a timestamp that is a list":  {`{"timestamp":[1],"event_type":"x.y"}`, 1, 14, "timestamp must be a string, is a list"},
	"an id that is an object":     {`{"event_type":"x.y","event_id":{}}`, 1, 32, "event_id must be a string, is an object"},
	"a company that is a number":  {`{"event_type":"x.y","company_id": 12}`, 1, 35, "company_id must be a string, is a number"},
	"a source that is a boolean":  {`{"é":"🔧","source":true,"event_type":"x.y"}`, 1, 19, "source must be a string, is a boolean"},
	"the first of two wrong ones": {`{"source":1,"timestamp":2,"event_type":"x.y"}`, 1, 11, "source must be"},
}

func TestParseEvent_of_another_shape(t *testing.T) {
	t.Parallel()
	for name, test := range badEnvelopes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := webhook.ParseEvent([]byte(test.raw))
			var bad *webhook.EnvelopeError
			if !errors.As(err, &bad) || bad.Line != test.line || bad.Column != test.column || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("error %v; want line %d, column %d: %s", err, test.line, test.column, test.reason)
			}
			if place := fmt.Sprintf("line %d, column %d: ", test.line, test.column); err != nil && !strings.HasPrefix(err.Error(), place) {
				t.Errorf("error %q, want it to begin %q", err, place)
			}
			if string(event.Raw) != test.raw {
				t.Errorf("raw %q, want it kept", event.Raw)
			}
		})
	}
	event, err := webhook.ParseEvent([]byte(`{"event_type":"x.y","event_id":7,"timestamp":"t"}`))
	if err == nil || event.Type != "x.y" || event.Timestamp != "t" || event.Form != webhook.Outbound {
		t.Errorf("%+v, %v; want what could be read", event, err)
	}
}

// Two receivers may read two different values.
func TestParseEvent_with_a_duplicate_member(t *testing.T) {
	t.Parallel()
	for raw, column := range map[string]int{
		`{"event_type":"a.b","event_type":"a.b"}`:       34,
		`{"event_type":"a.b","event\u005ftype":"c.d"}`:  39,
		`{"event":"a.b","data":{},"data":{}}`:           33,
		`{"event":"a.b","timestamp":"t","timestamp":1}`: 44,
		`{"event_id":1,"event_id":"e","event":"a.b"}`:   26,
	} {
		_, err := webhook.ParseEvent([]byte(raw))
		var syntax *webhook.SyntaxError
		if !errors.As(err, &syntax) || syntax.Column != column || !strings.Contains(syntax.Reason, "occurs twice") {
			t.Errorf("%s: %v; want a duplicate at column %d", raw, err, column)
		}
	}
	if _, err := webhook.ParseEvent([]byte(`{"event":"a.b","note":1,"note":2,"data":{"x":1,"x":2}}`)); err != nil {
		t.Errorf("members that are not the envelope's are lint's to report: %v", err)
	}
}
