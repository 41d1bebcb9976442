package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/sandbox/internal/rules"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	testKey    = "key_of_the_tests"
	testSecret = "s3cret-of-the-tests"
)

// desk is a sandbox behind a server, with methods that send to it.
type desk struct {
	*Sandbox
	t   *testing.T
	url string
}

func (c Config) withKey() Config {
	c.Companies = []Company{{ID: "comp_1", Keys: []Key{{Key: testKey, Secret: testSecret}, {Key: "key_2", Secret: "s3cret-two"}},
		Employees: []map[string]any{{"emp_number": "EMP-1", "name": "Ann", "email": "a@example.com", "employee_type": "site_lead"}}}}
	return c
}

func newDesk(t *testing.T, c Config) *desk {
	t.Helper()
	box, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return &desk{box, t, server.URL}
}

func event(name, data string) string {
	return fmt.Sprintf(`{"event_type":%q,"timestamp":"2026-01-15T14:30:00Z","source":"test","data":%s}`, name, data)
}

// reply is a response of the sandbox.
type reply struct {
	status int
	header http.Header
	raw    string
	body   struct {
		Success  bool             `json:"success"`
		Message  string           `json:"message"`
		EventID  string           `json:"event_id"`
		RecordID string           `json:"record_id"`
		Error    string           `json:"error"`
		Details  []rules.Detail   `json:"details"`
		Results  []map[string]any `json:"results"`
		Count    int              `json:"count"`
	}
}

func (d *desk) request(body string, change func(http.Header)) reply {
	d.t.Helper()
	secret, err := webhook.NewSecret(testSecret)
	if err != nil {
		d.t.Fatal(err)
	}
	lines, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		d.t.Fatal(err)
	}
	h := lines.HTTP()
	h.Set("X-API-Key", testKey)
	h.Set("X-Webhook-Source", "custom")
	h.Set("Content-Type", "application/json")
	if change != nil {
		change(h)
	}
	return d.raw(http.MethodPost, Path, body, h)
}

func (d *desk) raw(method, path, body string, h http.Header) (out reply) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header = h
	if host := h.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	out.status, out.header, out.raw = answer.StatusCode, answer.Header, string(raw)
	_ = json.Unmarshal(raw, &out.body)
	return out
}

// send sends an event that must be accepted.
func (d *desk) send(name, data string) reply {
	d.t.Helper()
	got := d.request(event(name, data), nil)
	if got.status != 200 || !got.body.Success {
		d.t.Fatalf("%s %s: %d %s", name, data, got.status, got.raw)
	}
	return got
}

// inbox is a subscriber that verifies and lints what it receives.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	came []string
	raw  [][]byte
}

func newInbox(t *testing.T, secret string) *inbox {
	t.Helper()
	key, err := webhook.NewSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	linter, err := lint.New(lint.Config{})
	if err != nil {
		t.Fatal(err)
	}
	in := &inbox{}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := webhook.Verify(r.Header, body, time.Now(), key); err != nil {
			t.Errorf("a delivery is not verified: %v", err)
		}
		for _, name := range []string{"X-Webhook-ID", "X-Webhook-Event", "X-Webhook-Retry"} {
			if r.Header.Get(name) == "" {
				t.Errorf("a delivery has no %s", name)
			}
		}
		result := linter.NewChecker().Check(body)
		if result.Errors() > 0 {
			t.Errorf("%s: %v", body, result.Findings)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.came, in.raw = append(in.came, result.Event), append(in.raw, body)
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) take() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	slices.Sort(in.came)
	list := strings.Join(in.came, " ")
	in.came = nil
	return list
}

func (d *desk) idle() {
	d.t.Helper()
	if err := d.Idle(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}
