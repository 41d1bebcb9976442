package schema_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

func TestFormatDate(t *testing.T) {
	for _, year := range []int{0, 1, 4, 100, 400, 1600, 1900, 1999, 2000, 2023, 2024, 2100, 9999} {
		for month := range 14 {
			for day := range 33 {
				text := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
				_, err := time.Parse(time.DateOnly, text)
				if schema.FitsFormat("date", text) != (err == nil) {
					t.Errorf("%s: %v", text, err)
				}
			}
		}
	}
}

// Addresses agree with package netip, without zones.
func TestFormatAddresses(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	pieces := []string{"", ":", "::", "0", "1", "db8", "ffff", "FFFF", "10000", "g", "1.2.3.4", "1.2.3", "01.2.3.4", "256.1.1.1", ".", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:", "127.0.0.1", "%eth0", "0.0.0.0", "255.255.255.255"}
	fits := 0
	for range 200_000 / slowdown {
		var b strings.Builder
		for range 1 + rng.IntN(5) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
			if rng.IntN(3) == 0 {
				b.WriteByte(':')
			}
		}
		text := b.String()
		address, err := netip.ParseAddr(text)
		is4 := err == nil && address.Is4()
		is6 := err == nil && address.Is6() && address.Zone() == ""
		if got := schema.FitsFormat("email", "a@[IPv6:"+text+"]"); got != is6 {
			t.Fatalf("IPv6 %s: %v, %v", text, got, err)
		}
		if got := schema.FitsFormat("uri", "x://["+text+"]"); got != is6 {
			t.Fatalf("[%s]: %v, %v", text, got, err)
		}
		if got := schema.FitsFormat("email", "a@["+text+"]"); got != is4 {
			t.Fatalf("IPv4 %s: %v, %v", text, got, err)
		}
		if is4 || is6 {
			fits++
		}
	}
	if fits < 500/slowdown {
		t.Errorf("%d addresses only", fits)
	}
}

// FuzzFormat compares what has a format with what the standard library parses.
func FuzzFormat(f *testing.F) {
	for _, text := range []string{"2026-01-15", "2026-01-15T14:30:00Z", "1998-12-31T23:59:60.5+01:00", "14:30", "14:30:00", "2026-01-15 14:30:00 CET", "a.b@c.example", `"a b"@[127.0.0.1]`, "https://u:p@[::1]:80/a?b=%20#c", "mailto:a@b.example"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault := map[string]error{}
		_, fault["date"] = time.Parse(time.DateOnly, text)
		_, fault["date-time"] = time.Parse(time.RFC3339, strings.Replace(strings.ToUpper(text), ":60", ":59", 1))
		if _, err := time.Parse("15:04", text); err != nil {
			_, fault["time-of-day"] = time.Parse(time.TimeOnly, text)
		}
		if len(text) >= len(time.DateTime) {
			_, fault["worksome-time"] = time.Parse(time.DateTime, text[:len(time.DateTime)])
		}
		u, err := url.Parse(strings.ReplaceAll(text, "%", "-")) // url.Parse refuses some of what RFC 3986 allows in a host
		if err == nil && !u.IsAbs() {
			err = fmt.Errorf("%s is relative", u)
		}
		fault["uri"] = err
		if strings.Count(text, "@") == 0 {
			fault["email"] = fmt.Errorf("no @")
		}
		for _, name := range schema.Formats() {
			if schema.FitsFormat(name, text) && fault[name] != nil {
				t.Errorf("%q fits %s: %v", text, name, fault[name])
			}
		}
	})
}
