package diagnose

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/wskdev/wsk/pkg/webhook"
)

// holding gives the receiver another secret than testSecret.
func holding(text string) func(*Case) {
	return func(c *Case) { c.Secrets = []webhook.Secret{secretOf(text)} }
}

func secretWays() []way {
	const raw = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	inBase64 := base64.StdEncoding.EncodeToString([]byte(raw))
	standard := func(text string) func(*Case) {
		return func(c *Case) {
			schemeNamed(webhook.StandardWebhooks)(c)
			holding(text)(c)
		}
	}
	v1 := func(d []byte) string { return "v1," + base64Of(d) }
	return []way{
		{name: "the receiver's secret ends in a newline", want: []string{"secret.space_added"}, change: holding(testSecret + "\n")},
		{name: "the receiver's secret begins with a space", want: []string{"secret.space_added"}, change: holding(" " + testSecret)},
		{name: "the sender's secret ends in a newline", want: []string{"secret.space_missing"}, key: testSecret + "\n"},
		{name: "the receiver's secret is quoted", want: []string{"secret.quotes_added"}, change: holding(`"` + testSecret + `"`)},
		{name: "the sender's secret is quoted", want: []string{"secret.quotes_missing"}, key: `'` + testSecret + `'`},
		{name: "the sender decoded the secret from base64", want: []string{"secret.base64"}, change: holding(inBase64), key: raw},
		{name: "the sender decoded base64 that has no padding", want: []string{"secret.base64"}, change: standard("whsec_c2VjcmV0cw"), key: "secrets", write: v1},
		{name: "the sender decoded the secret from hex", want: []string{"secret.hex"}, change: holding(hex.EncodeToString([]byte(raw))), key: raw},
		{name: "the sender's secret is in base64", want: []string{"secret.base64_encoded"}, change: holding(raw), key: inBase64},
		{name: "the sender's secret is in base64 with a newline in it", want: []string{"secret.base64_encoded"}, change: holding(raw), key: base64.StdEncoding.EncodeToString([]byte(raw + "\n"))},
		{name: "the sender's secret is in hex", want: []string{"secret.hex_encoded"}, change: holding(raw), key: hex.EncodeToString([]byte(raw))},
		{name: "whsec_ was stripped and the rest decoded", want: []string{"secret.whsec"}, change: holding("whsec_" + inBase64), key: raw},
		{name: "whsec_ was stripped and the rest not decoded", want: []string{"secret.whsec"}, change: holding("whsec_" + inBase64), key: inBase64},
		{name: "whsec_ was dropped at the receiver", want: []string{"secret.whsec_missing"}, change: holding(inBase64), key: "whsec_" + inBase64},
		{name: "whsec_ was kept where Standard Webhooks decodes", want: []string{"secret.not_decoded"}, change: standard("whsec_" + inBase64), key: "whsec_" + inBase64, write: v1},
		{name: "the base64 was not decoded where Standard Webhooks does", want: []string{"secret.not_decoded"}, change: standard("whsec_" + inBase64), key: inBase64, write: v1},
		{name: "a Standard Webhooks secret that is no base64", want: []string{"secret.not_decoded"}, change: standard("not base64!"), key: "not base64!", write: v1},
		{name: "a previous secret", want: []string{"secret.previous"}, key: raw, change: func(c *Case) {
			c.Previous = []webhook.Secret{secretOf("older"), secretOf(raw)}
		}},
		{name: "an empty secret", want: []string{"secret.empty"}, noKey: true},
		{name: "a variable that is not set", want: []string{"secret.unset"}, key: "undefined"},
		{name: "the documentation's sample", want: []string{"secret.sample"}, key: "your-webhook-secret"},
		{name: "the API key", want: []string{"secret.api_key"}, key: "wsk_live_1", change: func(c *Case) {
			c.Header = webhook.Header{{Name: "x-api-key", Value: "wsk_live_1"}}
		}},
		{name: "the secret in lower case", want: []string{"secret.case"}, key: "s3cr3t/key+2024$home"},
		{name: "a secret that the shell expanded", want: []string{"secret.shell"}, key: "s3cr3t/Key+2024"},
		{name: "a secret that .env cut at #", want: []string{"secret.shell"}, change: holding("abc#def"), key: "abc"},
		{name: "a secret with percent escapes", want: []string{"secret.percent"}, change: holding("a%2Bb%3D"), key: "a+b="},
		{name: "the second of two secrets, trimmed", want: []string{"secret.space_added"}, key: raw, change: func(c *Case) {
			c.Secrets = append(c.Secrets, secretOf(raw+"\r\n"))
		}},
	}
}
