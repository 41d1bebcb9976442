// Package exchange sends one HTTP request and reads its response within limits:
// a [webhook.Request] comes in, a [Result] goes out. Package deliver sends
// deliveries by it, package receive forwards them by it. [Temporary] and
// [Backoff] decide whether and when to make another attempt.
//
// No redirect is followed, because it would carry the API key, the signature
// and the body to another host. No more than [MaxBody] bytes of a body are
// read. Nothing is sent twice.
package exchange

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wskdev/wsk/pkg/internal/failpoint"
	"github.com/wskdev/wsk/pkg/webhook"
)

// MaxBody is how many bytes of a response's body are read.
const MaxBody = 64 << 10

// NewTransport returns a transport for webhooks. It bounds the dial, the TLS
// handshake and the header of a response, does not ask for compressed responses
// and decompresses none. Proxies are taken from the environment.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: MaxBody,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        90 * time.Second,
	}
}

// DefaultTransport returns the transport of callers that name none. They share
// its connections.
func DefaultTransport() http.RoundTripper { return defaultTransport() }

var defaultTransport = sync.OnceValue(NewTransport)

// Result is the outcome of a request.
type Result struct {
	Response *webhook.Response // nil: there was none
	Written  bool              // the request may have been written completely, so it may have been handled
	BodyErr  error             // why the body of the response ended early; status and header are right all the same
}

// NewRequest returns a request with exactly the header lines of r. The URL's
// user and password become basic authentication unless there is an
// Authorization line. A Host line replaces the URL's host.
func NewRequest(ctx context.Context, r webhook.Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if user := request.URL.User; user != nil && !r.Header.Has("Authorization") {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	for _, p := range r.Header {
		request.Header.Add(p.Name, p.Value)
	}
	if !r.Header.Has("User-Agent") {
		request.Header["User-Agent"] = nil // keeps net/http from adding its own
	}
	if host := r.Header.Get("Host"); host != "" {
		request.Host = host
	}
	if r.Header.Has("Idempotency-Key") || r.Header.Has("X-Idempotency-Key") {
		request.GetBody = nil // with such a header net/http would repeat the request by itself
	}
	return request, nil
}

// Do sends a request and reads the response. The error is not nil only when
// there is no response; [Result.Written] then reports whether the request may
// have been handled.
func Do(ctx context.Context, transport http.RoundTripper, r webhook.Request) (Result, error) {
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			wrote.Store(true)
		}
	}}
	request, err := NewRequest(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		return Result{}, err
	}
	if err := failpoint.Hit("exchange/before-send"); err != nil {
		return Result{}, err
	}
	response, err := transport.RoundTrip(request) // unlike a client, a transport follows no redirect
	if err != nil {
		var op *net.OpError // net/http reports the request as written before it has flushed it
		flushFailed := errors.As(err, &op) && op.Op == "write"
		return Result{Written: wrote.Load() && !flushFailed}, err
	}
	defer func() { _ = response.Body.Close() }()
	result := Result{Written: true, Response: &webhook.Response{Status: response.StatusCode, Header: webhook.HeaderOf(response.Header)}}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return result, nil // the body is the connection itself, which may never end
	}
	var body []byte
	body, result.BodyErr = io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	result.Response.Body = body[:min(len(body), MaxBody)]
	result.Response.Truncated = len(body) > MaxBody || result.BodyErr != nil
	_ = failpoint.Hit("exchange/after-answer") // which cannot be taken back
	return result, nil
}

// Status sends a request and returns the status of the response. It reads the
// body as far as Do does, and keeps nothing of it.
func Status(transport http.RoundTripper, request *http.Request) (int, error) {
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, MaxBody)) // for the connection to be used again
	}
	return response.StatusCode, nil
}

// hopByHop holds the headers that belong to one connection (RFC 9110, section
// 7.6.1), and those that every sender sets for itself.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Content-Length": true, "Host": true,
}

