package deliver_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/webhook"
)

// pairs reads "Name: value" lines.
func pairs(t testing.TB, lines ...string) webhook.Header {
	t.Helper()
	var h webhook.Header
	for _, line := range lines {
		p, err := webhook.ParsePair(line)
		if err != nil {
			t.Fatal(err)
		}
		h = append(h, p)
	}
	return h
}

func TestDeliveryRequest(t *testing.T) {
	t.Run("Override replaces, adds and removes lines", func(t *testing.T) {
		base := []string{"Content-Type: application/json", "X-A: 1", "X-A: 2", "X-B: 3"}
		tests := []struct {
			name     string
			override []string
			want     []string
		}{
			{"none", nil, base},
			{"a new line goes to the end", []string{"X-C: 4"}, append(slices.Clone(base), "X-C: 4")},
			{"a line replaces all of its name, in their first place", []string{"X-A: 4"}, []string{base[0], "X-A: 4", base[3]}},
			{"whatever the case of its name", []string{"x-a: 4"}, []string{base[0], "x-a: 4", base[3]}},
			{"a line that is given twice is sent twice", []string{"X-A: 4", "X-A: 5"}, []string{base[0], "X-A: 4", base[3], "X-A: 5"}},
			{"a new one too", []string{"X-C: 4", "X-C: 4"}, append(slices.Clone(base), "X-C: 4", "X-C: 4")},
			{"commas split nothing", []string{"X-B: 1, 2"}, []string{base[0], base[1], base[2], "X-B: 1, 2"}},
			{"an empty value drops the line", []string{"X-A:"}, []string{base[0], base[3]}},
			{"that is not there, too", []string{"X-C:"}, base},
			{"dropped and given again", []string{"X-A:", "X-A: 4"}, []string{base[0], base[3], "X-A: 4"}},
			{"given and dropped again", []string{"X-A: 4", "x-A:"}, []string{base[0], base[3]}},
			{"everything dropped", []string{"Content-Type:", "X-A:", "X-B:"}, nil},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				d := deliver.Delivery{URL: "http://x.example", Header: pairs(t, base...), Override: pairs(t, tt.override...), Unsigned: true}
				before := fmt.Sprint(d.Header, d.Override)
				for range 2 {
					request, err := d.Request(clock)
					if want := pairs(t, tt.want...); err != nil || len(request.Header)+len(want) > 0 && !reflect.DeepEqual(request.Header, want) {
						t.Errorf("got %v, %v; want %v", request.Header, err, want)
					}
				}
				if fmt.Sprint(d.Header, d.Override) != before {
					t.Error("the delivery's own header was changed")
				}
			})
		}
	})
	t.Run("Override replaces the signature's lines", func(t *testing.T) {
		d := delivery(t, "http://x.example")
		d.Override = pairs(t, "X-Webhook-Signature: 0", "X-Webhook-Timestamp:", "X-API-Key: other", "X-Webhook-Source: square")
		request, err := d.Request(clock)
		want := pairs(t, "Content-Type: application/json", "X-API-Key: other", "X-Webhook-Source: square", "X-Webhook-Signature: 0")
		if err != nil || !reflect.DeepEqual(request.Header, want) {
			t.Errorf("got %v, %v", request.Header, err)
		}
	})
	t.Run("a header shared by deliveries is not written to", func(t *testing.T) {
		shared := make(webhook.Header, 0, 32)
		shared = append(shared, pairs(t, "X-A: 1", "X-Webhook-Source: custom")...)
		d := delivery(t, "http://x.example")
		d.Header = shared
		first, err := d.Request(clock)
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(first.Header)
		d.Override = pairs(t, "X-B: 1", "X-B: 2")
		d.WebhookID = "another"
		if _, err := d.Request(clock.Add(1e12)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(first.Header); got != before {
			t.Errorf("the first request's header became %s", got)
		}
	})
}

