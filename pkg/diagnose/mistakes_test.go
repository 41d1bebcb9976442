package diagnose

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	testSecret    = "s3cr3t/Key+2024$HOME"
	testTimestamp = "1700000000"
	testID        = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"
	testURL       = "https://example.com/hooks/workskedge?tenant=7"
	testBody      = `{"event_type":"work_order.created","timestamp":"2023-11-14T22:13:19Z","source":"custom","data":{"id":"wo/1","title":"café \u00fc <b>","rate":5000.00}}`
)

// mistake is one way to get a signature wrong: what the sender signed, with what,
// and how it was presented. The zero value of each field is what is right.
type mistake struct {
	name    string
	want    []string                // the causes that must be found
	change  func(e *evidence)       // changes what the receiver has
	body    string                  // what the sender took for the body
	content func(e evidence) string // all that the sender signed
	key     string                  // what the sender took for the secret
	noKey   bool                    // an empty one
	hash    string                  // openssl's name
	plain   bool                    // a hash without a key
	write   func(d []byte) string   // how the digest is written
	place   func(e *evidence, signature string)
}

// build returns what the receiver has, and the content that the sender signed.
func (m mistake) build() (e evidence, content []byte) {
	e = evidence{
		scheme:  webhook.SchemeFor(webhook.WorkSkedge),
		message: webhook.Message{Body: []byte(testBody), Timestamp: testTimestamp, ID: testID, URL: testURL},
		secrets: []webhook.Secret{secretOf(testSecret)},
	}
	if m.change != nil {
		m.change(&e)
	}
	sent := e
	if m.body != "" {
		sent.message.Body = []byte(m.body)
	}
	if m.content != nil {
		return e, []byte(m.content(sent))
	}
	return e, sent.scheme.Content(sent.message)
}

func secretOf(text string) webhook.Secret {
	s, err := webhook.NewSecret(text)
	if err != nil {
		panic(err)
	}
	return s
}

// signMistakes has openssl compute the digest of every mistake, one run for
// each key and hash function, and returns what the receiver has of each.
func signMistakes(t testing.TB, mistakes []mistake) []evidence {
	t.Helper()
	type run struct {
		key, hash    string
		noKey, plain bool
	}
	type group struct {
		contents [][]byte
		indexes  []int // of the mistakes that have them
	}
	all := make([]evidence, len(mistakes))
	groups := map[run]*group{}
	for i, m := range mistakes {
		e, content := m.build()
		all[i] = e
		r := run{m.key, cmp.Or(m.hash, "sha256"), m.noKey, m.plain}
		if r.key == "" && !m.noKey {
			r.key = testSecret
		}
		if groups[r] == nil {
			groups[r] = &group{}
		}
		groups[r].contents = append(groups[r].contents, content)
		groups[r].indexes = append(groups[r].indexes, i)
	}
	for r, g := range groups {
		var digests [][]byte
		switch {
		case r.plain:
			digests = opensslDigests(t, g.contents, "-"+r.hash)
		case r.noKey:
			digests = opensslDigests(t, g.contents, "-"+r.hash, "-hmac", "")
		default:
			digests = opensslHMAC(t, r.hash, []byte(r.key), g.contents...)
		}
		for n, i := range g.indexes {
			m, signature := mistakes[i], hex.EncodeToString(digests[n])
			if m.write != nil {
				signature = m.write(digests[n])
			}
			if m.place != nil {
				m.place(&all[i], signature)
			} else {
				all[i].signature = signature
			}
		}
	}
	return all
}

func base64Of(d []byte) string { return base64.StdEncoding.EncodeToString(d) }

// allMistakes returns the mistakes of every group.
func allMistakes() []mistake {
	return slices.Concat(bodyMistakes(), contentMistakes(), secretMistakes(), encodingMistakes(), digestMistakes(), senderMistakes(), pairMistakes())
}

