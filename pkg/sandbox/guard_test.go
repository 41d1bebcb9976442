package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestWhoMayNotIsToldNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Limits: []deliver.Limit{}}.withKey())
	body := event("project.search", `{"search_term":"x"}`)
	answers := map[int]string{}
	for name, c := range map[string]struct {
		change func(http.Header)
		want   int
	}{
		"no key":            {func(h http.Header) { h.Del("X-API-Key") }, 401},
		"an unknown key":    {func(h http.Header) { h.Set("X-API-Key", "key") }, 401},
		"two keys":          {func(h http.Header) { h.Add("X-API-Key", testKey) }, 401},
		"another's secret":  {func(h http.Header) { h.Set("X-API-Key", "key_2") }, 403},
		"no signature":      {func(h http.Header) { h.Del("X-Webhook-Signature") }, 403},
		"a short signature": {func(h http.Header) { h.Set("X-Webhook-Signature", "ab") }, 403},
		"another timestamp": {func(h http.Header) {
			h.Set("X-Webhook-Timestamp", webhook.FormatTimestamp(time.Now().Add(time.Second)))
		}, 403},
		"no timestamp":         {func(h http.Header) { h.Del("X-Webhook-Timestamp") }, 403},
		"a repeated signature": {func(h http.Header) { h.Add("X-Webhook-Signature", h.Get("X-Webhook-Signature")) }, 403},
		"nothing is wrong":     {nil, 200},
		"no source":            {func(h http.Header) { h.Del("X-Webhook-Source") }, 200},
		"zapier":               {func(h http.Header) { h.Set("X-Webhook-Source", "zapier") }, 200},
		"an unknown source":    {func(h http.Header) { h.Set("X-Webhook-Source", "sap") }, 400},
		"compressed":           {func(h http.Header) { h.Set("Content-Encoding", "gzip") }, 415},
	} {
		got := d.request(body, c.change)
		if got.status != c.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.raw, c.want)
		}
		if said, seen := answers[got.status]; seen && got.status/100 == 4 && said != got.raw {
			t.Errorf("%s: another answer than to others: %s, %s", name, got.raw, said)
		}
		answers[got.status] = got.raw
	}
	if got := d.raw(http.MethodGet, Path, "", http.Header{}); got.status != 405 {
		t.Errorf("GET: %d", got.status)
	}
	if got := d.raw(http.MethodPost, "/", "", http.Header{}); got.status != 404 || !strings.Contains(got.raw, Path) {
		t.Errorf("another path: %s", got.raw)
	}
}

func TestBothReadingsOfTheSignatureAreTaken(t *testing.T) {
	t.Parallel()
	body := event("test.connection", `{}`)
	secret, err := webhook.NewSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := webhook.SchemeNamed(webhook.BodyOnly)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := scheme.Sign(webhook.Message{Body: []byte(body)}, secret)
	if err != nil {
		t.Fatal(err)
	}
	bodyOnly := func(h http.Header) { h.Set("X-Webhook-Signature", signature) }
	old := func(h http.Header) {
		bodyOnly(h)
		h.Set("X-Webhook-Timestamp", webhook.FormatTimestamp(time.Now().Add(-302*time.Second)))
	}
	unsigned := func(h http.Header) { h.Del("X-Webhook-Signature") }
	both, strict := newDesk(t, Config{}.withKey()), newDesk(t, Config{RequireScheme: webhook.TimestampBody}.withKey())
	for _, c := range []struct {
		d      *desk
		change func(http.Header)
		want   int
	}{{both, nil, 200}, {both, bodyOnly, 200}, {both, old, 403}, {both, unsigned, 200}, {strict, bodyOnly, 403}, {strict, nil, 200}} {
		if got := c.d.request(body, c.change); got.status != c.want {
			t.Errorf("%d %s, want %d", got.status, got.raw, c.want)
		}
	}
	if _, err := New(t.Context(), Config{RequireScheme: "square"}); err == nil {
		t.Error("a scheme of another source was taken")
	}
}

// TestTheLimitsHoldAtTheirEdges counts in injected time.
func TestTheLimitsHoldAtTheirEdges(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	clock := time.Now().Truncate(time.Second)
	d := newDesk(t, Config{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }}.withKey())
	body := event("test.connection", `{}`)
	ask := func() reply { return d.request(body, func(h http.Header) { h.Del("X-Webhook-Signature") }) }
	for n := range 50 {
		got := ask()
		if got.status != 200 || got.header.Get("X-Ratelimit-Limit") != "50" || got.header.Get("X-Ratelimit-Remaining") != strconv.Itoa(49-n) {
			t.Fatalf("request %d: %d, %v", n+1, got.status, got.header)
		}
	}
	got := ask()
	if got.status != 429 || got.header.Get("Retry-After") != "60" || got.body.Error != "Rate limit exceeded" {
		t.Fatalf("request 51: %d %v", got.status, got.header)
	}
	if got := d.request(body, func(h http.Header) { h.Set("X-API-Key", "key_2"); h.Del("X-Webhook-Signature") }); got.status != 200 {
		t.Errorf("another key: %d", got.status)
	}
	step := func(by time.Duration) { mu.Lock(); clock = clock.Add(by); mu.Unlock() }
	if step(59 * time.Second); ask().status != 429 {
		t.Error("after 59 s there is room")
	}
	if step(time.Second); ask().status != 200 {
		t.Error("after 60 s there is no room")
	}
	for n := 51; n < 1000; {
		switch ask().status {
		case 200:
			n++
		case 429:
			step(time.Minute)
		}
	}
	step(time.Minute)
	if got := ask(); got.status != 429 || got.header.Get("X-Ratelimit-Limit") != "1000" {
		t.Errorf("request 1,001 of the hour: %d %v", got.status, got.header)
	}
}
