package deliver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestPrepared(t *testing.T) {
	t.Run("each request is that of an attempt, signed when it is sent", func(t *testing.T) {
		overridden, unsigned, body, worksome := delivery(t, "http://u:p@x.example/a"), delivery(t, "http://x.example"), delivery(t, "http://x.example"), delivery(t, "http://x.example")
		overridden.Override = pairs(t, "X-Webhook-Timestamp: 7", "Host: other.example", "User-Agent:", "X-Many: 1", "X-Many: 2", "Idempotency-Key: k")
		unsigned.Secret, unsigned.Unsigned = webhook.Secret{}, true
		body.Scheme, body.Header = webhooktest.Scheme(t, webhook.BodyOnly), append(body.Header, webhook.Pair{Name: webhook.HeaderTimestamp, Value: "0"})
		worksome.Scheme = webhook.SchemeFor(webhook.Worksome)
		for name, d := range map[string]deliver.Delivery{
			"by default": delivery(t, "http://x.example"), "overridden": overridden, "unsigned": unsigned, "body with a timestamp": body, "worksome": worksome,
		} {
			now := clock
			var sent []*http.Request
			var bodies []string
			c := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				raw, err := io.ReadAll(r.Body)
				sent, bodies = append(sent, r), append(bodies, string(raw))
				return &http.Response{StatusCode: 202, Body: http.NoBody}, err
			}))
			c.Now = func() time.Time { return now }
			prepared, err := c.Prepare(d)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				now = now.Add(time.Hour)
				if status, err := prepared.Send(t.Context()); status != 202 || err != nil {
					t.Errorf("%s: status %d, %v", name, status, err)
				}
				attempt(t, c, d)
				lean, full := sent[len(sent)-2], sent[len(sent)-1]
				if !reflect.DeepEqual(lean.Header, full.Header) || lean.Host != full.Host || lean.URL.String() != full.URL.String() ||
					lean.ContentLength != full.ContentLength || (lean.GetBody == nil) != (full.GetBody == nil) || bodies[0] != bodies[1] {
					t.Errorf("%s: it sends\n%v %v, an attempt\n%v %v", name, lean.Host, lean.Header, full.Host, full.Header)
				}
			}
			if !d.Secret.IsZero() && d.Scheme.TimestampHeader() != "" && !d.Override.Has(webhook.HeaderTimestamp) &&
				reflect.DeepEqual(sent[0].Header, sent[2].Header) {
				t.Errorf("%s: the second request has the signature of the first", name)
			}
		}
	})
	t.Run("a delivery that makes no request is an error", func(t *testing.T) {
		var bad *deliver.URLError
		if _, err := client(unused(t)).Prepare(delivery(t, "ftp://x.example")); !errors.As(err, &bad) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("the context bounds a request", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		prepared, err := client(webhooktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		})).Prepare(delivery(t, "http://x.example"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prepared.Send(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}
