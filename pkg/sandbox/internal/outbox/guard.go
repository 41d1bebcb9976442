package outbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
)

// Guard says where deliveries may go: to this machine, and with AllowTargets to
// public addresses. Private, link-local and other special addresses are never
// reached, whatever name leads there.
type Guard struct{ AllowTargets bool }

// errTarget says that an address is not one to deliver to.
var errTarget = errors.New("deliveries do not go there")

// Check refuses a URL that no delivery can go to. What a name leads to is
// looked at when it is dialled.
func (g Guard) Check(raw string) error {
	if err := deliver.CheckURL(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	if u.User != nil {
		return &deliver.URLError{URL: raw, Reason: "it holds a user and a password, which would go out with every delivery"}
	}
	if u.Fragment != "" {
		return &deliver.URLError{URL: raw, Reason: "it has a fragment, which is never sent"}
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return g.allow(address)
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return nil
	}
	if isNumber(host[strings.LastIndexByte(host, '.')+1:]) { // 127.1, 0x7f.1 and 2130706433 are 127.0.0.1 to some
		return &deliver.URLError{URL: raw, Reason: "write an address in its usual form, 127.0.0.1 or [::1]"}
	}
	if !g.AllowTargets {
		return fmt.Errorf("%w: %s is not this machine; --allow-targets allows public addresses", errTarget, host)
	}
	return nil
}

// isNumber reports whether a host that ends in that label is read as an IPv4
// address, by https://url.spec.whatwg.org/#ends-in-a-number-checker.
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// special are the ranges that belong to nobody on the internet, by the IANA
// registries for IPv4 and IPv6: private, shared, link-local (the metadata
// services of clouds among them), documentation, benchmarks, multicast, and
// those that carry IPv4 addresses in IPv6. 168.63.129.16 is Azure's own service.
func special() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"168.63.129.16/32", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/2", "8000::/1", // what is public in IPv6 is in 2000::/3
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// allow refuses an address that deliveries do not go to.
func (g Guard) allow(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	switch {
	case address.IsLoopback():
		return nil
	case slices.ContainsFunc(special(), func(p netip.Prefix) bool { return p.Contains(address) }), !address.IsValid():
		return fmt.Errorf("%w: %s is a private or special address", errTarget, address)
	case !g.AllowTargets:
		return fmt.Errorf("%w: %s is not this machine; --allow-targets allows public addresses", errTarget, address)
	}
	return nil
}

// Transport is deliver's transport with the guard in its dialler: it sees the
// address that is really dialled, after every name was resolved. No proxy is
// asked, which would dial in its place.
func (g Guard) Transport() *http.Transport {
	t := deliver.NewTransport()
	t.Proxy = nil
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: g.control}
	t.DialContext = dialer.DialContext
	return t
}

// control is asked before each connection.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errTarget, address)
	}
	return g.allow(target.Addr())
}
