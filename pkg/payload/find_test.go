package payload_test

import (
	"errors"
	"testing"

	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestFind(t *testing.T) {
	t.Parallel()
	sent := []webhook.Form{webhook.Outbound, webhook.Compact, webhook.WorksomeForm}
	for _, tt := range []struct {
		why, name, raw string
		forms          []webhook.Form
		want           webhook.Form
	}{
		{"one form has it", "workorder.created", "", sent, webhook.Compact},
		{"one form has it, of another platform", "hireUpdated", "", sent, webhook.WorksomeForm},
		{"several have it: the first", "vendor.created", "", sent, webhook.Outbound},
		{"several have it: the envelope", "vendor.created", `{"event":"vendor.created","data":{}}`, sent, webhook.Compact},
		{"the envelope is of another event", "vendor.created", `{"event":"vendor.updated","data":{}}`, sent, webhook.Outbound},
		{"the envelope is of a form that is not wanted", "vendor.created", `{"event_type":"vendor.created","data":{}}`, sent, webhook.Outbound},
		{"the content is the data alone", "vendor.created", `{"vendor_name":"x"}`, sent, webhook.Outbound},
		{"the content is not JSON", "vendor.created", `{`, sent, webhook.Outbound},
		{"the order decides", "vendor.created", "", []webhook.Form{webhook.Compact, webhook.Outbound}, webhook.Compact},
	} {
		d, err := payload.Find(webhook.DefaultCatalog(), tt.name, []byte(tt.raw), tt.forms...)
		if err != nil || d.Type != tt.name || d.Form != tt.want {
			t.Errorf("%s: %s in the form %s, %v; want %s", tt.why, d.Type, d.Form, err, tt.want)
		}
	}
	_, err := payload.Find(webhook.DefaultCatalog(), "vendor.create", nil, sent...)
	var unknown *webhook.UnknownError
	if !errors.As(err, &unknown) || unknown.Nearest != "vendor.created" || unknown.Kind != "event" {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := payload.Find(webhook.DefaultCatalog(), "vendor.created", nil, webhook.Template); err == nil {
		t.Error("a form that has no such event")
	}
}
