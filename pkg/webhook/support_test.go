package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// signedAt is the moment at which the tests sign, and at which they receive
// unless one says otherwise.
const (
	signedAt      int64 = 1772464800
	unixTimestamp       = "1772464800"
)

func now() time.Time { return time.Unix(signedAt, 0) }

var order = []byte(`{"event_type":"work_order.created","timestamp":"2026-03-02T15:20:00Z","source":"dispatch_board","data":{"project_code":"HPC-2026-014","phase_name":"Refrigeration Piping"}}`)

func secretOf(t testing.TB, text string) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemeNamed(t testing.TB, name string) webhook.Scheme {
	t.Helper()
	s, err := webhook.SchemeNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keyFor is a secret in the shape that the scheme wants.
func keyFor(t testing.TB, scheme string) webhook.Secret {
	t.Helper()
	if scheme == webhook.StandardWebhooks {
		return secretOf(t, "whsec_d29ya2JlbmNoLXN0YW5kYXJkLWtleQ==")
	}
	return secretOf(t, "workbench-secret-1")
}

func headersOf(t testing.TB, s webhook.Scheme, m webhook.Message, secret webhook.Secret) http.Header {
	t.Helper()
	h, err := s.Headers(m, secret)
	if err != nil {
		t.Fatal(err)
	}
	return h.HTTP()
}

// signedOrder is the header of a good request over order by the default scheme.
func signedOrder(t testing.TB) http.Header {
	t.Helper()
	return headersOf(t, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: order, Timestamp: unixTimestamp, ID: "wh_1"}, keyFor(t, webhook.TimestampBody))
}

// wantReason fails unless err is a refusal for that reason; "" wants none.
func wantReason(t testing.TB, err error, want webhook.Reason) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v, want it accepted", err)
		}
		return
	}
	if got := reasonOf(err); got != want {
		t.Errorf("reason %q (%v), want %q", got, err, want)
	}
}

// schemeNames are the names of all schemes, the default first.
func schemeNames() []string {
	var names []string
	for _, s := range webhook.Schemes() {
		names = append(names, s.Name())
	}
	return names
}
