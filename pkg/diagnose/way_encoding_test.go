package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// written puts a hex digest into a text.
func written(format string) func([]byte) string {
	return func(d []byte) string { return fmt.Sprintf(format, hex.EncodeToString(d)) }
}

func encodingWays() []way {
	upper := func(d []byte) string { return strings.ToUpper(hex.EncodeToString(d)) }
	standard := func(c *Case) {
		schemeNamed(webhook.StandardWebhooks)(c)
		c.Secrets = []webhook.Secret{secretOf("whsec_" + base64.StdEncoding.EncodeToString([]byte(testSecret)))}
	}
	return []way{
		{name: "uppercase hex", want: []string{"encoding.uppercase_hex"}, write: upper},
		{name: "base64 for hex", want: []string{"encoding.base64"}, write: base64Of},
		{name: "base64 for hex, without padding", want: []string{"encoding.base64"}, write: base64.RawStdEncoding.EncodeToString},
		{name: "base64url for hex", want: []string{"encoding.base64url"}, write: base64.URLEncoding.EncodeToString, body: testBody},
		{name: "base64url for hex, without padding", want: []string{"encoding.base64url"}, write: base64.RawURLEncoding.EncodeToString},
		{name: "hex for base64", want: []string{"encoding.hex"}, change: schemeNamed(webhook.QuickBooks)},
		{name: "uppercase hex for base64", want: []string{"encoding.hex"}, change: schemeNamed(webhook.QuickBooks), write: upper},
		{name: "base64 without its padding", want: []string{"encoding.base64_unpadded"}, change: schemeNamed(webhook.QuickBooks), write: func(d []byte) string {
			return strings.TrimRight(base64Of(d), "=")
		}},
		{name: "GitHub's prefix", want: []string{"encoding.prefix"}, write: written("sha256=%s")},
		{name: "Stripe's prefix", want: []string{"encoding.prefix"}, write: written("v1=%s")},
		{name: "Slack's prefix", want: []string{"encoding.prefix"}, write: written("v0=%s")},
		{name: "Svix's prefix", want: []string{"encoding.prefix"}, write: written("v1,%s")},
		{name: "a prefix in capitals", want: []string{"encoding.prefix"}, write: written("SHA256=%s")},
		{name: "Standard Webhooks without its prefix", want: []string{"encoding.prefix_missing"}, change: standard, write: base64Of},
		{name: "Standard Webhooks with another prefix", want: []string{"encoding.prefix"}, change: standard, write: func(d []byte) string { return "v1=" + base64Of(d) }},
		{name: "Stripe's whole form", want: []string{"encoding.stamped"}, write: written("t=1700000000,v1=%s")},
		{name: "Stripe's whole form with a timestamp of its own", want: []string{"content.other_timestamp", "encoding.stamped"}, write: written("t=1700000099,v1=%s,v0=ff"), content: signedAs("1700000099.", "")},
		{name: "one of two signatures", want: []string{"encoding.list"}, write: func(d []byte) string { return strings.Repeat("0", 64) + ", " + hex.EncodeToString(d) }},
		{name: "base64 of hex text", want: []string{"encoding.double"}, write: func(d []byte) string { return base64Of([]byte(hex.EncodeToString(d))) }},
		{name: "hex of base64 text", want: []string{"encoding.double"}, write: func(d []byte) string { return hex.EncodeToString([]byte(base64Of(d))) }},
		{name: "hex of hex text", want: []string{"encoding.double"}, write: func(d []byte) string { return hex.EncodeToString([]byte(hex.EncodeToString(d))) }},
		{name: "base64 of base64 text", want: []string{"encoding.double"}, write: func(d []byte) string { return base64Of([]byte(base64Of(d))) }},
		{name: "colons between the bytes", want: []string{"encoding.separated"}, write: func(d []byte) string { return strings.ReplaceAll(fmt.Sprintf("% x", d), " ", ":") }},
		{name: "white space around it", want: []string{"encoding.space"}, write: written(" %s\n")},
		{name: "quotes around it", want: []string{"encoding.quotes"}, write: written(`"%s"`)},
		{name: "percent escapes", want: []string{"encoding.percent", "encoding.base64"}, write: func(d []byte) string { return strings.ReplaceAll(base64Of(d), "=", "%3D") }},
		{name: "what openssl prints", want: []string{"encoding.label"}, write: written("SHA2-256(stdin)= %s")},
		{name: "what sha256sum prints", want: []string{"encoding.label"}, write: written("%s  -")},
		{name: "cut at 40 characters", want: []string{"encoding.cut"}, write: written("%.40s")},
		{name: "cut at 63 characters", want: []string{"encoding.cut"}, write: written("%.63s")},
		{name: "cut at 32 characters", want: []string{"encoding.cut"}, write: written("%.32s")},
		{name: "base64 cut at 40 characters", want: []string{"encoding.cut"}, change: schemeNamed(webhook.QuickBooks), write: func(d []byte) string { return base64Of(d)[:40] }},
		{name: "prefix, quotes, capitals and space at once", want: []string{"encoding.space", "encoding.quotes", "encoding.prefix", "encoding.uppercase_hex"}, write: func(d []byte) string {
			return ` "sha256=` + upper(d) + `" `
		}},
	}
}

func digestWays() []way {
	swapped := func(c Case) string { return string(c.Scheme.Content(c.Message)) }
	return []way{
		{name: "HMAC-SHA1", want: []string{"digest.hmac_sha1"}, hash: "sha1"},
		{name: "HMAC-SHA1 in base64", want: []string{"digest.hmac_sha1", "encoding.base64"}, hash: "sha1", write: base64Of},
		{name: "HMAC-SHA512", want: []string{"digest.hmac_sha512"}, hash: "sha512"},
		{name: "HMAC-SHA384", want: []string{"digest.hmac_sha384"}, hash: "sha384"},
		{name: "HMAC-MD5", want: []string{"digest.hmac_md5"}, hash: "md5"},
		{name: "a plain hash", want: []string{"digest.plain"}, plain: true},
		{name: "a plain hash of the body", want: []string{"content.body_only", "digest.plain"}, plain: true, content: signedAs("", "")},
		{name: "a plain SHA-1", want: []string{"digest.plain"}, plain: true, hash: "sha1"},
		{name: "secret and content", want: []string{"digest.key_first"}, plain: true, content: func(c Case) string { return testSecret + swapped(c) }},
		{name: "content and secret", want: []string{"digest.key_last"}, plain: true, content: func(c Case) string { return swapped(c) + testSecret }},
		{name: "key and message swapped", want: []string{"digest.swapped"}, key: testStamp + "." + testBody, content: func(Case) string { return testSecret }},
	}
}
