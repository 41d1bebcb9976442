package receive_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

func unsignedReceiver(t *testing.T, u *receive.Unsigned, change func(*receive.Config)) (http.Handler, *[]webhook.Record) {
	t.Helper()
	var seen []webhook.Record
	c := receive.Config{
		Platform: webhook.WorkMarket, Unsigned: u, Now: time.Now, NewID: func() string { return "rec_1" },
		Sink: func(r webhook.Record) { seen = append(seen, r) },
	}
	if change != nil {
		change(&c)
	}
	h, err := receive.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, &seen
}

func TestUnsignedAcceptsAnyMethodAndPath(t *testing.T) {
	t.Parallel()
	h, seen := unsignedReceiver(t, &receive.Unsigned{Header: webhook.Header{{Name: "Authorization", Value: "Bearer x"}}}, nil)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		r := httptest.NewRequest(method, "/jobs/1?a=b", strings.NewReader("<not>json"))
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	for n, r := range *seen {
		if !r.Verdict.Verified || r.Verdict.Outcome != webhook.Accepted || r.Form != webhook.Template || string(r.Request.Body) != "<not>json" || r.Request.URL != "/jobs/1?a=b" {
			t.Errorf("record %d is %+v", n, r)
		}
	}
}

func TestUnsignedRequiresEachValueOnce(t *testing.T) {
	t.Parallel()
	u := &receive.Unsigned{Header: webhook.Header{{Name: "X-Hook", Value: "s3cret"}}, Query: webhook.Header{{Name: "t", Value: "a b"}}}
	for name, c := range map[string]struct {
		url     string
		headers []string
		want    int
	}{
		"both":                    {"/?t=a+b", []string{"s3cret"}, 200},
		"no header":               {"/?t=a+b", nil, 401},
		"another value":           {"/?t=a+b", []string{"s3creT"}, 401},
		"a longer value":          {"/?t=a+b", []string{"s3cret2"}, 401},
		"the header twice":        {"/?t=a+b", []string{"s3cret", "s3cret"}, 401},
		"no parameter":            {"/", []string{"s3cret"}, 401},
		"the parameter twice":     {"/?t=a+b&t=a+b", []string{"s3cret"}, 401},
		"an empty one beside it":  {"/?t=&t=a+b", []string{"s3cret"}, 401},
		"a parameter in a body":   {"/?x=1", []string{"s3cret"}, 401},
		"an escaped name as well": {"/?%74=a%20b", []string{"s3cret"}, 200},
	} {
		h, seen := unsignedReceiver(t, u, nil)
		r := httptest.NewRequest("POST", c.url, strings.NewReader("t=a+b"))
		for _, value := range c.headers {
			r.Header.Add("X-Hook", value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
		shown, err := jsontext.Marshal((*seen)[0])
		if err != nil || strings.Contains(string(shown), "s3cre") || strings.Contains(string(shown), "a+b\"") && c.want == 200 && strings.Contains((*seen)[0].Request.URL, "a+b") {
			t.Errorf("%s: the record holds what was asked for: %s, %v", name, shown, err)
		}
	}
}

func TestUnsignedCountsARepeatedRequestTwice(t *testing.T) {
	t.Parallel()
	calls := 0
	h, _ := unsignedReceiver(t, &receive.Unsigned{Header: webhook.Header{{Name: "A", Value: "b"}}}, func(c *receive.Config) {
		c.App = func(context.Context, *webhook.Event, *webhook.Record) webhook.Response { calls++; return receive.OK() }
	})
	for range 2 {
		r := httptest.NewRequest("POST", "/", strings.NewReader("same"))
		r.Header.Set("A", "b")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if calls != 2 {
		t.Errorf("the app got %d", calls)
	}
}

func TestNewRefusesUnsignedWithoutRequirements(t *testing.T) {
	t.Parallel()
	_, err := receive.New(receive.Config{Unsigned: &receive.Unsigned{}, Now: time.Now, NewID: func() string { return "1" }})
	if !errors.Is(err, receive.ErrNoSecret) {
		t.Errorf("error %v", err)
	}
	if _, err := receive.New(receive.Config{Unsigned: &receive.Unsigned{}, SkipVerify: true, Now: time.Now, NewID: func() string { return "1" }}); err != nil {
		t.Errorf("with SkipVerify: %v", err)
	}
}

func TestUnsignedRedactsRequiredValues(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	h, _ := unsignedReceiver(t, &receive.Unsigned{Header: webhook.Header{{Name: "X-Hook", Value: "s3cret"}}}, func(c *receive.Config) {
		c.Store = s
		c.App = func(_ context.Context, _ *webhook.Event, r *webhook.Record) webhook.Response {
			if r.Request.Header.Get("X-Hook") != "s3cret" {
				t.Error("the app does not get what was sent")
			}
			return receive.OK()
		}
	})
	r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	r.Header.Set("X-Hook", "s3cret")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if len(s.records) != 2 {
		t.Fatalf("kept %d times", len(s.records))
	}
	for _, r := range s.records {
		if got := r.Request.Header.Get("X-Hook"); got != "[redacted]" {
			t.Errorf("kept %q", got)
		}
	}
}
