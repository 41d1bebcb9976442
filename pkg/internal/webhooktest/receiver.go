package webhooktest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Receiver is a handler as people write them, with a field for each part that
// can be wrong.
type Receiver struct {
	Secret   string
	Platform webhook.Platform

	Body      func(raw []byte) []byte                           // what is verified; default: the raw body
	Equal     func(got, want string) bool                       // default: hmac.Equal
	InTime    func(timestamp string, now time.Time) bool        // default: within 300 s
	AnySecret []string                                          // secrets that are accepted as well
	Forgetful bool                                              // does not remember deliveries
	ByID      bool                                              // remembers ids alone
	ByDigest  bool                                              // remembers digests of what is signed alone
	Before    func(w http.ResponseWriter, r *http.Request) bool // returns true if it has responded
	Parsed    func(w http.ResponseWriter, body map[string]any, r *http.Request) bool
	Refusal   func(w http.ResponseWriter, want string)
	Any       bool             // accepts any signature
	Now       func() time.Time // default: time.Now

	Effects atomic.Int64
	mu      sync.Mutex
	seen    map[string]bool
}

func (v *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.Before != nil && v.Before(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	raw, _ := io.ReadAll(r.Body)
	timestamp, got := r.Header.Get("X-Webhook-Timestamp"), r.Header.Get("X-Webhook-Signature")
	if v.Platform == webhook.Worksome {
		got = r.Header.Get("Signature")
	}
	verified := raw
	if v.Body != nil {
		verified = v.Body(raw)
	}
	if !v.Any && !v.verify(timestamp, got, verified) {
		if v.Refusal != nil {
			v.Refusal(w, v.sign(v.Secret, timestamp, raw))
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if v.Platform != webhook.Worksome && !v.timely(timestamp) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil && v.Parsed == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if v.Parsed != nil && v.Parsed(w, body, r) {
		return
	}
	v.handle(r.Header.Get("X-Webhook-ID"), timestamp, raw)
	w.WriteHeader(http.StatusOK)
}

func (v *Receiver) sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	if v.Platform != webhook.Worksome {
		mac.Write([]byte(timestamp + "."))
	}
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (v *Receiver) verify(timestamp, got string, body []byte) bool {
	equal := v.Equal
	if equal == nil {
		equal = func(got, want string) bool { return hmac.Equal([]byte(got), []byte(want)) }
	}
	return slices.ContainsFunc(append([]string{v.Secret}, v.AnySecret...), func(secret string) bool {
		return equal(got, v.sign(secret, timestamp, body))
	})
}

func (v *Receiver) timely(timestamp string) bool {
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	if v.InTime != nil {
		return v.InTime(timestamp, now())
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && now().Sub(time.Unix(at, 0)).Abs() <= 301*time.Second-time.Second/2
}

func (v *Receiver) handle(id, timestamp string, raw []byte) {
	digest := timestamp + "." + string(raw)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	isKnown := !v.ByDigest && id != "" && v.seen[id] || !v.ByID && v.seen[digest]
	if v.Forgetful || !isKnown {
		v.Effects.Add(1)
	}
	v.seen[id], v.seen[digest] = true, true
}

// Reserialised returns a body as JavaScript parses and serializes it.
func Reserialised(raw []byte) []byte {
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
