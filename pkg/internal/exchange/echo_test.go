package exchange_test

import (
	"reflect"
	"testing"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestMaskEcho(t *testing.T) {
	t.Parallel()
	secrets := []webhook.Secret{
		webhooktest.Secret(t, "s3cret-key"), webhooktest.Secret(t, "s3cret-key-2"), // one begins with the other
		webhooktest.Secret(t, `q"<uoted`), webhooktest.Secret(t, "short"),
	}
	request := header("X-API-Key", "the-api-key", "Authorization", "Bearer t0ken-1", "X-Project", "project-7", "X-Shared", "shared-1")
	for text, want := range map[string]string{
		"":                              "",
		"nothing of them":               "nothing of them",
		"s3cret-key s3cret-key":         "[redacted] [redacted]",
		"s3cret-key-2, s3cret-key":      "[redacted], [redacted]",
		`q"<uoted`:                      "[redacted]",
		`{"a":"q\"<uoted"}`:             `{"a":"[redacted]"}`,
		`{"a":"q\"\u003cuoted"}`:        `{"a":"[redacted]"}`,
		"the-api-key for project-7":     "[redacted] for project-7",
		"Authorization: Bearer t0ken-1": "Authorization: [redacted]",
		"token t0ken-1":                 "token [redacted]",
		"shared-1":                      "[redacted]",
		"a short word":                  "a short word",
	} {
		response := func(text string) *webhook.Response {
			return &webhook.Response{Status: 401, Header: header("X-Debug", text, "X-A", "1"), Body: []byte(text)}
		}
		record := webhook.Record{Request: webhook.Request{Header: request}, Response: response(text), Forward: response(text), Error: text}
		given := record
		got := exchange.MaskEcho(record, secrets, "x-shared")
		if !reflect.DeepEqual(got.Response, response(want)) || !reflect.DeepEqual(got.Forward, response(want)) || got.Error != want {
			t.Errorf("%q: response %+v, forward %+v, error %q", text, got.Response, got.Forward, got.Error)
		}
		if !reflect.DeepEqual(given.Response, response(text)) || !reflect.DeepEqual(got.Request.Header, request) {
			t.Errorf("%q: the response that was given is %+v, the request has %v", text, given.Response, got.Request.Header)
		}
	}
	// Before there is a response, there is nothing to mask.
	if got := exchange.MaskEcho(webhook.Record{ID: "rec_1"}, secrets); !reflect.DeepEqual(got, webhook.Record{ID: "rec_1"}) {
		t.Errorf("an empty record became %+v", got)
	}
}
