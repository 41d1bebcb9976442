package receive_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestRecordContainsTheRequestAndTheAnswer(t *testing.T) {
	ticks := 0
	r := newReceiver(t, func(c *receive.Config) {
		c.NewID = func() string { return "rec_7" }
		c.Now = func() time.Time { ticks++; return clock.Add(time.Duration(ticks) * time.Millisecond) }
	})
	body := "\r\n" + strings.Replace(payload, "wo_1", "\u202e\u009b\\u0000\x7f", 1) + "\n"
	h := header("evt_1", body, clock)
	h.Set(webhook.HeaderEvent, "work_order.created")
	h.Set(webhook.HeaderRetry, "3")
	h["X-Many"] = []string{"b", "a", "b"}
	h["X-Bytes"] = []string{"\xff\xfe \x1b]52;c;aGk=\x07 \u202e\t"}
	request := post(h, body)
	request.Host = "hooks.example:3000"
	request.RequestURI = "/hooks?a=%20b&a"
	wantAnswer(t, r.answerTo(request), 200, taken)

	want := webhook.Record{
		ID: "rec_7", Time: clock.Add(time.Millisecond), Direction: webhook.Received, Platform: webhook.WorkSkedge, Form: webhook.Outbound,
		Event: "work_order.created", WebhookID: "evt_1", Attempt: 3, Scheme: webhook.TimestampBody,
		Request: webhook.Request{
			Method: "POST", URL: "/hooks?a=%20b&a", Body: []byte(body),
			Header: append(webhook.Header{{Name: "Host", Value: "hooks.example:3000"}}, webhook.HeaderOf(h)...),
		},
		Verdict: &webhook.Verdict{Outcome: webhook.Accepted, Verified: true},
		Response: &webhook.Response{
			Status: 200, Header: webhook.Header{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(taken),
		},
		Duration: time.Duration(ticks-1) * time.Millisecond,
	}
	got := r.last(t)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded as\n%+v, want\n%+v", got, want)
	}
	var line bytes.Buffer
	if err := webhook.NewEncoder(&line).Encode(got); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(line.Bytes(), "\x1b\x07") {
		t.Errorf("a raw control character is in the line %q", line.Bytes())
	}
	again, err := webhook.NewDecoder(&line).Decode()
	if err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("read again as\n%+v, %v", again, err)
	}
}

func TestRecordOfARefusalContainsTheRequest(t *testing.T) {
	r := newReceiver(t, func(c *receive.Config) { c.MaxBody = 1024; c.Platform = webhook.WorkSkedge })
	for from := range 7 {
		want := brokenRequest(from)
		answer := r.answerTo(brokenRequest(from))
		got := r.last(t)
		if got.Request.Method != want.Method || got.Request.URL != "/hooks" || len(got.Request.Header) < len(want.Header) {
			t.Errorf("%d: recorded the request as %+v", answer.Code, got.Request)
		}
		if got.Response.Status != answer.Code || string(got.Response.Body) != answer.Body.String() || got.Platform != webhook.WorkSkedge {
			t.Errorf("%d: recorded the answer as %+v", answer.Code, got.Response)
		}
		if got.Verdict.Outcome != webhook.Refused || got.Verdict.Reason == "" || got.Verdict.Detail == "" {
			t.Errorf("%d: recorded as %+v", answer.Code, got.Verdict)
		}
		if held := len(got.Request.Body) > 0; held != (from > 2) {
			t.Errorf("%d: a body of %d bytes is in the record", answer.Code, len(got.Request.Body))
		}
	}
}

func TestRecordWarnsOfAnEventHeaderThatDiffersFromTheBody(t *testing.T) {
	tests := []struct {
		name, body string
		named      string
		warned     bool
	}{
		{"the same", payload, "work_order.created", false},
		{"another", payload, "work_order.deleted", true},
		{"in another spelling", payload, "Work_Order.Created", true},
		{"none", payload, "", false},
		{"with control characters", payload, "work_order.created\x1b[31m", true},
		{"on a body without a type", `{"data":{}}`, "work_order.created", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, nil)
			h := header("evt_1", tt.body, clock)
			h.Set(webhook.HeaderEvent, tt.named)
			wantAnswer(t, r.answerTo(post(h, tt.body)), 200, taken)
			warned := false
			for _, w := range r.last(t).Verdict.Warnings {
				warned = warned || strings.Contains(w, webhook.HeaderEvent) && strings.Contains(w, tt.named)
			}
			if warned != tt.warned {
				t.Errorf("warnings %q", r.last(t).Verdict.Warnings)
			}
		})
	}
}

