package events_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/events"
)

func TestOptional(t *testing.T) {
	t.Parallel()
	var absent events.Optional[string]
	for _, test := range []struct {
		o              events.Optional[string]
		value, or      string
		ok, null, zero bool
		json, text     string
	}{
		{absent, "", "other", false, false, true, `{}`, ""},
		{events.Null[string](), "", "other", false, true, false, `{"member":null}`, "null"},
		{events.Of(""), "", "", true, false, false, `{"member":""}`, ""},
		{events.Of("a"), "a", "a", true, false, false, `{"member":"a"}`, "a"},
	} {
		value, ok := test.o.Get()
		if value != test.value || ok != test.ok || test.o.Value() != test.value || test.o.Or("other") != test.or {
			t.Errorf("%+v: Get %q, %t, Value %q, Or %q", test, value, ok, test.o.Value(), test.o.Or("other"))
		}
		if test.o.IsNull() != test.null || test.o.IsZero() != test.zero {
			t.Errorf("%+v: IsNull %t, IsZero %t", test, test.o.IsNull(), test.o.IsZero())
		}
		if got := fmt.Sprint(test.o); got != test.text {
			t.Errorf("%+v is printed as %q", test, got)
		}
		type object struct {
			Member events.Optional[string] `json:"member,omitzero"`
		}
		if got := string(encode(t, object{test.o})); got != test.json {
			t.Errorf("%+v is encoded as %s", test, got)
		}
		var again object
		if err := json.Unmarshal([]byte(test.json), &again); err != nil || again.Member != test.o {
			t.Errorf("%s is decoded as %+v, %v", test.json, again, err)
		}
	}
}

func TestOptional_without_omitzero(t *testing.T) {
	t.Parallel()
	if got := string(encode(t, []events.Optional[int64]{{}, events.Of(int64(0))})); got != "[null,0]" {
		t.Errorf("got %s", got)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		v          events.Value
		text, json string
	}{
		{nil, "", "null"},
		{events.ValueOf("a \"b\""), `a "b"`, `"a \"b\""`},
		{events.ValueOf(true), "true", "true"},
		{events.ValueOf(7), "7", "7"},
		{events.Value(`"\u00e9"`), "é", `"\u00e9"`},
		{events.Value(`5000.00`), "5000.00", "5000.00"},
		{events.Value(`[1,2]`), "[1,2]", "[1,2]"},
	} {
		if got := test.v.String(); got != test.text {
			t.Errorf("%s is the text %q", test.json, got)
		}
		if got := string(encode(t, test.v)); got != test.json {
			t.Errorf("%s is encoded as %s", test.json, got)
		}
	}
	var again []events.Value
	if err := json.Unmarshal([]byte(`[null, 5000.00]`), &again); err != nil || again[0].String() != "null" || again[1].String() != "5000.00" {
		t.Errorf("got %s, %v", again, err)
	}
}

func TestStringOrNumber(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		text     string
		isNumber bool
		number   float64
	}{
		`"86"`:     {"86", false, 86},
		`86.50`:    {"86.50", true, 86.5},
		`""`:       {"", false, math.NaN()},
		`"4 days"`: {"4 days", false, math.NaN()},
	} {
		var v events.StringOrNumber
		if err := json.Unmarshal([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		f, err := v.Float64()
		if err != nil {
			f = math.NaN()
		}
		if v.String() != want.text || v.IsNumber() != want.isNumber || f != want.number && !math.IsNaN(want.number) || math.IsNaN(f) != math.IsNaN(want.number) {
			t.Errorf("%s: %q, number %t, %v, %v", raw, v, v.IsNumber(), f, err)
		}
		if got := string(encode(t, v)); got != raw {
			t.Errorf("%s is encoded as %s", raw, got)
		}
	}
	if got := string(encode(t, []events.StringOrNumber{{}, events.Text("8"), events.Number(8), events.Number(1e21)})); got != `["","8",8,1e+21]` {
		t.Errorf("got %s", got)
	}
	if _, err := json.Marshal(events.Number(math.Inf(1))); err == nil {
		t.Error("an infinite number is encoded")
	}
}

func TestStringOrList(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		text   string
		isList bool
		list   []string
	}{
		`"Roofing, Glazing"`:    {"Roofing, Glazing", false, []string{"Roofing", "Glazing"}},
		`"Roofing"`:             {"Roofing", false, []string{"Roofing"}},
		`""`:                    {"", false, nil},
		`[]`:                    {"", true, nil},
		`["Roofing","Glazing"]`: {"Roofing, Glazing", true, []string{"Roofing", "Glazing"}},
	} {
		var v events.StringOrList
		if err := json.Unmarshal([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		if v.String() != want.text || v.IsList() != want.isList || !slices.Equal(v.List(), want.list) {
			t.Errorf("%s: %q, list %t, %q", raw, v, v.IsList(), v.List())
		}
		if got := string(encode(t, v)); got != raw {
			t.Errorf("%s is encoded as %s", raw, got)
		}
	}
	if got := string(encode(t, []events.StringOrList{{}, events.Joined("a, b"), events.List(), events.List("a", "b")})); got != `["","a, b",[],["a","b"]]` {
		t.Errorf("got %s", got)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 3, 2, 15, 20, 4, 500_000_000, time.UTC)
	for _, text := range []events.Timestamp{"2026-03-02T15:20:04.5Z", "2026-03-02T15:20:04.500Z", "2026-03-02T16:20:04.5+01:00", "2026-03-02t15:20:04.5z"} {
		if got, err := text.Time(); err != nil || !got.Equal(moment) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got := events.TimestampOf(moment.In(time.FixedZone("", 3600))); got != "2026-03-02T15:20:04.5Z" {
		t.Errorf("TimestampOf: %s", got)
	}
	for _, text := range []events.Timestamp{"", "yesterday", "2026-03-02", "2026-12-31T23:59:60Z"} {
		if got, err := text.Time(); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -8*3600)
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	if got, err := events.Date("2026-03-02").Time(zone); err != nil || !got.Equal(day) {
		t.Errorf("%v, %v", got, err)
	}
	if got := events.DateOf(day.Add(23 * time.Hour)); got != "2026-03-02" {
		t.Errorf("DateOf: %s", got)
	}
	if got, err := events.Date("26-3-2").Time(zone); err == nil {
		t.Errorf("26-3-2 is %v", got)
	}
}