func TestAttemptHeader(t *testing.T) {
	t.Run("lines that describe how the body is transmitted are an error", func(t *testing.T) {
		for _, l := range []string{"Content-Length: 5", "content-length: 5", "Content-Length:", "Transfer-Encoding: chunked", "transfer-encoding:", "Connection: close", "CONNECTION: keep-alive"} {
			d := delivery(t, "http://x.example")
			d.Override = pairs(t, "X-A: 1", l)
			_, err := client(unused(t)).Attempt(t.Context(), d, 0)
			var bad *webhook.HeaderError
			if !errors.As(err, &bad) || !strings.HasPrefix(l, bad.Line) {
				t.Errorf("%q: %v", l, err)
			}
		}
	})
	t.Run("the User-Agent", func(t *testing.T) {
		tests := []struct {
			name     string
			agent    string
			header   string
			override string
			want     []string
		}{
			{"wsk by default", "", "", "", []string{"wsk"}},
			{"the client's", "wsk/1.2", "", "", []string{"wsk/1.2"}},
			{"the delivery's before the client's", "wsk/1.2", "User-Agent: mine", "", []string{"mine"}},
			{"the override's before both", "wsk/1.2", "User-Agent: mine", "user-agent: theirs", []string{"theirs"}},
			{"dropped: neither ours nor net/http's", "wsk/1.2", "", "User-Agent:", nil},
			{"dropped, where the delivery had one", "wsk/1.2", "User-Agent: mine", "user-agent:", nil},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				server := newEndpoint(t, nil)
				c, d := client(overTCP(t)), delivery(t, server.URL)
				c.UserAgent = tt.agent
				if tt.header != "" {
					d.Header = append(d.Header, pairs(t, tt.header)...)
				}
				if tt.override != "" {
					d.Override = pairs(t, tt.override)
				}
				record := attempt(t, c, d)
				if got := server.requests()[0].header["User-Agent"]; !slices.Equal(got, tt.want) || record.Request.Header.HTTP().Get("User-Agent") != strings.Join(got, "") {
					t.Errorf("arrived as %q, recorded as %q, want %q", got, record.Request.Header.Get("User-Agent"), tt.want)
				}
			})
		}
	})
	t.Run("a Host line replaces the URL's host", func(t *testing.T) {
		server := newEndpoint(t, nil)
		d := delivery(t, server.URL)
		d.Override = pairs(t, "host: hooks.example:8443")
		record := attempt(t, client(overTCP(t)), d)
		if got := server.requests()[0]; got.host != "hooks.example:8443" || got.header["Host"] != nil {
			t.Errorf("arrived with host %q, header %v", got.host, got.header)
		}
		if record.Request.URL != server.URL || record.Request.Header.Get("Host") != "hooks.example:8443" {
			t.Errorf("recorded as %+v", record.Request)
		}
	})
	t.Run("no compression is asked for", func(t *testing.T) {
		server := newEndpoint(t, nil)
		attempt(t, client(overTCP(t)), delivery(t, server.URL))
		if got := server.requests()[0].header; got["Accept-Encoding"] != nil {
			t.Errorf("the transport asked for %q", got["Accept-Encoding"])
		}
	})
	// THREATS row 29.
	t.Run("a line break in a header or a URL is an error and nothing is sent", func(t *testing.T) {
		const private = "hunter2"
		long := func(breaks string) string { return private + breaks + "X-Evil: 1" }
		edits := map[string]func(d *deliver.Delivery, breaks string){
			"a header's value": func(d *deliver.Delivery, s string) {
				d.Header = append(d.Header, webhook.Pair{Name: "X-A", Value: long(s)})
			},
			"a header's name": func(d *deliver.Delivery, s string) {
				d.Header = append(d.Header, webhook.Pair{Name: "X-A" + s + "X-B", Value: private})
			},
			"the API key":         func(d *deliver.Delivery, s string) { d.Header = deliver.Inbound(long(s), "custom") },
			"the source":          func(d *deliver.Delivery, s string) { d.Header = deliver.Inbound(private, "custom"+s) },
			"an override's value": func(d *deliver.Delivery, s string) { d.Override = webhook.Header{{Name: "X-A", Value: long(s)}} },
			"an override's Host":  func(d *deliver.Delivery, s string) { d.Override = webhook.Header{{Name: "Host", Value: long(s)}} },
			"an override's name": func(d *deliver.Delivery, s string) {
				d.Override = webhook.Header{{Name: "X-A: 1" + s + "X-B", Value: "1"}}
			},
			"the id":          func(d *deliver.Delivery, s string) { d.WebhookID = "evt_1" + s + "X-Evil: 1" },
			"the URL's path":  func(d *deliver.Delivery, s string) { d.URL = "http://user:" + private + "@x.example/a" + s + "b" },
			"the URL's query": func(d *deliver.Delivery, s string) { d.URL = "http://x.example/?token=" + private + "&a=" + s },
			"the URL's host":  func(d *deliver.Delivery, s string) { d.URL = "http://x.example" + s + "/" },
			"the URL's end":   func(d *deliver.Delivery, s string) { d.URL = "http://x.example/" + s },
		}
		for name, edit := range edits {
			for _, breaks := range []string{"\r\n", "\n", "\r", "\x00", "\x7f"} {
				t.Run(fmt.Sprintf("%s: %q", name, breaks), func(t *testing.T) {
					d := delivery(t, "http://x.example/")
					edit(&d, breaks)
					waits := 0
					c := client(unused(t))
					c.Wait = countWaits(&waits)
					record, err := c.Send(t.Context(), d, deliver.Policy{Retries: 3, RetryUnknown: true}, nil)
					if err == nil || record.Verdict != nil || waits != 0 {
						t.Fatalf("error %v, verdict %+v, after %d retries", err, record.Verdict, waits)
					}
					var badHeader *webhook.HeaderError
					var badURL *deliver.URLError
					if !errors.As(err, &badHeader) && !errors.As(err, &badURL) {
						t.Errorf("the error is a %T", err)
					}
					if strings.ContainsAny(err.Error(), "\r\n\x00\x7f") || strings.Contains(err.Error(), private) {
						t.Errorf("the error shows what it should not: %q", err)
					}
				})
			}
		}
	})
	t.Run("a line that is not a header is an error", func(t *testing.T) {
		for _, p := range []webhook.Pair{{Name: "", Value: "1"}, {Name: "X A", Value: "1"}, {Name: "X-A:", Value: "1"}, {Name: "Ünï", Value: "1"}, {Name: "X-A", Value: "\x1b[31m"}} {
			d := delivery(t, "http://x.example/")
			d.Header = append(d.Header, p)
			var bad *webhook.HeaderError
			if _, err := client(unused(t)).Attempt(t.Context(), d, 0); !errors.As(err, &bad) || bad.Line != p.Name {
				t.Errorf("%q: %v", p, err)
			}
		}
		d := delivery(t, newEndpoint(t, nil).URL)
		d.Header = append(d.Header, webhook.Pair{Name: "X-A", Value: "caf\xe9 \u202e\ttab, comma: colon"}, webhook.Pair{Name: "X-Empty"})
		wantVerdict(t, attempt(t, client(overTCP(t)), d), webhook.Accepted, "")
	})
	t.Run("a secret that the scheme cannot use is an error that does not contain it", func(t *testing.T) {
		d := delivery(t, "http://x.example/")
		d.Scheme, d.Secret = webhooktest.Scheme(t, webhook.StandardWebhooks), webhooktest.Secret(t, "hunter2 is not base64")
		_, err := client(unused(t)).Attempt(t.Context(), d, 0)
		if err == nil || !strings.HasPrefix(err.Error(), "signing: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	})
}