func TestRecordAttemptIsTheRetryHeader(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "0": 0, "1": 1, "5": 5, "65535": 65535, "65536": 0, "-1": 0, "+1": 0, "one": 0, "1.0": 0, "99999999999999999999": 0,
	} {
		r := newReceiver(t, nil)
		h := header("evt_1", payload, clock)
		h.Set(webhook.HeaderRetry, text)
		wantAnswer(t, r.answerTo(post(h, payload)), 200, taken)
		if got := r.last(t).Attempt; got != want {
			t.Errorf("%q is attempt %d, want %d", text, got, want)
		}
	}
}

func TestRecordPlatformIsTheEnvelopesOrTheConfigured(t *testing.T) {
	for body, want := range map[string]webhook.Platform{
		payload:                               webhook.WorkSkedge,
		`{"event":"hireUpdated","data":{}}`:   webhook.Worksome,
		`{"event":"workorder.created"}`:       webhook.WorkSkedge,
		`{"assignment_id":"1"}`:               webhook.WorkMarket,
		`["no envelope"]`:                     webhook.WorkMarket,
		`{"event":"a.b","event_id":"1"}`:      webhook.WorkSkedge,
		`{"event_type":"a.b","company_id":1}`: webhook.WorkSkedge,
	} {
		r := newReceiver(t, func(c *receive.Config) { c.Platform = webhook.WorkMarket })
		r.deliver("evt_1", body, clock)
		if got := r.last(t).Platform; got != want {
			t.Errorf("%s is of platform %q, want %q", body, got, want)
		}
	}
}

// A response reveals nothing to a forger: neither the signature that would be
// right nor what the sender wrote.
func TestAnswerRepeatsNothingOfTheRequest(t *testing.T) {
	const mark = "a-mark-of-the-sender"
	r := newReceiver(t, nil)
	good := header("evt_1", payload, clock)
	for _, name := range []string{
		webhook.HeaderSignature, webhook.HeaderTimestamp, webhook.HeaderID, webhook.HeaderEvent, webhook.HeaderRetry,
		"Content-Encoding", "Content-Type", "X-Other",
	} {
		for _, twice := range []bool{false, true} {
			h := good.Clone()
			if h.Set(name, mark); twice {
				h.Add(name, mark)
			}
			request := post(h, payload)
			request.Method = "POST"
			got := r.answerTo(request)
			text := fmt.Sprint(got.Header(), got.Body)
			if strings.Contains(text, mark) || strings.Contains(text, good.Get(webhook.HeaderSignature)) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	request := post(good, payload)
	request.Method = strings.ToUpper(mark)
	if got := r.answerTo(request); strings.Contains(got.Body.String(), request.Method) {
		t.Errorf("answered %s", got.Body)
	}
}

func TestConfigSinkIsCalledAfterTheAnswerIsWritten(t *testing.T) {
	w := &flushed{header: http.Header{}}
	var at string
	handler, err := receive.New(receive.Config{
		SkipVerify: true, Now: func() time.Time { return clock }, NewID: func() string { return "1" },
		App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			w.log = append(w.log, "app")
			return receive.OK()
		},
		Sink: func(webhook.Record) { at = strings.Join(w.log, " ") },
	})
	if err != nil {
		t.Fatal(err)
	}
	handler.ServeHTTP(w, post(http.Header{}, payload))
	if at != "app status body flush" {
		t.Errorf("the sink was called after %q", at)
	}
}

// flushed is a ResponseWriter that logs what is asked of it.
type flushed struct {
	header http.Header
	log    []string
}

func (f *flushed) Header() http.Header         { return f.header }
func (f *flushed) WriteHeader(int)             { f.log = append(f.log, "status") }
func (f *flushed) Write(p []byte) (int, error) { f.log = append(f.log, "body"); return len(p), nil }
func (f *flushed) Flush()                      { f.log = append(f.log, "flush") }
