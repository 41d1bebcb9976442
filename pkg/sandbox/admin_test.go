package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestAdminRefusesRemoteClients(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	for name, c := range map[string]struct {
		header http.Header
		want   int
	}{
		"plain":              {http.Header{}, 200},
		"another host":       {http.Header{"Host": {"evil.example"}}, 403},
		"a rebound name":     {http.Header{"Host": {"127.0.0.1.evil.example"}}, 403},
		"localhost":          {http.Header{"Host": {"localhost:1"}}, 200},
		"cross-site":         {http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"another origin":     {http.Header{"Origin": {"https://evil.example"}}, 403},
		"an opaque origin":   {http.Header{"Origin": {"null"}}, 403},
		"typed by a person":  {http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		"same-site is other": {http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"one of two":         {http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}}, 403},
		"another scheme":     {http.Header{"Origin": {strings.Replace(d.url, "http:", "https:", 1)}}, 403},
		"its own page":       {http.Header{"Origin": {d.url}, "Sec-Fetch-Site": {"same-origin"}}, 200},
		"a tunnel":           {http.Header{"X-Forwarded-For": {"203.0.113.9"}}, 403},
	} {
		if got := d.raw(http.MethodGet, AdminPath+"status", "", c.header); got.status != c.want {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if got := d.raw(http.MethodPost, AdminPath+"reset", "{}", http.Header{"Content-Type": {"text/plain"}}); got.status != 400 {
		t.Errorf("a form: %d", got.status)
	}
	if got := d.raw(http.MethodPost, AdminPath+"reset", "{} {}", http.Header{"Content-Type": {"application/json"}}); got.status != 400 {
		t.Errorf("two values: %d", got.status)
	}
	if got := d.raw(http.MethodGet, AdminPath+"records?limit=-1", "", http.Header{}); got.status != 400 {
		t.Errorf("a negative limit: %d", got.status)
	}
	r := httptest.NewRequest(http.MethodGet, "http://localhost"+AdminPath+"status", nil)
	r.RemoteAddr = "192.168.1.7:1234"
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("over the network: %d", w.Code)
	}
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); strings.Contains(got.raw, testSecret) || strings.Contains(got.raw, testKey) {
		t.Errorf("the status contains a key or a secret: %s", got.raw)
	}
}

// A subscription that would receive nothing, or its own changes, is refused.
func TestAdminSubscribeRefusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	for body, want := range map[string]string{
		`{"url":"http://127.0.0.1:9","api_key":"key_mistyped"}`:                           "not one of company comp_1",
		`{"url":"http://127.0.0.1:9","events":["work_oder"]}`:                             `did you mean`,
		`{"url":"http://127.0.0.1:9","events":["nope.*"],"form":"compact"}`:               "unknown compact event",
		`{"url":"http://127.0.0.1:9","events":["["]}`:                                     "is not a valid glob",
		`{"url":"http://127.0.0.1:9","form":"round"}`:                                     "unknown form",
		`{"url":"http://192.168.1.7/"}`:                                                   "private or special address",
		`{"url":"http://127.0.0.1:9","events":["work_order"],"form":"compact"}`:           "",
		`{"url":"http://127.0.0.1:9","events":["timesheet"],"api_key":"` + testKey + `"}`: "",
	} {
		got := d.raw(http.MethodPost, AdminPath+"subscriptions", body, http.Header{"Content-Type": {"application/json"}})
		if want == "" && got.status != http.StatusOK || want != "" && (got.status != http.StatusBadRequest || !strings.Contains(got.raw, want)) || strings.Contains(got.raw, "key_mistyped") {
			t.Errorf("%s: %d %s", body, got.status, got.raw)
		}
	}
}

// TestAdminAPI uses the requests of the admin API.
func TestAdminAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	var mu sync.Mutex
	status, came := 500, 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		came++
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	jsonHeader := http.Header{"Content-Type": {"application/json"}}
	post := func(path, body string) reply {
		t.Helper()
		return d.raw(http.MethodPost, AdminPath+path, body, jsonHeader)
	}
	if got := post("subscriptions", `{"url":"http://10.0.0.1/"}`); got.status != 400 {
		t.Errorf("a private target: %d %s", got.status, got.raw)
	}
	if got := post("subscriptions", `{"url":"`+receiver.URL+`","events":["vendor"]}`); got.status != 200 {
		t.Fatalf("subscribing: %s", got.raw)
	}
	d.send("vendor.created", `{"vendor_name":"V"}`)
	d.idle()
	for _, step := range []struct{ by, want string }{ // the pauses are 1m, 5m, 15m, 1h and 6h
		{"30s", `"due":0,"attempts":0,"delivered":0,"dead":0}`},
		{"6h", `"due":4,"attempts":4,"delivered":0,"dead":0}`},
		{"23h59m30s", `"due":1,"attempts":1,"delivered":0,"dead":1}`},
	} {
		if got := post("advance", `{"duration":"`+step.by+`"}`); got.status != 200 || !strings.Contains(got.raw, step.want) {
			t.Fatalf("advancing by %s: %s", step.by, got.raw)
		}
	}
	if got := post("deliveries/resend", `{"state":"dead"}`); got.status != 200 || !strings.Contains(got.raw, `"resent":1`) || !strings.Contains(got.raw, `"state":"pending"`) || !strings.Contains(got.raw, `"status":500`) {
		t.Errorf("resending to a receiver that fails: %s", got.raw)
	}
	post("advance", `{"duration":"8h"}`)
	if got := d.raw(http.MethodGet, AdminPath+"deliveries?state=dead", "", http.Header{}); !strings.Contains(got.raw, `"attempts":6`) || came != 12 {
		t.Errorf("after the schedule, %d attempts: %s", came, got.raw)
	}
	mu.Lock()
	status = 200
	mu.Unlock()
	if got := post("deliveries/resend", `{"state":"dead"}`); got.status != 200 || !strings.Contains(got.raw, `"resent":1`) || !strings.Contains(got.raw, `"state":"delivered"`) {
		t.Errorf("resending: %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); !strings.Contains(got.raw, `"deliveries":{"delivered":1}`) || !strings.Contains(got.raw, `"vendor":1`) || !strings.Contains(got.raw, `"advanced":"38h0m0s"`) {
		t.Errorf("the status is %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"records?kind=vendor", "", http.Header{}); !strings.Contains(got.raw, `"vendor_name":"V"`) {
		t.Errorf("records: %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"records?kind=vender", "", http.Header{}); got.status != 400 {
		t.Errorf("an unknown kind: %s", got.raw)
	}
	if got := post("reset", `{}`); got.status != 200 {
		t.Errorf("resetting: %s", got.raw)
	}
	if got := d.raw(http.MethodGet, AdminPath+"status", "", http.Header{}); !strings.Contains(got.raw, `"vendor":0`) || !strings.Contains(got.raw, `"advanced":"0s"`) || !strings.Contains(got.raw, `"employee":1`) {
		t.Errorf("after a reset: %s", got.raw)
	}
}
