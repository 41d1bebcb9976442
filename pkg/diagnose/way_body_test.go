package diagnose

import "strings"

// received gives the receiver another body than testBody.
func received(body string) func(*Case) {
	return func(c *Case) { c.Message.Body = []byte(body) }
}

func bodyWays() []way {
	lines := strings.ReplaceAll(testBody, ",", ",\n  ")
	return []way{
		{name: "the body has lost its newline", want: []string{"body.newline_missing"}, body: testBody + "\n"},
		{name: "the body has lost its CRLF", want: []string{"body.newline_missing"}, body: testBody + "\r\n"},
		{name: "an editor added a newline", want: []string{"body.newline_added"}, change: received(testBody + "\n"), body: testBody},
		{name: "an editor added a CRLF", want: []string{"body.newline_added"}, change: received(testBody + "\r\n"), body: testBody},
		{name: "line ends became LF", want: []string{"body.crlf_missing"}, change: received(lines), body: strings.ReplaceAll(lines, "\n", "\r\n")},
		{name: "line ends became CRLF", want: []string{"body.crlf_added"}, change: received(strings.ReplaceAll(lines, "\n", "\r\n")), body: lines},
		{name: "only the last line end became LF", want: []string{"body.crlf_missing"}, change: received(lines + "\n"), body: lines + "\r\n"},
		{name: "only the last line end became CRLF", want: []string{"body.crlf_added"}, change: received(lines + "\r\n"), body: lines + "\n"},
		{name: "the sender signed the trimmed body", want: []string{"body.space_added"}, change: received(" \t" + testBody + "\n\n"), body: testBody},
		{name: "the byte order mark was lost", want: []string{"body.bom_missing"}, body: "\xef\xbb\xbf" + testBody},
		{name: "a byte order mark was added", want: []string{"body.bom_added"}, change: received("\xef\xbb\xbf" + testBody), body: testBody},
		{name: "the body was never there", want: []string{"body.absent"}, content: func(Case) string { return testStamp + "." }},
		{name: "the body was an object in a template string", want: []string{"body.absent"}, body: "[object Object]"},
		{name: "the body was a Python f-string of bytes", want: []string{"body.python_bytes"}, body: `b'` + strings.NewReplacer("é", `\xc3\xa9`, `\`, `\\`).Replace(testBody) + `'`},
		{name: "the body was encoded as a string on the way", want: []string{"body.string_added"}, change: received(`"{\"a\":\"\u00e9\"}"`), body: `{"a":"é"}`},
		{name: "the sender encoded the body as a string", want: []string{"body.string_missing"}, change: received(`{"a":"é/"}`), body: `"{\"a\":\"é/\"}"`},
		{name: "a gateway handed the body over in base64", want: []string{"body.base64_added"}, change: received("eyJhIjoxfQ=="), body: `{"a":1}`},
		{name: "the sender signed the base64", want: []string{"body.base64_missing"}, change: received(`{"a":1}`), body: "eyJhIjoxfQ=="},
		{name: "the sender signed Latin-1", want: []string{"body.charset"}, change: received(`{"a":"é"}`), body: "{\"a\":\"\xe9\"}"},
		{name: "the sender signed UTF-8 twice over", want: []string{"body.charset"}, change: received(`{"a":"é"}`), body: `{"a":"Ã©"}`},
		{name: "the body became UTF-8 twice over", want: []string{"body.charset"}, change: received(`{"a":"Ã©"}`), body: `{"a":"é"}`},
		{name: "the sender signed question marks", want: []string{"body.charset"}, change: received(`{"a":"漢字"}`), body: `{"a":"??"}`},

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
