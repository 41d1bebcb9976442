package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// TestRefusal sends the same bad requests to wsk listen and to wsk sandbox, and
// gives them to wsk verify: each must explain them in the same words.
func TestRefusal(t *testing.T) {
	t.Parallel()
	const body = `{"event_type":"test.connection","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{}}`
	// Not test.connection: the sandbox accepts that one without a signature.
	const order = `{"event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","source":"custom","data":{}}`
	now := time.Now()
	signed := func(text string, at time.Time) webhook.Header {
		h, err := webhook.Sign([]byte(text), at, secretS(t))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	good := signed(order, now)
	signature := good.Get(webhook.HeaderSignature)
	// signedWith signs order with a timestamp that webhook.Sign does not write.
	signedWith := func(timestamp string) webhook.Header {
		s := webhook.SchemeFor(webhook.WorkSkedge)
		value, err := s.Signature(webhook.Message{Body: []byte(order), Timestamp: timestamp}, secretS(t))
		if err != nil {
			t.Fatal(err)
		}
		return webhook.Header{{Name: webhook.HeaderTimestamp, Value: timestamp}, {Name: webhook.HeaderSignature, Value: value}}
	}
	tests := map[string]struct {
		body   string
		header webhook.Header
		reason webhook.Reason
		id     string // of the diagnosis
	}{
		"a header twice":                      {order, append(good.Without("-"), webhook.Pair{Name: webhook.HeaderTimestamp, Value: "1"}), webhook.HeaderRepeated, "header.repeated"},
		"no signature":                        {order, good.Without(webhook.HeaderSignature), webhook.SignatureMissing, "header.signature_missing"},
		"the signature under another name":    {order, good.Without(webhook.HeaderSignature).With("X-Signature", signature), webhook.SignatureMissing, "header.other_name"},
		"a signature in uppercase":            {order, good.With(webhook.HeaderSignature, strings.ToUpper(signature)), webhook.SignatureMalformed, "encoding.uppercase_hex"},
		"a signature that is a word":          {order, good.With(webhook.HeaderSignature, "hello"), webhook.SignatureMalformed, "encoding.unknown"},
		"no timestamp":                        {order, good.Without(webhook.HeaderTimestamp), webhook.TimestampMissing, "time.timestamp_missing"},
		"a newline more":                      {order + "\n", good, webhook.SignatureMismatch, "body.newline_added"},
		"another event's signature":           {order, signed(body, now), webhook.SignatureMismatch, "signature.unexplained"},
		"a timestamp that is a date":          {order, signedWith(now.UTC().Format(time.RFC3339)), webhook.TimestampMalformed, "time.timestamp_malformed"},
		"a timestamp an hour old":             {order, signed(order, now.Add(-time.Hour)), webhook.TimestampTooOld, "time.timestamp_too_old"},
		"a timestamp an hour ahead":           {order, signed(order, now.Add(time.Hour)), webhook.TimestampTooNew, "time.timestamp_too_new"},
		"a timestamp in milliseconds, signed": {order, signedWith(fmt.Sprint(now.UnixMilli())), webhook.TimestampTooNew, "time.milliseconds"},
	}
	listener := startReceiver(t, "listen", "--no-journal")
	sandbox := startReceiver(t, "sandbox", "--api-key", "k", "--no-limits")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := listener.post(t, test.header, test.body)
			if want.Reason != string(test.reason) {
				t.Fatalf("listen refused it as %s, want %s", want.Reason, test.reason)
			}
			if id := diagnosisID(want.Diagnosis); id != test.id {
				t.Errorf("listen explains it as %q, want %q", id, test.id)
			}
			for command, got := range map[string]receipt{
				"sandbox": sandbox.post(t, test.header, test.body),
				"verify":  verified(t, test.header, test.body),
			} {
				if got.Reason != want.Reason || inWords(got.Diagnosis) != inWords(want.Diagnosis) {
					t.Errorf("%s: %s, %s\nlisten: %s, %s", command, got.Reason, inWords(got.Diagnosis), want.Reason, inWords(want.Diagnosis))
				}
			}
		})
	}
}

// receipt is the result of a command for one refused request.
type receipt struct {
	Reason    string
	Diagnosis *webhook.Diagnosis
}

func diagnosisID(d *webhook.Diagnosis) string {
	if d == nil {
		return ""
	}
	return d.ID
}

func inWords(d *webhook.Diagnosis) string {
	if d == nil {
		return "no diagnosis"
	}
	return fmt.Sprintf("%+v", *d)
}

// receiver is a server that writes a record for each request it received.
type receiver struct {
	url     string
	records *json.Decoder
}

// startReceiver starts "wsk ARGS" with the secret s and reads its ready line.
func startReceiver(t *testing.T, args ...string) receiver {
	t.Helper()
	program, err := exec.LookPath("wsk")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, "--port", "0", "--secret", "s", "--json")...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := receiver{records: json.NewDecoder(out)}
	var ready struct{ Type, URL string }
	if err := r.records.Decode(&ready); err != nil || ready.Type != "ready" {
		t.Fatalf("%s: first line %+v, %v", args[0], ready, err)
	}
	r.url = ready.URL
	return r
}

func (r receiver) post(t *testing.T, header webhook.Header, body string) receipt {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.HTTP()
	request.Header.Set(webhook.HeaderAPIKey, "k")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	var record struct{ Verdict receipt }
	if err := r.records.Decode(&record); err != nil {
		t.Fatal(err)
	}
	return record.Verdict
}

// verified returns the result of wsk verify for a raw request.
func verified(t *testing.T, header webhook.Header, body string) receipt {
	t.Helper()
	raw := bytes.NewBufferString("POST / HTTP/1.1\r\nHost: localhost\r\n")
	for _, p := range header {
		fmt.Fprintf(raw, "%s: %s\r\n", p.Name, p.Value)
	}
	fmt.Fprintf(raw, "%s: k\r\n\r\n%s", webhook.HeaderAPIKey, body)
	file := filepath.Join(t.TempDir(), "request.http")
	if err := os.WriteFile(file, raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "wsk", "verify", "-f", file, "--secret", "s", "--json").Output()
	if err == nil {
		t.Fatalf("wsk verify accepted the request: %s", out)
	}
	var r receipt
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("wsk verify wrote %q: %v", out, err)
	}
	return r
}
