package outbox

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestGuardAllow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "100.64.0.1", "100.127.255.255", "198.18.0.1", "198.19.255.255",
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "203.0.113.9",
		"::", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2002:a00:1::", "2001:db8::1", "::ffff:10.0.0.1",
		"::169.254.169.254", "::ffff:0:169.254.169.254", "::a00:1", "64:ff9b:2::1", "4000::1", "168.63.129.16",
	} {
		for _, g := range []Guard{{}, {AllowTargets: true}} {
			if err := g.allow(netip.MustParseAddr(text)); !errors.Is(err, errTarget) {
				t.Errorf("%s with %+v: %v", text, g, err)
			}
		}
	}
	for _, text := range []string{"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"} {
		if err := (Guard{}).allow(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1"} {
		if err := (Guard{AllowTargets: true}).allow(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := (Guard{}).allow(netip.MustParseAddr(text)); err == nil {
			t.Errorf("%s is allowed without --allow-targets", text)
		}
	}
}

func TestGuardCheck(t *testing.T) {
	t.Parallel()
	open := Guard{AllowTargets: true}
	for raw, ok := range map[string]bool{
		"http://127.0.0.1:3000/x": true, "http://localhost:3000": true, "http://[::1]:3000": true, "http://api.localhost/": true,
		"http://[::ffff:169.254.169.254]/": false, "http://169.254.169.254/latest": false, "http://2130706433/": false, "http://0x7f.1/": false, "http://017700000001/": false,
		"http://127.1/": false, "https://example.com/hooks": true, "https://cafe.de/": true, "ftp://example.com/": false, "http://user:pw@127.0.0.1/": false, "http://[fe80::1%25eth0]/": false,
		"http:///x": false, "": false, "http://10.0.0.1./": false,
		"http://127.0.0.1/?a=b": true, "http://127.0.0.1/#token": false,
	} {
		if err := open.Check(raw); (err == nil) != ok {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if err := (Guard{}).Check("https://example.com/"); err == nil || !strings.Contains(err.Error(), "--allow-targets") {
		t.Errorf("another machine: %v", err)
	}
}

// TestGuardTransport: the address that is dialled counts, not the name.
func TestGuardTransport(t *testing.T) {
	t.Parallel()
	g := Guard{AllowTargets: true}
	for address, ok := range map[string]bool{"127.0.0.1:80": true, "10.1.2.3:80": false, "[fe80::1%lo]:80": false, "[::ffff:192.168.0.1]:443": false, "1.1.1.1:443": true, "nonsense": false} {
		if err := g.control("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := g.Transport().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	request.URL.Host = "169.254.169.254:80"
	if _, err := g.Transport().RoundTrip(request); !errors.Is(err, errTarget) {
		t.Errorf("the metadata service: %v", err)
	}
}
