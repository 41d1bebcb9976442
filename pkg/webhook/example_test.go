package webhook_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// A handler that accepts signatures of two secrets while one replaces the other.
func ExampleVerify() {
	current, err := webhook.NewSecret("the secret since Monday")
	if err != nil {
		panic(err)
	}
	previous, err := webhook.NewSecret("the secret until Monday")
	if err != nil {
		panic(err)
	}
	clock := func() time.Time { return time.Unix(1772464800, 0) } // time.Now in production

	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "reading the body failed", http.StatusBadRequest)
			return
		}
		if err := webhook.Verify(r.Header, body, clock(), current, previous); err != nil {
			http.Error(w, err.Error(), webhook.StatusOf(err))
			return
		}
		fmt.Fprintln(w, "received")
	}

	body := []byte(`{"event_id":"evt_1","event_type":"work_order.created","company_id":"comp_1"}`)
	signed, err := webhook.Sign(body, clock(), previous)
	if err != nil {
		panic(err)
	}
	for _, sent := range [][]byte{body, append(body, '\n')} {
		request := httptest.NewRequest(http.MethodPost, "/hook", bytes.NewReader(sent))
		request.Header = signed.HTTP()
		answer := httptest.NewRecorder()
		handler(answer, request)
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 200 received
	// 401 the signature does not match <timestamp>.<body> under any of the 2 secrets
}

// handler is the handler of the package comment.
func handler(secret webhook.Secret, handle func(webhook.Event) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := webhook.VerifyRequest(r, 1<<20, secret)
		if err != nil {
			http.Error(w, webhook.TextOf(err), webhook.StatusOf(err))
			return
		}
		event, err := webhook.ParseEvent(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := handle(event); err != nil { // the sender tries again
			http.Error(w, "handling the event failed", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

// A complete handler, as a service would have it, and how it answers.
func Example() {
	secret, err := webhook.NewSecret("a secret") // os.Getenv("WEBHOOK_SECRET") in production
	if err != nil {
		panic(err)
	}
	server := handler(secret, func(event webhook.Event) error {
		fmt.Println("received", event.Type)
		return nil
	})

	event := []byte(`{"event_id":"evt_1","event_type":"work_order.created","company_id":"comp_1"}`)
	for _, test := range []struct {
		name         string
		signed, sent []byte
	}{
		{"signed", event, event},
		{"changed on the way", event, append(event, '\n')},
		{"signed, but not an event", []byte("[]"), []byte("[]")},
		{"larger than 1 MiB", event, make([]byte, 1<<20+1)},
	} {
		header, err := webhook.Sign(test.signed, time.Now(), secret)
		if err != nil {
			panic(err)
		}
		request := httptest.NewRequest(http.MethodPost, "/hook", bytes.NewReader(test.sent))
		request.Header = header.HTTP()
		response := httptest.NewRecorder()
		server(response, request)
		fmt.Println(test.name+":", response.Code)
	}
	unsigned := httptest.NewRecorder()
	server(unsigned, httptest.NewRequest(http.MethodPost, "/hook", bytes.NewReader(event)))
	fmt.Println("without a signature:", unsigned.Code)
	// Output:
	// received work_order.created
	// signed: 200
	// changed on the way: 401
	// signed, but not an event: 400
	// larger than 1 MiB: 413
	// without a signature: 401
}

func ExampleVerifier_Verify() {
	secret, err := webhook.NewSecret("a secret")
	if err != nil {
		panic(err)
	}
	signedAt := time.Unix(1772464800, 0)
	body := []byte(`{"event":"work_order.created"}`)
	header, err := webhook.Sign(body, signedAt, secret)
	if err != nil {
		panic(err)
	}
	v := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: time.Minute}
	_, err = v.Verify(header.HTTP(), body, signedAt.Add(2*time.Minute))
	fmt.Println(err)
	fmt.Println(errors.Is(err, webhook.TimestampTooOld), webhook.StatusOf(err))
	// Output:
	// the timestamp is 120 s old, more than 60 s
	// true 400
}

func ExampleSign() {
	secret, err := webhook.NewSecret("workbench-secret-1")
	if err != nil {
		panic(err)
	}
	body := []byte(`{"event_type":"work_order.created"}`)
	header, err := webhook.Sign(body, time.Unix(1772464800, 0), secret)
	if err != nil {
		panic(err)
	}
	for _, line := range header {
		fmt.Println(line.Name+":", line.Value)
	}
	// Output:
	// X-Webhook-Timestamp: 1772464800
	// X-Webhook-Signature: 07acbd5ee702812151be082e0eb71c7aec1db7045a9cf435123c1396a71ed763
}

func ExampleParseEvent() {
	event, err := webhook.ParseEvent([]byte(`{"event_id":"evt_1","event_type":"work_order.created","company_id":"comp_1","data":{"id":"wo_1"}}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(event.Platform, event.Form, event.Type, string(event.Data()))

	_, err = webhook.ParseEvent([]byte("{\n  \"event\": \"hireUpdated\",\n}"))
	fmt.Println(err)
	// Output:
	// workskedge outbound work_order.created {"id":"wo_1"}
	// line 3, column 1: a trailing comma before this bracket
}

func ExampleEncoder() {
	out := webhook.NewEncoder(os.Stdout)
	err := out.Encode(webhook.Record{
		ID: "r1", Time: time.Unix(1772464800, 0).UTC(), Direction: webhook.Sent, Event: "work_order.created",
		Request: webhook.Request{
			Method: "POST", URL: "https://example.com/hook",
			Header: webhook.Header{{Name: "X-API-Key", Value: "never shown"}}, Body: []byte(`{}`),
		},
		Response: &webhook.Response{Status: 200},
		Duration: 1500 * time.Microsecond,
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// {"type":"record","id":"r1","time":"2026-03-02T15:20:00Z","direction":"sent","event":"work_order.created","attempt":0,"request":{"method":"POST","url":"https://example.com/hook","headers":[["X-API-Key","[redacted]"]],"body":"{}"},"response":{"status":200,"headers":[],"body":""},"duration_ms":1.5}
}

func ExampleDecoder() {
	stream := bytes.NewBufferString(`{"type":"ready","address":"127.0.0.1:3000"}
{"type":"record","id":"r1","request":{"method":"POST","url":"/","headers":[],"body":"{}"},"verdict":{"outcome":"accepted","verified":true}}
{"type":"record","id":"r2","request":{"method":"POST","url":"/","headers":[],"body":"?"},"verdict":{"outcome":"refused","verified":false,"reason":"signature_mismatch"}}
`)
	records := webhook.NewDecoder(stream)
	for {
		record, err := records.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s %s %q %s\n", record.ID, record.Verdict.Outcome, record.Request.Body, cmp.Or(record.Verdict.Reason, "good"))
	}
	// Output:
	// r1 accepted "{}" good
	// r2 refused "?" signature_mismatch
}
