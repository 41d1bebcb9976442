// Package receivetest tests a webhook receiver where its other tests are: a handler
// comes in, and failures of the test go out.
//
//	func TestHooks(t *testing.T) {
//		work := &jobs{}
//		handler := newHandler(receivetest.DefaultSecret, work) // the receiver under test
//
//		sender := receivetest.New(t, handler, receivetest.Path("/hooks"))
//		first := sender.Send(sender.Sample(webhook.Outbound, "work_order.created")).Want(200)
//		sender.Resend(first).Want(200)
//		if n := work.count(); n != 1 {
//			t.Errorf("an event that was delivered twice made %d jobs, want 1", n)
//		}
//		sender.Send(first.Event, receivetest.SignedWith("another secret")).Want(401)
//
//		receivetest.Check(t, handler, receivetest.Path("/hooks"), receivetest.Effect(work.count))
//	}
//
// [New] sends signed events, one by one, as a platform does and as it should not.
// [Check] runs the cases of "wsk check", each as a subtest. [TestStore] takes a
// [receive.Store] through its rules.
//
// The handler is served on loopback, so that limits, streams, panics and requests that
// end early are those of production. All that is sent is signed with [DefaultSecret],
// unless [Secret] names another.
//
// This package is experimental: its API may change.
package receivetest

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

// DefaultSecret is the secret to give to the handler. It can sign by every scheme.
const DefaultSecret = "whsec_cmVjZWl2ZXRlc3Q6IG5vdGhpbmcgc2VjcmV0" //nolint:gosec // it protects nothing

const userAgent = "receivetest"

// Option is an option of [New] and of [Check].
type Option func(*options)

type options struct {
	secret  string
	path    string
	now     func() time.Time
	newID   func() string // nil: the default of New and of Check
	timeout time.Duration
}

// Secret signs with a secret of the handler's; default: [DefaultSecret].
func Secret(text string) Option { return func(o *options) { o.secret = text } }

// Path sends to a path, with its query if it has one; default: /.
func Path(path string) Option { return func(o *options) { o.path = path } }

// Clock signs at the time of a clock; default: time.Now. It is the clock of the handler,
// if that has one of its own.
func Clock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// NewID names deliveries, events and records: each id is what it returns behind a prefix.
// Without it a [Sender] counts from 1, and [Check] takes random ones. Set it where the
// handler's store outlives the test, and would know the ids of the run before. It is
// called from several goroutines if the Sender is, and by Check.
func NewID(newID func() string) Option { return func(o *options) { o.newID = newID } }

// Timeout bounds one request; default: [deliver.DefaultTimeout].
func Timeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

func defaults() options {
	return options{secret: DefaultSecret, path: "/", now: time.Now}
}

// target is a handler that is served until the test ends.
type target struct {
	url       string
	secret    webhook.Secret
	transport http.RoundTripper
}

// serve serves a handler. What the server logs, such as a panic of the handler, is
// output of the test.
func serve(t testing.TB, h http.Handler, o *options) target {
	t.Helper()
	if h == nil {
		t.Fatal("receivetest: the handler is nil")
	}
	secret, err := webhook.NewSecret(o.secret)
	if err != nil {
		t.Fatalf("receivetest: %v", err)
	}
	if !strings.HasPrefix(o.path, "/") {
		t.Fatalf("receivetest: the path %q must begin with /", o.path)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(t.Output(), "", 0)
	server.Start()
	transport := deliver.NewTransport()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return target{url: server.URL + o.path, secret: secret, transport: transport}
}

// maxShown is how many bytes of a body a failure shows.
const maxShown = 1 << 10

// exchangeText describes a request and what came back, with credentials masked.
func exchangeText(request *webhook.Request, response *webhook.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  sent  %s %s\n", request.Method, webhook.RedactURL(request.URL))
	writeMessage(&b, request.Header, request.Body)
	if response == nil {
		b.WriteString("  got   no response\n")
		return b.String()
	}
	fmt.Fprintf(&b, "  got   %s\n", statusText(response.Status))
	writeMessage(&b, response.Header, response.Body)
	return b.String()
}

func statusText(status int) string {
	if status == 0 {
		return "no response"
	}
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

func writeMessage(b *strings.Builder, h webhook.Header, body []byte) {
	const indent = "        "
	for _, line := range h.Redacted() {
		fmt.Fprintf(b, indent+"%s: %s\n", line.Name, line.Value)
	}
	text := strings.TrimSpace(strings.ToValidUTF8(string(body[:min(len(body), maxShown)]), "\uFFFD"))
	if text != "" {
		fmt.Fprintf(b, "\n%s%s\n", indent, strings.ReplaceAll(text, "\n", "\n"+indent))
	}
	if len(body) > maxShown {
		fmt.Fprintf(b, indent+"… %d bytes in all\n", len(body))
	}
}
