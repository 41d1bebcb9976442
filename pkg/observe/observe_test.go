package observe_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/observe"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A receiver that acknowledges first has received an event long before the app is done
// with it, and handles nothing itself.
func TestObserver_of_a_receiver_that_acknowledges_first(t *testing.T) {
	t.Parallel()
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	queue, err := j.Queue(t.Context(), "the app")
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	var o webhooktest.Observer
	f, err := receive.NewForwarder(receive.ForwarderConfig{Queue: queue, App: receive.Always(http.StatusAccepted), Observer: &o})
	if err != nil {
		t.Fatal(err)
	}
	secret := webhooktest.Secret(t, "s3cret")
	handler, err := receive.New(receive.Config{Secrets: []webhook.Secret{secret}, Store: f, Observer: &o})
	if err != nil {
		t.Fatal(err)
	}

	body := `{"event_id":"evt_1","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"co_1","data":{}}`
	signed, err := webhook.Sign([]byte(body), time.Now(), secret)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
	request.Header = signed.HTTP()
	handler.ServeHTTP(httptest.NewRecorder(), request)
	f.Shutdown(t.Context())

	var received, handled []any
	for _, value := range o.Values() { // in no order
		switch v := value.(type) {
		case observe.Receipt:
			v.Duration = 0
			received = append(received, v)
		case observe.Call:
			if v.Age < v.Duration || v.Age > time.Minute {
				t.Errorf("the event is %v old after a call of %v", v.Age, v.Duration)
			}
			v.Duration, v.Age = 0, 0
			handled = append(handled, v)
		default:
			t.Errorf("also observed %T%+v", v, v)
		}
	}
	if want := []any{observe.Receipt{
		Platform: webhook.WorkSkedge, Scheme: webhook.TimestampBody, Event: "work_order.created",
		Outcome: webhook.Accepted, Status: http.StatusOK, Bytes: len(body),
	}}; !slices.Equal(received, want) {
		t.Errorf("received %+v, want %+v", received, want)
	}
	if want := []any{observe.Call{
		Platform: webhook.WorkSkedge, Event: "work_order.created", Outcome: webhook.Accepted, Status: http.StatusAccepted,
	}}; !slices.Equal(handled, want) {
		t.Errorf("handled %+v, want %+v", handled, want)
	}
}
