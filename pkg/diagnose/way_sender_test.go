package diagnose

import (
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// under puts the signature in another header than the scheme's, with more
// headers beside it.
func under(name, format string, more ...string) func(*Case, string) {
	return func(c *Case, signature string) {
		c.Header = append(c.Header, webhook.Pair{Name: name, Value: strings.ReplaceAll(format, "*", signature)})
		for i := 0; i+1 < len(more); i += 2 {
			c.Header = append(c.Header, webhook.Pair{Name: more[i], Value: more[i+1]})
		}
		c.Message.Timestamp, c.Message.ID = "", ""
	}
}

func senderWays() []way {
	form := "To=%2B15551234&Body=hi+there&From=me"
	whsec := func(c *Case) { c.Secrets = []webhook.Secret{secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk=")} }
	const decoded = "not-so-secret-key"
	return []way{
		{name: "Stripe's", want: []string{"sender.stripe"}, place: under("Stripe-Signature", "t=1700000000,v1=*,v0=0000")},
		{name: "GitHub's", want: []string{"sender.github"}, content: signedAs("", ""), place: under("X-Hub-Signature-256", "sha256=*")},
		{name: "GitHub's older one", want: []string{"sender.github_sha1"}, content: signedAs("", ""), hash: "sha1", place: under("X-Hub-Signature", "sha1=*")},
		{name: "Slack's", want: []string{"sender.slack"}, content: signedAs("v0:1531420618:", ""), place: under("X-Slack-Signature", "v0=*", "X-Slack-Request-Timestamp", "1531420618")},
		{name: "Shopify's", want: []string{"sender.shopify"}, content: signedAs("", ""), write: base64Of, place: under("X-Shopify-Hmac-Sha256", "*")},
		{name: "Svix's", want: []string{"sender.svix"}, change: whsec, key: decoded, content: signedAs("msg_1.1614265330.", ""), write: base64Of,
			place: under("svix-signature", "v1,AAAA v1,*", "svix-id", "msg_1", "svix-timestamp", "1614265330")},
		{name: "Standard Webhooks'", want: []string{"sender.standard_webhooks"}, change: whsec, key: decoded, content: signedAs("msg_1.1614265330.", ""), write: base64Of,
			place: under("webhook-signature", "v1,*", "webhook-id", "msg_1", "webhook-timestamp", "1614265330")},
		{name: "Square's", want: []string{"sender.square"}, content: signedAs(testURL, ""), write: base64Of, place: under("X-Square-HmacSha256-Signature", "*")},
		{name: "Intuit's", want: []string{"sender.quickbooks"}, content: signedAs("", ""), write: base64Of, place: under("intuit-signature", "*")},
		{name: "Worksome's", want: []string{"sender.worksome"}, content: signedAs("", ""), place: under("Signature", "*")},
		{name: "Twilio's", want: []string{"sender.twilio"}, change: received(form), content: func(Case) string { return testURL + "Bodyhi thereFromme" + "To+15551234" },
			hash: "sha1", write: base64Of, place: under("X-Twilio-Signature", "*")},
		{name: "WorkSkedge's where another was expected", want: []string{"sender.workskedge"}, content: signedAs(testStamp+".", ""),
			change: schemeNamed(webhook.StandardWebhooks), place: under("X-Webhook-Signature", "*", "X-Webhook-Timestamp", testStamp)},
		{name: "the right signature under a name of its own", want: []string{"header.other_name"}, place: func(c *Case, signature string) {
			c.Header = webhook.Header{{Name: "X-My-Signature", Value: signature}}
		}},
		{name: "a signature over the body under a name of its own", want: []string{"content.body_only", "header.other_name", "encoding.prefix"}, content: signedAs("", ""),
			place: func(c *Case, signature string) {
				c.Header = webhook.Header{{Name: "X-My-Signature", Value: "sha256=" + signature}}
			}},
	}
}

func pairWays() []way {
	return []way{
		{name: "the body alone, with a newline that was lost", want: []string{"content.body_only", "body.newline_missing"}, content: signedAs("", "\n")},
		{name: "the body alone, written anew by JavaScript", want: []string{"content.body_only", "body.javascript"}, content: signedAs("", ""),
			change: received(`{"b": 1.0, "a": "\u00e9"}`), body: `{"b":1,"a":"é"}`},
		{name: "written anew by Python and a newline", want: []string{"body.python", "body.newline_missing"}, change: received(`{"b":1.0,"a":"é"}`), body: `{"b": 1.0, "a": "\u00e9"}` + "\n"},
		{name: "a quoted secret and an editor's newline, in base64", want: []string{"body.newline_added", "secret.quotes_added", "encoding.base64"}, write: base64Of, body: testBody,
			change: func(c *Case) { received(testBody + "\n")(c); holding(`"` + testSecret + `"`)(c) }},
		{name: "a newline in the secret and no dot", want: []string{"content.no_separator", "secret.space_missing"}, key: testSecret + "\n", content: signedAs(testStamp, "")},
		{name: "HMAC-SHA1 over the body alone", want: []string{"content.body_only", "digest.hmac_sha1"}, hash: "sha1", content: signedAs("", "")},
		{name: "the body alone for Slack's secret in base64", want: []string{"content.slack", "secret.base64"}, change: holding("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key: string(unbase64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), content: signedAs("v0:"+testStamp+":", "")},
	}
}
