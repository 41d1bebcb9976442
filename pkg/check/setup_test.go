package check

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

const testSecret = "s3cret-of-the-tests"

// receiver is a handler as people write them, with a field for each part that
// can be wrong.
type receiver struct {
	secret   string
	platform webhook.Platform

	body      func(raw []byte) []byte                           // what is verified; default: the raw body
	equal     func(got, want string) bool                       // default: hmac.Equal
	inTime    func(timestamp string, now time.Time) bool        // default: within 300 s
	anySecret []string                                          // secrets that are accepted as well
	forgetful bool                                              // does not remember deliveries
	byID      bool                                              // remembers ids, not digests
	before    func(w http.ResponseWriter, r *http.Request) bool // returns true if it has responded
	parsed    func(w http.ResponseWriter, body map[string]any, r *http.Request) bool
	refusal   func(w http.ResponseWriter, want string)
	any       bool // accepts any signature

	effects atomic.Int64
	mu      sync.Mutex
	seen    map[string]bool
}

func (v *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.before != nil && v.before(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	raw, _ := io.ReadAll(r.Body)
	timestamp, got := r.Header.Get("X-Webhook-Timestamp"), r.Header.Get("X-Webhook-Signature")
	if v.platform == webhook.Worksome {
		got = r.Header.Get("Signature")
	}
	verified := raw
	if v.body != nil {
		verified = v.body(raw)
	}
	if !v.any && !v.verify(timestamp, got, verified) {
		if v.refusal != nil {
			v.refusal(w, v.sign(v.secret, timestamp, raw))
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if v.platform != webhook.Worksome && !v.timely(timestamp) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil && v.parsed == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if v.parsed != nil && v.parsed(w, body, r) {
		return
	}
	v.handle(r.Header.Get("X-Webhook-ID"), timestamp, raw)
	w.WriteHeader(http.StatusOK)
}

func (v *receiver) sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	if v.platform != webhook.Worksome {
		mac.Write([]byte(timestamp + "."))
	}
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (v *receiver) verify(timestamp, got string, body []byte) bool {
	equal := v.equal
	if equal == nil {
		equal = func(got, want string) bool { return hmac.Equal([]byte(got), []byte(want)) }
	}
	return slices.ContainsFunc(append([]string{v.secret}, v.anySecret...), func(secret string) bool {
		return equal(got, v.sign(secret, timestamp, body))
	})
}

func (v *receiver) timely(timestamp string) bool {
	if v.inTime != nil {
		return v.inTime(timestamp, time.Now())
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && time.Since(time.Unix(at, 0)).Abs() <= 301*time.Second-time.Second/2
}

func (v *receiver) handle(id, timestamp string, raw []byte) {
	key := timestamp + "." + string(raw)
	if v.byID {
		key = id
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	if v.forgetful || !v.seen[key] {
		v.effects.Add(1)
	}
	v.seen[key] = true
}

// run checks a receiver and fails the test on an error.
func run(t *testing.T, h http.Handler, change func(*Config)) Report {
	t.Helper()
	results, err := tryRun(t, h, change)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func tryRun(t *testing.T, h http.Handler, change func(*Config)) (Report, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := deliver.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c := Config{
		URL: server.URL, Secret: webhooktest.Secret(t, testSecret), Transport: transport, Now: time.Now, NewID: rand.Text,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if v, ok := h.(*receiver); ok {
		c.Platform = v.platform
		if v.platform != webhook.Worksome {
			c.Effect = func(context.Context) (int64, error) { return v.effects.Load(), nil }
		}
	}
	if change != nil {
		change(&c)
	}
	return Run(t.Context(), c, nil)
}

func newTestSession(t *testing.T, p webhook.Platform) *session {
	t.Helper()
	n := 0
	s, err := newSession(Config{
		Platform: p, Secret: webhooktest.Secret(t, testSecret), Now: time.Now,
		NewID: func() string { n++; return strconv.Itoa(n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// of returns the IDs of the cases with a verdict, joined by spaces.
func (r Report) of(v report.Verdict) string {
	var ids []string
	for _, result := range r.Results {
		if result.Verdict == v {
			ids = append(ids, result.Case.ID)
		}
	}
	return strings.Join(ids, " ")
}

func (r Report) named(id string) Result {
	for _, result := range r.Results {
		if result.Case.ID == id {
			return result
		}
	}
	return Result{}
}

// ours returns the receiver of pkg/receive.
func ours(t *testing.T, p webhook.Platform, effects *atomic.Int64) http.Handler {
	t.Helper()
	h, err := receive.New(receive.Config{
		Verifier: webhook.Verifier{Secrets: []webhook.Secret{webhooktest.Secret(t, testSecret)}, Scheme: webhook.SchemeFor(p)}, Platform: p,
		App: func(context.Context, *webhook.Event, *webhook.Record) webhook.Response {
			effects.Add(1)
			return receive.OK()
		},
		Now: time.Now, NewID: rand.Text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// reserialised returns a body as JavaScript parses and serializes it.
func reserialised(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSpace(out.Bytes())
}
