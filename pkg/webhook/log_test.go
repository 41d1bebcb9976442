package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

// logged returns what log/slog writes of a value, without the time.
func logged(v any) (text, inJSON string) {
	noTime := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key != "value" {
			return slog.Attr{}
		}
		return a
	}}
	var t, j bytes.Buffer
	slog.New(slog.NewTextHandler(&t, noTime)).Info("", "value", v)
	slog.New(slog.NewJSONHandler(&j, noTime)).Info("", "value", v)
	return strings.TrimSpace(t.String()), strings.TrimSpace(j.String())
}

// That no credential leaks is tested in pkg/internal/logvalue, for every type of
// every package; here is what remains.
func TestLogValue(t *testing.T) {
	t.Parallel()
	r := leaky()
	r.Direction, r.Platform, r.Event, r.WebhookID = webhook.Sent, webhook.WorkSkedge, "work_order.created", "wh_1"
	r.Verdict, r.Duration = &webhook.Verdict{Outcome: webhook.Refused}, 12_500_000
	event, err := webhook.ParseEvent(order)
	if err != nil {
		t.Fatal(err)
	}
	header := webhook.Header{{Name: "X-API-Key", Value: "hunter2"}, {Name: "Content-Type", Value: "text/plain"}}
	request := webhook.Request{Method: "POST", URL: "https://u:hunter2@h/?token=hunter2", Header: header, Body: []byte("body")}
	for _, test := range []struct {
		value                any
		text, inJSON, format string
	}{
		{
			r,
			`value.id=r1 value.direction=sent value.platform=workskedge value.event=work_order.created value.webhook_id=wh_1 value.url="https://[redacted]@h/hook?api_key=[redacted]" value.attempt=0 value.body_bytes=4 value.outcome=refused value.status=302 value.duration=12.5ms value.error="Post \"https://[redacted]@h/?token=[redacted]\": EOF"`,
			`{"value":{"id":"r1","direction":"sent","platform":"workskedge","event":"work_order.created","webhook_id":"wh_1","url":"https://[redacted]@h/hook?api_key=[redacted]","attempt":0,"body_bytes":4,"outcome":"refused","status":302,"duration":12500000,"error":"Post \"https://[redacted]@h/?token=[redacted]\": EOF"}}`,
			`[id=r1 direction=sent platform=workskedge event=work_order.created webhook_id=wh_1 url=https://[redacted]@h/hook?api_key=[redacted] attempt=0 body_bytes=4 outcome=refused status=302 duration=12.5ms error=Post "https://[redacted]@h/?token=[redacted]": EOF]`,
		},
		{
			request,
			`value.method=POST value.url="https://[redacted]@h/?token=[redacted]" value.headers="[X-API-Key: [redacted] Content-Type: text/plain]" value.body_bytes=4`,
			`{"value":{"method":"POST","url":"https://[redacted]@h/?token=[redacted]","headers":[["X-API-Key","[redacted]"],["Content-Type","text/plain"]],"body_bytes":4}}`,
			`[method=POST url=https://[redacted]@h/?token=[redacted] headers=[X-API-Key: [redacted] Content-Type: text/plain] body_bytes=4]`,
		},
		{header, `value="[X-API-Key: [redacted] Content-Type: text/plain]"`, `{"value":[["X-API-Key","[redacted]"],["Content-Type","text/plain"]]}`, `[X-API-Key: [redacted] Content-Type: text/plain]`},
		{header[0], `value="X-API-Key: [redacted]"`, `{"value":"X-API-Key: [redacted]"}`, "X-API-Key: [redacted]"},
		{
			event,
			`value.platform=workskedge value.form=inbound value.type=work_order.created value.timestamp=2026-03-02T15:20:00Z value.source=dispatch_board value.bytes=171`,
			`{"value":{"platform":"workskedge","form":"inbound","type":"work_order.created","timestamp":"2026-03-02T15:20:00Z","source":"dispatch_board","bytes":171}}`,
			`[platform=workskedge form=inbound type=work_order.created timestamp=2026-03-02T15:20:00Z source=dispatch_board bytes=171]`,
		},
		{
			webhook.Verifier{Secrets: []webhook.Secret{secretOf(t, hidden)}},
			`value.scheme=timestamp.body value.secrets=1 value.tolerance=0s value.url=""`,
			`{"value":{"scheme":"timestamp.body","secrets":1,"tolerance":0,"url":""}}`,
			`[scheme=timestamp.body secrets=1 tolerance=0s url=]`,
		},
		{secretOf(t, hidden), "value=[redacted]", `{"value":"[redacted]"}`, "[redacted]"},
	} {
		text, inJSON := logged(test.value)
		if text != test.text || inJSON != test.inJSON {
			t.Errorf("%T is logged as\n%s\n%s\nwant\n%s\n%s", test.value, text, inJSON, test.text, test.inJSON)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
			if got := fmt.Sprintf(verb, test.value); got != test.format {
				t.Errorf("%T by %s:\n%s\nwant\n%s", test.value, verb, got, test.format)
			}
		}
	}
}

// The JSON of a request or of a line alone is that of a record, with credentials
// masked.
func TestRequestJSON_masks_credentials(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(leaky().Request)
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("%s, %v", text, err)
	}
	var back webhook.Request
	if err := json.Unmarshal(text, &back); err != nil || back.Header.Get("X-Webhook-Signature") != "c0ffee" || back.Header.Get("X-API-Key") != webhook.Redacted {
		t.Errorf("read back: %v, %v", back, err)
	}
	var lines []webhook.Pair
	text, err = json.Marshal([]webhook.Pair{{Name: "X-Token", Value: "hunter2"}, {Name: "X-Raw", Value: "\xff"}})
	if want := `[["X-Token","[redacted]"],["X-Raw","/w==","base64"]]`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	if err := json.Unmarshal(text, &lines); err != nil || lines[1].Value != "\xff" {
		t.Errorf("read back: %q, %v", lines[1].Value, err)
	}
}
