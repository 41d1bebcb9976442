package diagnose

import "github.com/wskdev/wsk/pkg/webhook"

// around signs the body between two texts.
func signedAs(pre, post string) func(Case) string {
	return func(c Case) string { return pre + string(c.Message.Body) + post }
}

func stampedAs(stamp string) func(*Case) {
	return func(c *Case) { c.Message.Timestamp = stamp }
}

func schemeNamed(name string) func(*Case) {
	return func(c *Case) {
		s, err := webhook.SchemeNamed(name)
		if err != nil {
			panic(err)
		}
		c.Scheme = s
	}
}

func contentWays() []way {
	return []way{
		{name: "the body alone", want: []string{"content.body_only"}, content: signedAs("", "")},
		{name: "id, timestamp and body", want: []string{"content.id_timestamp_body"}, content: signedAs(testID+"."+testStamp+".", "")},
		{name: "the timestamp where scheme body has none", want: []string{"content.timestamp_body"}, change: schemeNamed(webhook.BodyOnly), content: signedAs(testStamp+".", "")},
		{name: "id and body", want: []string{"content.id_body"}, content: signedAs(testID+".", "")},
		{name: "URL and body", want: []string{"content.url_body"}, content: signedAs(testURL, "")},
		{name: "timestamp, URL and body", want: []string{"content.url_body"}, content: signedAs(testStamp+"."+testURL+".", "")},
		{name: "no dot", want: []string{"content.no_separator"}, content: signedAs(testStamp, "")},
		{name: "a newline for the dot", want: []string{"content.newline_separator"}, content: signedAs(testStamp+"\n", "")},
		{name: "a colon for the dot", want: []string{"content.colon_separator"}, content: signedAs(testStamp+":", "")},
		{name: "a bar for the dot", want: []string{"content.other_separator"}, content: signedAs(testStamp+"|", "")},
		{name: "Slack's content", want: []string{"content.slack"}, content: signedAs("v0:"+testStamp+":", "")},
		{name: "the timestamp behind the body", want: []string{"content.body_first"}, content: signedAs("", testStamp)},
		{name: "the timestamp behind the body and a dot", want: []string{"content.body_first"}, content: signedAs("", "."+testStamp)},
		{name: "milliseconds signed and seconds sent", want: []string{"content.milliseconds"}, content: signedAs(testStamp+"789.", "")},
		{name: "round milliseconds signed and seconds sent", want: []string{"content.milliseconds"}, content: signedAs(testStamp+"000.", "")},
		{name: "seconds signed and milliseconds sent", want: []string{"content.seconds"}, change: stampedAs(testStamp + "789"), content: signedAs(testStamp+".", "")},
		{name: "seconds signed and a fraction sent", want: []string{"content.seconds"}, change: stampedAs(testStamp + ".123456"), content: signedAs(testStamp+".", "")},
		{name: "a date signed and seconds sent", want: []string{"content.iso_timestamp"}, content: signedAs("2023-11-14T22:13:20.000Z.", "")},
		{name: "the envelope's timestamp", want: []string{"content.envelope_timestamp"}, content: signedAs("2023-11-14T22:13:19Z.", "")},
		{name: "the envelope's timestamp as seconds", want: []string{"content.envelope_timestamp"}, content: signedAs("1699999999.", "")},
		{name: "another header's timestamp", want: []string{"content.other_timestamp"}, content: signedAs("1700000099.", ""), change: func(c *Case) {
			c.Header = webhook.Header{{Name: "X-Request-Timestamp", Value: "1700000099"}}
		}},
		{name: "no timestamp yet in JavaScript", want: []string{"content.timestamp_unset"}, content: signedAs("undefined.", "")},
		{name: "no timestamp yet in a shell", want: []string{"content.timestamp_unset"}, content: signedAs(".", "")},
		{name: "the URL as a proxy has it", want: []string{"content.url"}, content: signedAs("http://example.com/hooks/workskedge?tenant=7", ""), change: schemeNamed(webhook.Square), write: base64Of},
		{name: "the URL with a slash more", want: []string{"content.url"}, content: signedAs(testURL+"/", ""), change: schemeNamed(webhook.Square), write: base64Of},
		{name: "the body alone for Square, whose URL is not known", want: []string{"content.body_only"}, content: signedAs("", ""), write: base64Of, change: func(c *Case) {
			schemeNamed(webhook.Square)(c)
			c.Message.URL = ""
		}},
	}
}