// received gives the receiver another body than testBody.
func received(body string) func(*evidence) {
	return func(e *evidence) { e.message.Body = []byte(body) }
}

func bodyMistakes() []mistake {
	lines := strings.ReplaceAll(testBody, ",", ",\n  ")
	return []mistake{
		{name: "the body has lost its newline", want: []string{"body.newline_missing"}, body: testBody + "\n"},
		{name: "the body has lost its CRLF", want: []string{"body.newline_missing"}, body: testBody + "\r\n"},
		{name: "an editor added a newline", want: []string{"body.newline_added"}, change: received(testBody + "\n"), body: testBody},
		{name: "an editor added a CRLF", want: []string{"body.newline_added"}, change: received(testBody + "\r\n"), body: testBody},
		{name: "line endings became LF", want: []string{"body.crlf_missing"}, change: received(lines), body: strings.ReplaceAll(lines, "\n", "\r\n")},
		{name: "line endings became CRLF", want: []string{"body.crlf_added"}, change: received(strings.ReplaceAll(lines, "\n", "\r\n")), body: lines},
		{name: "only the last line ending became LF", want: []string{"body.crlf_missing"}, change: received(lines + "\n"), body: lines + "\r\n"},
		{name: "only the last line ending became CRLF", want: []string{"body.crlf_added"}, change: received(lines + "\r\n"), body: lines + "\n"},
		{name: "the sender signed the trimmed body", want: []string{"body.space_added"}, change: received(" \t" + testBody + "\n\n"), body: testBody},
		{name: "the byte order mark was lost", want: []string{"body.bom_missing"}, body: "\xef\xbb\xbf" + testBody},
		{name: "a byte order mark was added", want: []string{"body.bom_added"}, change: received("\xef\xbb\xbf" + testBody), body: testBody},
		{name: "the body was never there", want: []string{"body.absent"}, content: func(evidence) string { return testTimestamp + "." }},
		{name: "the body was an object in a template string", want: []string{"body.absent"}, body: "[object Object]"},
		{name: "the body was a Python f-string of bytes", want: []string{"body.python_bytes"}, body: `b'` + strings.NewReplacer("é", `\xc3\xa9`, `\`, `\\`).Replace(testBody) + `'`},
		{name: "the body was encoded as a string on the way", want: []string{"body.string_added"}, change: received(`"{\"a\":\"\u00e9\"}"`), body: `{"a":"é"}`},
		{name: "the sender encoded the body as a string", want: []string{"body.string_missing"}, change: received(`{"a":"é/"}`), body: `"{\"a\":\"é/\"}"`},
		{name: "a gateway handed the body over in base64", want: []string{"body.base64_added"}, change: received("eyJhIjoxfQ=="), body: `{"a":1}`},
		{name: "the sender signed the base64", want: []string{"body.base64_missing"}, change: received(`{"a":1}`), body: "eyJhIjoxfQ=="},
		{name: "the sender signed Latin-1", want: []string{"body.charset"}, change: received(`{"a":"é"}`), body: "{\"a\":\"\xe9\"}"},
		{name: "the sender signed UTF-8 twice", want: []string{"body.charset"}, change: received(`{"a":"é"}`), body: `{"a":"Ã©"}`},
		{name: "the body became UTF-8 twice", want: []string{"body.charset"}, change: received(`{"a":"Ã©"}`), body: `{"a":"é"}`},
		{name: "the sender signed question marks", want: []string{"body.charset"}, change: received(`{"a":"漢字"}`), body: `{"a":"??"}`},

		{name: "curl -d dropped the line breaks", want: []string{"body.newlines_dropped"}, change: received(`{  "a": "x, { y",  "b": {    "c": [      1,      2    ],    "d": [1, 2],    "e": {}  }}`), body: "{\n  \"a\": \"x, { y\",\n  \"b\": {\n    \"c\": [\n      1,\n      2\n    ],\n    \"d\": [1, 2],\n    \"e\": {}\n  }\n}\n"},
		{name: "curl -d dropped CRLF", want: []string{"body.newlines_dropped"}, change: received("{\t\"a\": \"\\\"\",\t\"b\": []}"), body: "{\r\n\t\"a\": \"\\\"\",\r\n\t\"b\": []\r\n}\r\n"},
		{name: "curl -d dropped the line breaks, and the file has none at its end", want: []string{"body.newlines_dropped"}, change: received(`[    {        "a": true    }]`), body: "[\n    {\n        \"a\": true\n    }\n]"},

		{name: "the slashes were escaped", want: []string{"body.slash_escapes_missing"}, body: strings.ReplaceAll(testBody, "/", `\/`)},
		{name: "the slashes were not escaped", want: []string{"body.slash_escapes_added"}, change: received(strings.ReplaceAll(testBody, "/", `\/`)), body: testBody},
		{name: "the characters were escaped", want: []string{"body.unicode_escapes_missing"}, body: strings.ReplaceAll(testBody, "é", `\u00e9`)},
		{name: "the characters were escaped in uppercase", want: []string{"body.unicode_escapes_missing"}, change: received(`{"a":"é\u00fc","b":1.0}`), body: `{"a":"\u00E9\u00FC","b":1.0}`},
		{name: "an emoji was escaped as two halves", want: []string{"body.unicode_escapes_missing"}, change: received(`{"a":"😀","b":1.0}`), body: `{"a":"\ud83d\ude00","b":1.0}`},
		{name: "the characters were not escaped", want: []string{"body.unicode_escapes_added"}, change: received(`{"a":"\u00e9 \\u00e9 \n","b":1.0}`), body: `{"a":"é \\u00e9 \n","b":1.0}`},
		{name: "the escapes had uppercase digits", want: []string{"body.escape_digits"}, body: strings.ReplaceAll(testBody, `\u00fc`, `\u00FC`)},
		{name: "the escapes had lowercase digits", want: []string{"body.escape_digits"}, change: received(strings.ReplaceAll(testBody, `\u00fc`, `\u00FC`)), body: testBody},
		{name: "the angle brackets were escaped", want: []string{"body.html_escapes_missing"}, body: strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(testBody)},
		{name: "the angle brackets were not escaped", want: []string{"body.html_escapes_added"}, change: received(strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(testBody)), body: testBody},

		{name: "the white space was dropped and every token kept", want: []string{"body.minified"}, change: received(strings.ReplaceAll(testBody, `":`, `": `)), body: testBody},
	}
}

// signedAs signs the body between two texts.
func signedAs(pre, post string) func(evidence) string {
	return func(e evidence) string { return pre + string(e.message.Body) + post }
}

func withTimestampHeader(timestamp string) func(*evidence) {
	return func(e *evidence) { e.message.Timestamp = timestamp }
}

// expecting gives the receiver another scheme than timestamp.body.
func expecting(scheme string) func(*evidence) {
	return func(e *evidence) { e.scheme = schemeOf(scheme) }
}

func contentMistakes() []mistake {
	return []mistake{
		{name: "the body alone", want: []string{"content.body_only"}, content: signedAs("", "")},
		{name: "id, timestamp and body", want: []string{"content.id_timestamp_body"}, content: signedAs(testID+"."+testTimestamp+".", "")},
		{name: "the timestamp where scheme body has none", want: []string{"content.timestamp_body"}, change: expecting(webhook.BodyOnly), content: signedAs(testTimestamp+".", "")},
		{name: "id and body", want: []string{"content.id_body"}, content: signedAs(testID+".", "")},
		{name: "URL and body", want: []string{"content.url_body"}, content: signedAs(testURL, "")},
		{name: "timestamp, URL and body", want: []string{"content.url_body"}, content: signedAs(testTimestamp+"."+testURL+".", "")},
		{name: "no dot", want: []string{"content.no_separator"}, content: signedAs(testTimestamp, "")},
		{name: "a newline for the dot", want: []string{"content.newline_separator"}, content: signedAs(testTimestamp+"\n", "")},
		{name: "a colon for the dot", want: []string{"content.colon_separator"}, content: signedAs(testTimestamp+":", "")},
		{name: "a bar for the dot", want: []string{"content.other_separator"}, content: signedAs(testTimestamp+"|", "")},
		{name: "Slack's content", want: []string{"content.slack"}, content: signedAs("v0:"+testTimestamp+":", "")},
		{name: "the timestamp behind the body", want: []string{"content.body_first"}, content: signedAs("", testTimestamp)},
		{name: "the timestamp behind the body and a dot", want: []string{"content.body_first"}, content: signedAs("", "."+testTimestamp)},
		{name: "milliseconds signed and seconds sent", want: []string{"content.milliseconds"}, content: signedAs(testTimestamp+"789.", "")},
		{name: "round milliseconds signed and seconds sent", want: []string{"content.milliseconds"}, content: signedAs(testTimestamp+"000.", "")},
		{name: "seconds signed and milliseconds sent", want: []string{"content.seconds"}, change: withTimestampHeader(testTimestamp + "789"), content: signedAs(testTimestamp+".", "")},
		{name: "seconds signed and a fraction sent", want: []string{"content.seconds"}, change: withTimestampHeader(testTimestamp + ".123456"), content: signedAs(testTimestamp+".", "")},
		{name: "a date signed and seconds sent", want: []string{"content.iso_timestamp"}, content: signedAs("2023-11-14T22:13:20.000Z.", "")},
		{name: "the envelope's timestamp", want: []string{"content.envelope_timestamp"}, content: signedAs("2023-11-14T22:13:19Z.", "")},
		{name: "the envelope's timestamp as seconds", want: []string{"content.envelope_timestamp"}, content: signedAs("1699999999.", "")},
		{name: "another header's timestamp", want: []string{"content.other_timestamp"}, content: signedAs("1700000099.", ""), change: func(e *evidence) {
			e.header = webhook.Header{{Name: "X-Request-Timestamp", Value: "1700000099"}}
		}},
		{name: "no timestamp yet in JavaScript", want: []string{"content.timestamp_unset"}, content: signedAs("undefined.", "")},
		{name: "no timestamp yet in a shell", want: []string{"content.timestamp_unset"}, content: signedAs(".", "")},
		{name: "the URL as a proxy has it", want: []string{"content.url"}, content: signedAs("http://example.com/hooks/workskedge?tenant=7", ""), change: expecting(webhook.Square), write: base64Of},
		{name: "the URL with another slash", want: []string{"content.url"}, content: signedAs(testURL+"/", ""), change: expecting(webhook.Square), write: base64Of},
		{name: "the body alone for Square, with an unknown URL", want: []string{"content.body_only"}, content: signedAs("", ""), write: base64Of, change: func(e *evidence) {
			expecting(webhook.Square)(e)
			e.message.URL = ""
		}},
	}
}

// holding gives the receiver another secret than testSecret.
func holding(text string) func(*evidence) {
	return func(e *evidence) { e.secrets = []webhook.Secret{secretOf(text)} }
}

func secretMistakes() []mistake {
	const raw = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	inBase64 := base64.StdEncoding.EncodeToString([]byte(raw))
	standard := func(text string) func(*evidence) {
		return func(e *evidence) {
			expecting(webhook.StandardWebhooks)(e)
			holding(text)(e)
		}
	}
	v1 := func(d []byte) string { return "v1," + base64Of(d) }
	return []mistake{
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
		{name: "a Standard Webhooks secret that is not base64", want: []string{"secret.not_decoded"}, change: standard("not base64!"), key: "not base64!", write: v1},
		{name: "a previous secret", want: []string{"secret.previous"}, key: raw, change: func(e *evidence) {
			e.previous = []webhook.Secret{secretOf("older"), secretOf(raw)}
		}},
		{name: "an empty secret", want: []string{"secret.empty"}, noKey: true},
		{name: "a variable that is not set", want: []string{"secret.unset"}, key: "undefined"},
		{name: "the documentation's sample", want: []string{"secret.sample"}, key: "your-webhook-secret"},
		{name: "the API key", want: []string{"secret.api_key"}, key: "wsk_live_1", change: func(e *evidence) {
			e.header = webhook.Header{{Name: "x-api-key", Value: "wsk_live_1"}}
		}},
		{name: "the secret in lower case", want: []string{"secret.case"}, key: "s3cr3t/key+2024$home"},
		{name: "a secret that the shell expanded", want: []string{"secret.shell"}, key: "s3cr3t/Key+2024"},
		{name: "a secret that .env cut at #", want: []string{"secret.shell"}, change: holding("abc#def"), key: "abc"},
		{name: "a secret with percent escapes", want: []string{"secret.percent"}, change: holding("a%2Bb%3D"), key: "a+b="},
		{name: "the second of two secrets, trimmed", want: []string{"secret.space_added"}, key: raw, change: func(e *evidence) {
			e.secrets = append(e.secrets, secretOf(raw+"\r\n"))
		}},
	}
}

// formatted puts a hex digest into a text.
func formatted(format string) func([]byte) string {
	return func(d []byte) string { return fmt.Sprintf(format, hex.EncodeToString(d)) }
}

func encodingMistakes() []mistake {
	upper := func(d []byte) string { return strings.ToUpper(hex.EncodeToString(d)) }
	standard := func(e *evidence) {
		expecting(webhook.StandardWebhooks)(e)
		e.secrets = []webhook.Secret{secretOf("whsec_" + base64.StdEncoding.EncodeToString([]byte(testSecret)))}
	}
	return []mistake{
		{name: "uppercase hex", want: []string{"encoding.uppercase_hex"}, write: upper},
		{name: "base64 for hex", want: []string{"encoding.base64"}, write: base64Of},
		{name: "base64 for hex, without padding", want: []string{"encoding.base64"}, write: base64.RawStdEncoding.EncodeToString},
		{name: "base64url for hex", want: []string{"encoding.base64url"}, write: base64.URLEncoding.EncodeToString, body: testBody},
		{name: "base64url for hex, without padding", want: []string{"encoding.base64url"}, write: base64.RawURLEncoding.EncodeToString},
		{name: "hex for base64", want: []string{"encoding.hex"}, change: expecting(webhook.QuickBooks)},
		{name: "uppercase hex for base64", want: []string{"encoding.hex"}, change: expecting(webhook.QuickBooks), write: upper},
		{name: "base64 without its padding", want: []string{"encoding.base64_unpadded"}, change: expecting(webhook.QuickBooks), write: func(d []byte) string {
			return strings.TrimRight(base64Of(d), "=")
		}},
		{name: "GitHub's prefix", want: []string{"encoding.prefix"}, write: formatted("sha256=%s")},
		{name: "Stripe's prefix", want: []string{"encoding.prefix"}, write: formatted("v1=%s")},
		{name: "Slack's prefix", want: []string{"encoding.prefix"}, write: formatted("v0=%s")},
		{name: "Svix's prefix", want: []string{"encoding.prefix"}, write: formatted("v1,%s")},
		{name: "a prefix in capitals", want: []string{"encoding.prefix"}, write: formatted("SHA256=%s")},
		{name: "Standard Webhooks without its prefix", want: []string{"encoding.prefix_missing"}, change: standard, write: base64Of},
		{name: "Standard Webhooks with another prefix", want: []string{"encoding.prefix"}, change: standard, write: func(d []byte) string { return "v1=" + base64Of(d) }},
		{name: "Stripe's whole form", want: []string{"encoding.stamped"}, write: formatted("t=1700000000,v1=%s")},
		{name: "Stripe's whole form with its own timestamp", want: []string{"content.other_timestamp", "encoding.stamped"}, write: formatted("t=1700000099,v1=%s,v0=ff"), content: signedAs("1700000099.", "")},
		{name: "one of two signatures", want: []string{"encoding.list"}, write: func(d []byte) string { return strings.Repeat("0", 64) + ", " + hex.EncodeToString(d) }},
		{name: "base64 of hex text", want: []string{"encoding.double"}, write: func(d []byte) string { return base64Of([]byte(hex.EncodeToString(d))) }},
		{name: "hex of base64 text", want: []string{"encoding.double"}, write: func(d []byte) string { return hex.EncodeToString([]byte(base64Of(d))) }},
		{name: "hex of hex text", want: []string{"encoding.double"}, write: func(d []byte) string { return hex.EncodeToString([]byte(hex.EncodeToString(d))) }},
		{name: "base64 of base64 text", want: []string{"encoding.double"}, write: func(d []byte) string { return base64Of([]byte(base64Of(d))) }},
		{name: "colons between the bytes", want: []string{"encoding.separated"}, write: func(d []byte) string { return strings.ReplaceAll(fmt.Sprintf("% x", d), " ", ":") }},
		{name: "white space around it", want: []string{"encoding.space"}, write: formatted(" %s\n")},
		{name: "quotes around it", want: []string{"encoding.quotes"}, write: formatted(`"%s"`)},
		{name: "percent escapes", want: []string{"encoding.percent", "encoding.base64"}, write: func(d []byte) string { return strings.ReplaceAll(base64Of(d), "=", "%3D") }},
		{name: "what openssl prints", want: []string{"encoding.label"}, write: formatted("SHA2-256(stdin)= %s")},
		{name: "what sha256sum prints", want: []string{"encoding.label"}, write: formatted("%s  -")},
		{name: "cut at 40 characters", want: []string{"encoding.cut"}, write: formatted("%.40s")},
		{name: "cut at 63 characters", want: []string{"encoding.cut"}, write: formatted("%.63s")},
		{name: "cut at 32 characters", want: []string{"encoding.cut"}, write: formatted("%.32s")},
		{name: "base64 cut at 40 characters", want: []string{"encoding.cut"}, change: expecting(webhook.QuickBooks), write: func(d []byte) string { return base64Of(d)[:40] }},
		{name: "prefix, quotes, capitals and space at once", want: []string{"encoding.space", "encoding.quotes", "encoding.prefix", "encoding.uppercase_hex"}, write: func(d []byte) string {
			return ` "sha256=` + upper(d) + `" `
		}},
	}
}

func digestMistakes() []mistake {
	swapped := func(e evidence) string { return string(e.scheme.Content(e.message)) }
	return []mistake{
		{name: "HMAC-SHA1", want: []string{"digest.hmac_sha1"}, hash: "sha1"},
		{name: "HMAC-SHA1 in base64", want: []string{"digest.hmac_sha1", "encoding.base64"}, hash: "sha1", write: base64Of},
		{name: "HMAC-SHA512", want: []string{"digest.hmac_sha512"}, hash: "sha512"},
		{name: "HMAC-SHA384", want: []string{"digest.hmac_sha384"}, hash: "sha384"},
		{name: "HMAC-MD5", want: []string{"digest.hmac_md5"}, hash: "md5"},
		{name: "a plain hash", want: []string{"digest.plain"}, plain: true},
		{name: "a plain hash of the body", want: []string{"content.body_only", "digest.plain"}, plain: true, content: signedAs("", "")},
		{name: "a plain SHA-1", want: []string{"digest.plain"}, plain: true, hash: "sha1"},
		{name: "secret and content", want: []string{"digest.key_first"}, plain: true, content: func(e evidence) string { return testSecret + swapped(e) }},
		{name: "content and secret", want: []string{"digest.key_last"}, plain: true, content: func(e evidence) string { return swapped(e) + testSecret }},
		{name: "key and message swapped", want: []string{"digest.swapped"}, key: testTimestamp + "." + testBody, content: func(evidence) string { return testSecret }},
	}
}

// under puts the signature in another header than the scheme's, with more
// headers beside it.
func under(name, format string, more ...string) func(*evidence, string) {
	return func(e *evidence, signature string) {
		e.header = append(e.header, webhook.Pair{Name: name, Value: strings.ReplaceAll(format, "*", signature)})
		for i := 0; i+1 < len(more); i += 2 {
			e.header = append(e.header, webhook.Pair{Name: more[i], Value: more[i+1]})
		}
		e.message.Timestamp, e.message.ID = "", ""
	}
}

func senderMistakes() []mistake {
	form := "To=%2B15551234&Body=hi+there&From=me"
	whsec := func(e *evidence) { e.secrets = []webhook.Secret{secretOf("whsec_bm90LXNvLXNlY3JldC1rZXk=")} }
	const decoded = "not-so-secret-key"
	return []mistake{
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
		{name: "Twilio's", want: []string{"sender.twilio"}, change: received(form), content: func(evidence) string { return testURL + "Bodyhi thereFromme" + "To+15551234" },
			hash: "sha1", write: base64Of, place: under("X-Twilio-Signature", "*")},
		{name: "WorkSkedge's where another was expected", want: []string{"sender.workskedge"}, content: signedAs(testTimestamp+".", ""),
			change: expecting(webhook.StandardWebhooks), place: under("X-Webhook-Signature", "*", "X-Webhook-Timestamp", testTimestamp)},
		{name: "the right signature in a custom header", want: []string{"header.other_name"}, place: func(e *evidence, signature string) {
			e.header = webhook.Header{{Name: "X-My-Signature", Value: signature}}
		}},
		{name: "a signature over the body in a custom header", want: []string{"content.body_only", "header.other_name", "encoding.prefix"}, content: signedAs("", ""),
			place: func(e *evidence, signature string) {
				e.header = webhook.Header{{Name: "X-My-Signature", Value: "sha256=" + signature}}
			}},
	}
}

func pairMistakes() []mistake {
	return []mistake{
		{name: "the body alone, with a newline that was lost", want: []string{"content.body_only", "body.newline_missing"}, content: signedAs("", "\n")},
		{name: "the body alone, rewritten by JavaScript", want: []string{"content.body_only", "body.javascript"}, content: signedAs("", ""),
			change: received(`{"b": 1.0, "a": "\u00e9"}`), body: `{"b":1,"a":"é"}`},
		{name: "rewritten by Python, and a newline", want: []string{"body.python", "body.newline_missing"}, change: received(`{"b":1.0,"a":"é"}`), body: `{"b": 1.0, "a": "\u00e9"}` + "\n"},
		{name: "a quoted secret and an editor's newline, in base64", want: []string{"body.newline_added", "secret.quotes_added", "encoding.base64"}, write: base64Of, body: testBody,
			change: func(e *evidence) { received(testBody + "\n")(e); holding(`"` + testSecret + `"`)(e) }},
		{name: "a newline in the secret and no dot", want: []string{"content.no_separator", "secret.space_missing"}, key: testSecret + "\n", content: signedAs(testTimestamp, "")},
		{name: "HMAC-SHA1 over the body alone", want: []string{"content.body_only", "digest.hmac_sha1"}, hash: "sha1", content: signedAs("", "")},
		{name: "the body alone for Slack's secret in base64", want: []string{"content.slack", "secret.base64"}, change: holding("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key: string(unbase64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), content: signedAs("v0:"+testTimestamp+":", "")},
	}
}
