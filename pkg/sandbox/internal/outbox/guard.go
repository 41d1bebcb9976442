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
	"github.com/wskdev/wsk/pkg/webhook"
)

// Guard restricts where deliveries are sent: to this machine, and with
// AllowTargets to public addresses. Private, link-local and other special
// addresses are always refused, whatever name resolves to them.
type Guard struct{ AllowTargets bool }

// errTarget is the cause of every refused address.
var errTarget = errors.New("deliveries are not sent there")

// Check refuses a URL that no delivery can be sent to. What a name resolves to
// is checked later, when it is dialled.
func (g Guard) Check(raw string) error {
	if err := deliver.CheckURL(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	if u.User != nil {
		return &deliver.URLError{URL: webhook.RedactURL(raw), Reason: "it contains a user name or password, which every delivery would carry"}
	}
	if u.Fragment != "" {
		return &deliver.URLError{URL: webhook.RedactURL(raw), Reason: "it has a fragment, which is never sent"}
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return g.allow(address)
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return nil
	}
	if isNumber(host[strings.LastIndexByte(host, '.')+1:]) { // some resolvers read 127.1, 0x7f.1 and 2130706433 as 127.0.0.1
		return &deliver.URLError{URL: webhook.RedactURL(raw), Reason: "write the address in its usual form, 127.0.0.1 or [::1]"}
	}
	if !g.AllowTargets {
		return notThisMachine(host)
	}
	return nil
}

func notThisMachine(host any) error {
	return fmt.Errorf("%w: %s is not this machine; --allow-targets allows public addresses", errTarget, host)
}

// isNumber reports whether a host whose last label this is is read as an IPv4
// address (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// special are the address ranges that are not public, by the IANA special-purpose
// registries for IPv4 and IPv6.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),    // shared between carriers and customers
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's platform service
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local, with the metadata services of clouds
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), // documentation
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/3"),     // multicast and reserved

	// Public IPv6 addresses are in 2000::/3, except for these of its ranges.
	netip.MustParsePrefix("::/3"), // with the ranges that embed IPv4 addresses
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), // documentation
	netip.MustParsePrefix("2002::/16"),     // 6to4, which embeds IPv4 addresses
	netip.MustParsePrefix("3fff::/20"),     // documentation
	netip.MustParsePrefix("4000::/2"),
	netip.MustParsePrefix("8000::/1"),
}

// allow refuses an address that deliveries are not sent to.
func (g Guard) allow(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	switch {
	case address.IsLoopback():
		return nil
	case !address.IsValid(), slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(address) }):
		return fmt.Errorf("%w: %s is a private or special address", errTarget, address)
	case !g.AllowTargets:
		return notThisMachine(address)
	}
	return nil
}

// Transport returns deliver's transport with the guard in its dialler, which
// sees the address that is connected to, after names have been resolved. It
// uses no proxy, which would resolve and dial in its place.
func (g Guard) Transport() *http.Transport {
	t := deliver.NewTransport()
	t.Proxy = nil
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: g.control}
	t.DialContext = dialer.DialContext
	return t
}

// control is called before each connection.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errTarget, address)
	}
	return g.allow(target.Addr())
}