// EndToEnd returns the lines of a header that belong to the message rather
// than to the connection that it came over: without the hop-by-hop headers,
// those that Connection names, Host and Content-Length. What proves and describes
// an event is for its receiver even if Connection names it: a sender must not name
// it there (RFC 9110, section 7.6.1), and dropping it would strip the signature.
func EndToEnd(h webhook.Header) webhook.Header {
	named := map[string]bool{}
	for _, p := range h {
		if strings.EqualFold(p.Name, "Connection") {
			for name := range strings.SplitSeq(p.Value, ",") {
				named[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = true
			}
		}
	}
	var kept webhook.Header
	for _, p := range h {
		if name := textproto.CanonicalMIMEHeaderKey(p.Name); !hopByHop[name] && (!named[name] || ofTheEvent(name)) {
			kept = append(kept, p)
		}
	}
	return kept
}

// ofTheEvent reports whether a header, in its canonical form, proves or describes
// an event.
func ofTheEvent(name string) bool {
	if strings.HasPrefix(name, "X-Webhook-") || name == "Content-Type" || name == textproto.CanonicalMIMEHeaderKey(webhook.HeaderAPIKey) {
		return true
	}
	for _, s := range webhook.Schemes() {
		for _, own := range []string{s.SignatureHeader(), s.TimestampHeader(), s.IDHeader(), s.On(webhook.Worksome).SignatureHeader()} {
			if own != "" && textproto.CanonicalMIMEHeaderKey(own) == name {
				return true
			}
		}
	}
	return false
}

// IsLoopback reports whether a host, without a port, is this machine: the name
// localhost or a loopback address. No name is resolved.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Explain returns in plain words why there is no response, without addresses that
// the caller shows.
func Explain(err error) string {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		header      tls.RecordHeaderError
		alert       tls.AlertError
		number      syscall.Errno
		timeout     net.Error
		op          *net.OpError
	)
	text := err.Error()
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "the proxy: " + Explain(op.Err)
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Sprintf("there is no host %s", name.Name)
	case errors.As(err, &name):
		return fmt.Sprintf("the address of the host %s was not found: the name server did not answer", name.Name)
	case errors.As(err, &certificate):
		return certificateFault(certificate.Err)
	case errors.As(err, &header), errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS: is the URL http://?"
	case errors.As(err, &alert):
		return "the server refused the TLS connection: " + strings.TrimPrefix(alert.Error(), "tls: ")
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed idle connection"):
		return "the connection was closed without an answer"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the server did not answer in time"
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP"
	}
	return strings.TrimPrefix(text, "net/http: ")
}

// ExplainURL returns in plain words why [url.Parse] refuses a URL.
func ExplainURL(err error) string {
	var escape url.EscapeError
	var host url.InvalidHostError
	text := err.Error()
	switch {
	case errors.As(err, &escape):
		return fmt.Sprintf("%q is not an escaped character; a percent sign is written %%25", string(escape))
	case errors.As(err, &host):
		return fmt.Sprintf("its host contains %q", string(host))
	case strings.Contains(text, "invalid port"):
		return "its port is not a number from 1 to 65535; an IPv6 address is written in brackets"
	case strings.Contains(text, "control character"):
		return "it contains a control character"
	}
	return "its host is not a name or an IP address"
}

func certificateFault(err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &host):
		return fmt.Sprintf("the certificate is not for the host %s", host.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet"
	case errors.As(err, &unknown):
		return "the certificate is signed by an unknown authority"
	}
	return "the certificate is not valid"
}

// Wait pauses for d, or returns the error of ctx when that ends first.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err() // with a pause of 0 both may be ready
	}
}

// Temporary reports whether a later attempt may succeed where one had that
// status: 429, 5xx, or 0 for no response.
func Temporary(status int) bool {
	return status == 0 || status == http.StatusTooManyRequests || status >= 500
}

// Backoff returns the pause before the next attempt after a number of failures
// in front of the last one: it doubles from first up to longest.
func Backoff(first, longest time.Duration, failures int) time.Duration {
	return min(first<<min(failures, 16), longest)
}
