package exchange

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := map[string]struct {
		err  error
		want string
	}{
		"no host":                  {dial(&net.DNSError{Err: "no such host", Name: "x.invalid", Server: "10.0.0.1:53", IsNotFound: true}), "there is no host x.invalid"},
		"no name server":           {dial(&net.DNSError{Err: "server misbehaving", Name: "x.invalid", Server: "10.0.0.1:53"}), "the address of the host x.invalid was not found: the name server did not answer"},
		"refused":                  {dial(fmt.Errorf("connect: %w", syscall.ECONNREFUSED)), "connection refused"},
		"refused by the proxy":     {&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)}, "the proxy: connection refused"},
		"the dial takes too long":  {dial(context.DeadlineExceeded), "the server did not answer in time"},
		"closed":                   {io.ErrUnexpectedEOF, "the connection was closed without an answer"},
		"a certificate of another": {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x.example"}}, "the certificate is not for the host x.example"},
		"an expired certificate":   {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, "the certificate has expired or is not valid yet"},
		"a certificate for mail":   {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}}, "the certificate is not valid"},
		"an alert":                 {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, "the server refused the TLS connection: handshake failure"},
		"anything else":            {errors.New("net/http: abort"), "abort"},
	}
	for name, test := range tests {
		if got := Explain(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// These are the errors of real connections.
func TestExplain_a_server_that_speaks_something_else(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for url, want := range map[string]string{
		strings.Replace(plain.URL, "http:", "https:", 1): "the server does not speak TLS: is the URL http://?",
		secure.URL:                         "the certificate is signed by an unknown authority",
		answering(t, "220 mail ESMTP\r\n"): "the answer is not HTTP",
		answering(t, ""):                   "the connection was closed without an answer",
	} {
		transport := NewTransport()
		_, err := Do(t.Context(), transport, webhook.Request{Method: http.MethodPost, URL: url})
		transport.CloseIdleConnections()
		if err == nil || Explain(err) != want {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

// answering returns the URL of a server that answers each request with text.
func answering(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}
