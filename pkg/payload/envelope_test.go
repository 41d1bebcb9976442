package payload_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	data := `{ "cost": 1.50 }`
	h := payload.Head{ID: "evt_1", Time: time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC), Source: "erp"}
	tests := []struct {
		platform webhook.Platform
		form     webhook.Form
		name     string
		want     string
	}{
		{webhook.WorkSkedge, webhook.Inbound, "work_order.created", `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"erp","data":` + data + `}`},
		{webhook.WorkSkedge, webhook.Outbound, "work_order.created", `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"comp_hollisfrost","data":` + data + `}`},
		{webhook.WorkSkedge, webhook.Compact, "workorder.created", `{"event":"workorder.created","timestamp":"2026-01-15T14:30:00Z","data":` + data + `}`},
		{webhook.Worksome, webhook.WorksomeForm, "hireUpdated", `{"event":"hireUpdated","data":` + data + `}`},
	}
	for _, tt := range tests {
		d, err := webhook.DefaultCatalog().Lookup(tt.platform, tt.form, tt.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := payload.Wrap(d, []byte(" "+data+"\n"), h)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.form, got, err, tt.want)
		}
		if again, err := payload.Wrap(d, got, payload.Head{}); err != nil || string(again) != tt.want {
			t.Errorf("%s: an envelope was changed to %s, %v", tt.form, again, err)
		}
	}
}

// A sample changes in its id and its time alone.
func TestSample(t *testing.T) {
	t.Parallel()
	h := payload.Head{ID: "evt_fresh", Time: time.Date(2031, 1, 15, 14, 30, 0, 0, time.UTC)}
	for _, d := range webhook.DefaultCatalog().Events("", "") {
		sample := d.Sample()
		if sample == nil || d.Form == webhook.Inbound || d.Form == webhook.Template {
			continue
		}
		was, err := webhook.ParseEvent(sample)
		if err != nil {
			t.Fatal(err)
		}
		got, err := payload.Sample(d, h)
		if err != nil {
			t.Fatal(err)
		}
		want := string(sample)
		if d.Form == webhook.Outbound {
			want = strings.Replace(want, `"event_id":"`+was.ID+`"`, `"event_id":"evt_fresh"`, 1)
		}
		if d.Form != webhook.WorksomeForm {
			want = strings.Replace(want, `"timestamp":"`+was.Timestamp+`"`, `"timestamp":"2031-01-15T14:30:00Z"`, 1)
		}
		if string(got) != want {
			t.Errorf("%s %s: %s\nwant %s", d.Form, d.Type, got, want)
		}
	}
}

func TestWrap_refuses(t *testing.T) {
	t.Parallel()
	d, err := webhook.DefaultCatalog().Lookup(webhook.WorkSkedge, webhook.Inbound, "work_order.created")
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		`{"a":1,}`: "line 1, column 8",
		`[1]`:      "an event is a JSON object",
		`{"event_type":"work_order.created","event_id":"e"}`: "this is an envelope of the form outbound",
		`{"event":"work_order.created","data":{}}`:           "this is an envelope of the form compact",
		`{"event_type":"work_order.updated"}`:                "the envelope is of work_order.updated, not of work_order.created",
		`{"event_type":5}`:                                   "event_type must be a string",
		`{"timestamp":"t","data":{}}`:                        "it has no event_type",
	} {
		if got, err := payload.Wrap(d, []byte(raw), payload.Head{}); got != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v; want %s", raw, got, err, want)
		}
	}
	worksome, err := webhook.DefaultCatalog().Lookup(webhook.Worksome, "", "hireEnded")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := payload.Sample(worksome, payload.Head{}); !errors.Is(err, payload.ErrNoSample) {
		t.Errorf("error %v, want ErrNoSample", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	d := webhook.Definition{Platform: webhook.WorkSkedge, Form: webhook.Outbound, Type: "custom.event"}
	data := []byte(` {"event_type":"x", "data": {}} `) // looks like an envelope, and is data
	got, err := payload.New(d, data, payload.Head{ID: "evt_1", Time: time.Unix(0, 0), CompanyID: "comp_1"})
	want := `{"event_id":"evt_1","event_type":"custom.event","timestamp":"1970-01-01T00:00:00Z","company_id":"comp_1","data":{"event_type":"x", "data": {}}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if got, err := payload.New(d, []byte("{"), payload.Head{}); err == nil {
		t.Errorf("data that is not JSON became %s", got)
	}
}
