package webhook_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestRedactURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                    "",
		"/hooks/inbound":                      "/hooks/inbound",
		"https://example.com/a?b=c#d":         "https://example.com/a?b=c#d",
		"https://user:hunter2@example.com/a":  "https://[redacted]@example.com/a",
		"https://hunter2@example.com":         "https://[redacted]@example.com",
		"https://user:hun@ter2@example.com/":  "https://[redacted]@example.com/",
		"https://user:hunter2@[::1]:8080/a":   "https://[redacted]@[::1]:8080/a",
		"https://user:hun/ter2@example.com/a": "https://[redacted]@example.com/a",
		"https://user:hun?ter2@example.com/a": "https://[redacted]@example.com/a",
		"https://user:hun#ter2@example.com/a": "https://[redacted]@example.com/a",
		"//user:hunter2@example.com/a":        "//[redacted]@example.com/a",
		"https://example.com/@scope/pkg":      "https://example.com/@scope/pkg",
		"https://example.com:8080/@scope/pkg": "https://example.com:8080/@scope/pkg",
		"https://[::1]:8080/@scope":           "https://[::1]:8080/@scope",
		"https://example.com/a//b@c":          "https://example.com/a//b@c",
		"/hook?token=hunter2":                 "/hook?token=[redacted]",
		"/hook?a=1&api_key=hunter2&b=2#c":     "/hook?a=1&api_key=[redacted]&b=2#c",
		"/hook?access_token=hunter2?hunter2":  "/hook?access_token=[redacted]",
		"/hook?TOKEN=hunter2":                 "/hook?TOKEN=[redacted]",
		"/hook?to%6ben=hunter2":               "/hook?to%6ben=[redacted]",
		"/hook?%zz=hunter2":                   "/hook?%zz=[redacted]",
		"/hook?token=a=b":                     "/hook?token=[redacted]",
		"/hook?token":                         "/hook?token",
		"/hook?client_secret=&x=1":            "/hook?client_secret=[redacted]&x=1",
		"/hook?q=token&page=2":                "/hook?q=token&page=2",
		"/cb#access_token=hunter2&state=1":    "/cb#access_token=[redacted]&state=1",
		"https://a/?next=https://u:hunter2@b": "https://a/?next=https://[redacted]@b",
		"https://a/?signature=abc&timestamp=": "https://a/?signature=abc&timestamp=",
		"https://[redacted]@example.com/":     "https://[redacted]@example.com/",
	} {
		got := webhook.RedactURL(raw)
		if got != want {
			t.Errorf("%q becomes %q, want %q", raw, got, want)
		}
		if again := webhook.RedactURL(got); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	}
}

func TestRedactURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"connection refused":                              "connection refused",
		`Post "https://u:hunter2@h/p": dial tcp: refused`: `Post "https://[redacted]@h/p": dial tcp: refused`,
		`Post "https://h/p?token=hunter2": EOF`:           `Post "https://h/p?token=[redacted]": EOF`,
		"from http://u:hunter2@a/ to ftp://v:hunter2@b/":  "from http://[redacted]@a/ to ftp://[redacted]@b/",
		"https://u:hun'ter2@h/":                           "https://[redacted]@h/",
		"<https://u:hunter2@h/>; rel=next":                "<https://[redacted]@h/>; rel=next",
		"write to ops@example.com, not to http://h/":      "write to ops@example.com, not to http://h/",
	} {
		if got := webhook.RedactURLs(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestHeaderRedacted(t *testing.T) {
	t.Parallel()
	for name, masked := range map[string]bool{
		"X-API-Key": true, "x-api-key": true, "Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true,
		"X-Auth-Token": true, "X-Client-Secret": true, "X-Amz-Security-Token": true, "Apikey": true, "X-Access-Key": true, "X-Password": true,
		"X-Webhook-Signature": false, "X-Webhook-Timestamp": false, "X-Webhook-ID": false, "X-Webhook-Source": false, "Signature": false,
		"webhook-signature": false, "intuit-signature": false, "x-square-hmacsha256-signature": false,
		"Content-Type": false, "User-Agent": false, "Idempotency-Key": false, "Host": false,
	} {
		if got := (webhook.Pair{Name: name}).IsSensitive(); got != masked {
			t.Errorf("IsSensitive(%q) = %v, want %v", name, got, masked)
		}
		want := "value"
		if masked {
			want = "[redacted]"
		}
		h := webhook.Header{{name, "value"}, {"Other", "stays"}, {name, "value"}}
		if got := h.Redacted(); !reflect.DeepEqual(got, webhook.Header{{name, want}, {"Other", "stays"}, {name, want}}) {
			t.Errorf("%s: %v", name, got)
		}
		if h[0].Value != "value" {
			t.Errorf("%s: the header itself changed", name)
		}
	}
}

// leaky is a record with a credential in every place that can hold one.
func leaky() webhook.Record {
	header := webhook.Header{
		{"X-API-Key", "hunter2"}, {"Authorization", "Bearer hunter2"}, {"Cookie", "sid=hunter2"}, {"Set-Cookie", "sid=hunter2"},
		{"Location", "https://u:hunter2@h/?token=hunter2"}, {"Referer", "https://u:hunter2@h/"}, {"X-Webhook-Signature", "c0ffee"},
	}
	answer := webhook.Response{Status: 302, Header: header, Body: []byte("body")}
	forward := answer
	return webhook.Record{
		ID: "r1", Request: webhook.Request{Method: "POST", URL: "https://u:hunter2@h/hook?api_key=hunter2", Header: header, Body: []byte("body")},
		Response: &answer, Forward: &forward, Error: `Post "https://u:hunter2@h/?token=hunter2": EOF`,
	}
}

func TestRecordRedacted(t *testing.T) {
	t.Parallel()
	r := leaky()
	var stream bytes.Buffer
	if err := webhook.NewEncoder(&stream).Encode(r); err != nil {
		t.Fatal(err)
	}
	inside, err := json.Marshal(map[string]any{"pointer": &r, "list": []webhook.Record{r}})
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{"a stream": stream.String(), "JSON around records": string(inside)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows a credential: %s", how, text)
		}
		if !strings.Contains(text, `["X-Webhook-Signature","c0ffee"]`) || !strings.Contains(text, `"body":"body"`) {
			t.Errorf("%s lost the signature or the body: %s", how, text)
		}
	}
	if !reflect.DeepEqual(r, leaky()) {
		t.Error("the record itself changed")
	}
	if once := r.Redacted(); !reflect.DeepEqual(once, once.Redacted()) {
		t.Error("redacting twice is not redacting once")
	}
}
