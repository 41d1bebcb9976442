package events_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/events"
	"github.com/wskdev/wsk/pkg/events/workskedge"
	"github.com/wskdev/wsk/pkg/events/worksome"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		into any
		raw  string
		want string
	}{
		"a list for an event":             {&workskedge.WorkOrderCreated{}, `[]`, "the payload must be an object, is a list"},
		"null for an event":               {&workskedge.WorkOrderCreated{}, `null`, "the payload must be an object, is null"},
		"null for a member always there":  {&workskedge.WorkOrderCreated{}, `{"event_id":null}`, "/event_id must be a string, is null"},
		"a number for a string":           {&workskedge.WorkOrderCreated{}, `{"data":{"id":5}}`, "/data/id must be a string, is a number"},
		"a string for a number":           {&workskedge.WorkOrderCreated{}, `{"data":{"estimated_hours":"32"}}`, "/data/estimated_hours must be a number, is a string"},
		"a string for a boolean":          {&workskedge.WorkOrderCreated{}, `{"data":{"require_daily_report":"yes"}}`, "/data/require_daily_report must be a boolean, is a string"},
		"a fraction for an integer":       {&workskedge.WorkOrderCreated{}, `{"data":{"people_required":4.5}}`, "/data/people_required must be an integer, is 4.5"},
		"a boolean for an integer":        {&workskedge.WorkOrderCreated{}, `{"data":{"people_required":true}}`, "/data/people_required must be an integer, is a boolean"},
		"an integer that is too large":    {&workskedge.WorkOrderCreated{}, `{"data":{"people_required":9223372036854775808}}`, "/data/people_required is 9223372036854775808, which does not fit an int64"},
		"an integer with a huge exponent": {&workskedge.WorkOrderCreated{}, `{"data":{"people_required":1e999999999}}`, "/data/people_required is 1e999999999, which does not fit an int64"},
		"a number that is too large":      {&workskedge.WorkOrderCreated{}, `{"data":{"estimated_hours":1e400}}`, "/data/estimated_hours is 1e400, which does not fit a float64"},
		"an item of a list":               {&workskedge.WorkOrderCreated{}, `{"data":{"equipment":["Lift",7]}}`, "/data/equipment/1 must be a string, is a number"},
		"a string for a list":             {&workskedge.WorkOrderCreated{}, `{"data":{"equipment":"Lift"}}`, "/data/equipment must be a list, is a string"},
		"deep inside": {
			&workskedge.WorkOrderCreated{}, `{"data":{"scope_of_work":{"checklists":[{},{"items":[{"completed":1}]}]}}}`,
			"/data/scope_of_work/checklists/1/items/0/completed must be a boolean, is a number",
		},
		"a name with a slash and a tilde": {
			&workskedge.InboundWorkOrderCreated{}, `{"data":{"people_skill_requirements":{"HVAC/R ~2":"one"}}}`,
			"/data/people_skill_requirements/HVAC~1R ~02 must be an integer, is a string",
		},
		"an object for a string or a number": {
			&workskedge.InboundWorkOrderCreated{}, `{"data":{"days_hours_required":{}}}`, "/data/days_hours_required must be a string or a number, is an object",
		},
		"a number for a string or a list": {
			&workskedge.InboundVendorCreated{}, `{"data":{"trade_specialty":7}}`, "/data/trade_specialty must be a string or a list, is a number",
		},
		"a number in the list of a string or a list": {
			&workskedge.InboundVendorCreated{}, `{"data":{"trade_specialty":["Roofing",7]}}`, "/data/trade_specialty/1 must be a string, is a number",
		},
		"a member twice":                 {&workskedge.WorkOrderCreated{}, `{"data":{"id":"a","status":"b","id":"c"}}`, "/data/id occurs twice"},
		"a name twice in a map":          {&workskedge.WorkOrderCreated{}, `{"data":{"custom_fields":{"a":1,"a":2}}}`, "/data/custom_fields/a occurs twice"},
		"an event of another type":       {&workskedge.WorkOrderCreated{}, `{"event_type":"work_order.deleted","data":[]}`, `/event_type must be "work_order.created", is "work_order.deleted"`},
		"a compact event of another":     {&workskedge.CompactWorkorderCreated{}, `{"event":"workorder.deleted"}`, `/event must be "workorder.created", is "workorder.deleted"`},
		"a Worksome event of another":    {&worksome.HireUpdated{}, `{"event":"hireEnded"}`, `/event must be "hireUpdated", is "hireEnded"`},
		"a part of an event":             {&workskedge.WorkOrderCreatedData{}, `{"status":[]}`, "/status must be a string, is a list"},
		"a value that is not an object":  {&workskedge.Change{}, `7`, "the payload must be an object, is a number"},
		"a value that is not an integer": {new(events.Optional[int64]), `"7"`, "the payload must be an integer, is a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var failure *events.MemberError
			if err := events.Decode([]byte(test.raw), test.into); !errors.As(err, &failure) || err.Error() != test.want {
				t.Errorf("Decode: %v\nwant    %s", err, test.want)
			}
			if err := json.Unmarshal([]byte(test.raw), test.into); !errors.As(err, &failure) || err.Error() != test.want {
				t.Errorf("json.Unmarshal: %v\nwant            %s", err, test.want)
			}
			if test.raw == "null" {
				return
			}
			if _, err := events.Unknown([]byte(test.raw), test.into); !strings.Contains(test.want, "must be \"") && (err == nil || err.Error() != test.want) {
				t.Errorf("Unknown: %v", err)
			}
		})
	}
}

