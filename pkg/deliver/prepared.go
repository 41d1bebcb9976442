package deliver

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"

	"github.com/wskdev/wsk/pkg/internal/exchange"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Prepared is a delivery that is ready to be sent many times, as a load test
// does: what does not change from one request to the next is done once. It is
// safe for concurrent use.
type Prepared struct {
	client   Client
	delivery Delivery
	base     *http.Request
	body     []byte

	// The canonical names of the headers that change with each request; "" for
	// one that does not.
	timestamp, signature string
}

// Prepare makes a delivery ready. The error is that of [Delivery.Request].
func (c Client) Prepare(d Delivery) (*Prepared, error) {
	c = c.withDefaults()
	request, err := c.request(d, c.Now(), 0)
	if err != nil {
		return nil, err
	}
	base, err := exchange.NewRequest(context.Background(), request)
	if err != nil {
		return nil, err
	}
	changing := func(name string) string {
		if name == "" || d.Override.Has(name) || !request.Header.Has(name) {
			return ""
		}
		return http.CanonicalHeaderKey(name)
	}
	p := &Prepared{client: c, delivery: d, base: base, body: request.Body}
	switch {
	case !d.Unsigned:
		p.signature = changing(d.Scheme.SignatureHeader())
		p.timestamp = changing(cmp.Or(d.Scheme.TimestampHeader(), webhook.HeaderTimestamp))
	case !d.Header.Has(webhook.HeaderTimestamp):
		p.timestamp = changing(webhook.HeaderTimestamp)
	}
	return p, nil
}

// Send signs and sends the delivery once, and returns the status of the
// response. It makes the request of [Client.Attempt], but no record: that would
// cost more than the request does. ctx bounds it, not the delivery's Timeout.
func (p *Prepared) Send(ctx context.Context) (status int, err error) {
	r := p.base.WithContext(ctx)
	if r.Body = http.NoBody; len(p.body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(p.body))
	}
	if p.timestamp != "" || p.signature != "" {
		r.Header = maps.Clone(p.base.Header) // net/http may still read the header of the request before
		message := p.delivery.Message(p.client.Now())
		if p.timestamp != "" {
			r.Header[p.timestamp] = []string{message.Timestamp}
		}
		if p.signature != "" {
			signature, err := p.delivery.Scheme.Signature(message, p.delivery.Secret)
			if err != nil {
				return 0, err
			}
			r.Header[p.signature] = []string{signature}
		}
	}
	return exchange.Status(p.client.Transport, r)
}