func TestDecode_of_what_is_not_JSON(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "{", "{}{}", "\xef\xbb\xbf{}", "{\"event_id\":\"\xff\"}"} {
		var syntax *webhook.SyntaxError
		if err := events.Decode([]byte(raw), &workskedge.WorkOrderCreated{}); !errors.As(err, &syntax) {
			t.Errorf("Decode(%q): %v", raw, err)
		}
		if _, err := events.Unknown([]byte(raw), workskedge.WorkOrderCreated{}); !errors.As(err, &syntax) {
			t.Errorf("Unknown(%q): %v", raw, err)
		}
		if _, err := workskedge.Parse([]byte(raw)); !errors.As(err, &syntax) {
			t.Errorf("Parse(%q): %v", raw, err)
		}
	}
}

func TestDecode_into_what_it_cannot_fill(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, workskedge.WorkOrderCreated{}, (*workskedge.WorkOrderCreated)(nil), new(chan int), &struct {
		Data struct {
			ID uint8 `json:"id"`
		} `json:"data"`
	}{}} {
		if err := events.Decode([]byte(`{"data":{"id":1}}`), v); err == nil {
			t.Errorf("%T: no error", v)
		}
	}
	if _, err := events.Unknown([]byte(`{}`), nil); err == nil {
		t.Error("Unknown of nil: no error")
	}
}

func TestDecode_accepts(t *testing.T) {
	t.Parallel()
	const raw = `{"event_type":"work_order.created","EVENT_ID":"evt_0","timestamp":"yesterday","data":{
		"people_required":4.0,"status":"on_hold","start_date":"soon","project":null,"Status":"x","equipment":[],
		"custom_fields":{"a":null,"b":[1, 2]}}}`
	e := workskedge.WorkOrderCreated{EventID: "evt_of_before"}
	if err := events.Decode([]byte(raw), &e); err != nil {
		t.Fatal(err)
	}
	if e.EventID != "" {
		t.Errorf("event_id is %q: EVENT_ID is another member, and what the struct had is replaced", e.EventID)
	}
	if n := e.Data.PeopleRequired; n.Value() != 4 {
		t.Errorf("people_required is %v, want 4", n)
	}
	if got := e.Data.Status.Value(); got != "on_hold" {
		t.Errorf("status is %q", got)
	}
	if !e.Data.Project.IsNull() || !e.Data.SiteLead.IsZero() || e.Data.Equipment.Value() == nil {
		t.Errorf("project %v, site lead %v, equipment %v", e.Data.Project, e.Data.SiteLead, e.Data.Equipment)
	}
	fields := e.Data.CustomFields.Value()
	if a, b := fields["a"].String(), fields["b"].String(); a != "null" || b != "[1, 2]" {
		t.Errorf("custom fields are %s and %s", a, b)
	}
	unknown, err := events.Unknown([]byte(raw), e)
	if names := slices.Sorted(maps.Keys(unknown)); err != nil || !slices.Equal(names, []string{"/EVENT_ID", "/data/Status"}) {
		t.Errorf("unknown are %q, %v", names, err)
	}
}

func TestDecode_into_a_custom_type(t *testing.T) {
	t.Parallel()
	type order struct {
		Number   events.Optional[string] `json:"work_order_number"`
		Untagged string
		hidden   string
	}
	var v struct {
		Data order `json:"data"`
	}
	raw := []byte(`{"data":{"work_order_number":"WO-1","hidden":"a","Untagged":"b","":"c"}}`)
	if err := events.Decode(raw, &v); err != nil || v.Data != (order{Number: events.Of("WO-1")}) || v.Data.hidden+v.Data.Untagged != "" {
		t.Errorf("%+v, %v", v, err)
	}
	unknown, err := events.Unknown(raw, v)
	if names := slices.Sorted(maps.Keys(unknown)); err != nil || !slices.Equal(names, []string{"/data/", "/data/Untagged", "/data/hidden"}) {
		t.Errorf("unknown are %q, %v", names, err)
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	var unknown *webhook.UnknownError
	for raw, nearest := range map[string]string{
		`{"event_type":"work_order.craeted","timestamp":"2026-01-15T14:30:00Z","source":"x","data":{}}`: "work_order.created",
		`{"event":"hireUpdated","data":{}}`: "", // Worksome's
	} {
		if _, err := workskedge.Parse([]byte(raw)); !errors.As(err, &unknown) || unknown.Nearest != nearest {
			t.Errorf("%s: %v", raw, err)
		}
	}
	var envelope *webhook.EnvelopeError
	if _, err := worksome.Parse([]byte(`{"type":"x"}`)); !errors.As(err, &envelope) {
		t.Errorf("no envelope: %v", err)
	}
	var member *events.MemberError
	if e, err := worksome.Parse([]byte(`{"event":"hireUpdated","data":7}`)); !errors.As(err, &member) || e != nil {
		t.Errorf("data of another type: %v, %v", e, err)
	}
}

// exists reports whether a JSON Pointer refers to something in a payload. Of two
// members of one name it takes the first.
func exists(at gjson.Result, pointer string) bool {
	if pointer == "" {
		return at.Exists()
	}
	step, rest, more := strings.Cut(pointer[1:], "/")
	if more {
		rest = "/" + rest
	}
	step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	var found gjson.Result
	i := 0
	isList := at.IsArray()
	at.ForEach(func(name, value gjson.Result) bool {
		if isList && step == strconv.Itoa(i) || !isList && step == name.Str {
			found = value
		}
		i++
		return !found.Exists()
	})
	return exists(found, rest)
}

// Decoding does not panic, an error points into the payload, and what was
// decoded survives encoding.
func FuzzDecode(f *testing.F) {
	for _, d := range definitions() {
		if sample := d.Sample(); sample != nil {
			f.Add(sample)
		}
	}
	f.Add([]byte(`{"event_type":"work_order.created","event_id":"","data":{"equipment":[1]},"data":{}}`))
	f.Add([]byte(`{"event_type":"work_order.created","event_id":"","data":{"custom_fields":{"a/b~c":{}},"people_required":1e400}}`))
	f.Add([]byte(`{"event_type":"vendor.created","timestamp":"","data":{"trade_specialty":[{}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		envelope, err := webhook.ParseEvent(raw)
		event := create(webhook.Definition{Platform: envelope.Platform, Form: envelope.Form, Type: envelope.Type})
		if err != nil || event == nil {
			event = &workskedge.WorkOrderCreated{}
		}
		if err := events.Decode(raw, event); err != nil {
			var failure *events.MemberError
			if errors.As(err, &failure) && !exists(gjson.ParseBytes(raw), failure.Pointer) {
				t.Fatalf("%q is not in %s", failure.Pointer, raw)
			}
			return
		}
		if _, err := events.Unknown(raw, event); err != nil {
			t.Fatalf("Unknown: %v", err)
		}
		again := reflect.New(reflect.TypeOf(event).Elem()).Interface()
		encoded := encode(t, event)
		if event.Definition().Type != gjson.GetBytes(encoded, "event_type").Str && event.Definition().Type != gjson.GetBytes(encoded, "event").Str {
			return // there was no type, and the empty one is no event's
		}
		if err := events.Decode(encoded, again); err != nil {
			t.Fatalf("%v\n%s", err, encoded)
		}
		if second := encode(t, again); string(second) != string(encoded) {
			t.Errorf("first  %s\nsecond %s", encoded, second)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := webhook.Definition{Platform: webhook.WorkSkedge, Form: webhook.Outbound, Type: "work_order.created"}
	raw := d.Sample()
	b.Run("events", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var e workskedge.WorkOrderCreated
			if err := events.Decode(raw, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var e workskedge.WorkOrderCreated
			if err := json.Unmarshal(raw, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var e map[string]any
			if err := json.Unmarshal(raw, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gjson", func(b *testing.B) { // three members
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			found := gjson.GetManyBytes(raw, "data.work_order_number", "data.project.project_name", "data.estimated_hours")
			if len(found) != 3 || found[2].Num == 0 {
				b.Fatal(found)
			}
		}
	})
}
