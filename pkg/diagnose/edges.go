package diagnose

import (
	"bytes"
)

const bom = "\xef\xbb\xbf"

// edges gives the bodies that differ in line ends, in a byte order mark or in
// the white space around them.
func (raw original) edges(yield func(body) bool) {
	for _, e := range append(ends(raw), around(raw)...) {
		b := body{mistake: mistake{steps: because(e.id, e.detail)}, head: e.head, text: e.text, tail: e.tail}
		if !yield(b) {
			return
		}
	}
	if len(raw) > maxRewrite {
		return
	}
	lf := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	_ = yield(body{mistake: mistake{steps: because("body.crlf_added", "")}, text: lf}) &&
		yield(body{mistake: mistake{steps: because("body.crlf_missing", "")}, text: bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))})
}

type edge struct {
	id, detail string
	head       string
	text       []byte
	tail       string
}

// ends changes the last newline. A body that has one may still lack another,
// because echo adds one whatever is there.
func ends(raw []byte) []edge {
	list := []edge{{"body.newline_missing", "", "", raw, "\n"}}
	if text, ok := bytes.CutSuffix(raw, []byte("\r\n")); ok {
		return append(list, edge{"body.newline_added", "the newline is CRLF", "", text, ""}, edge{"body.crlf_added", "the last one only", "", text, "\n"})
	}
	if text, ok := bytes.CutSuffix(raw, []byte("\n")); ok {
		return append(list, edge{"body.newline_added", "", "", text, ""}, edge{"body.crlf_missing", "the last one only", "", text, "\r\n"})
	}
	return append(list, edge{"body.newline_missing", "the newline is CRLF", "", raw, "\r\n"})
}

// around changes what else stands before and after the text.
func around(raw []byte) []edge {
	var list []edge
	if trimmed := bytes.TrimSpace(raw); len(trimmed) < len(raw) {
		list = append(list, edge{"body.space_added", "", "", trimmed, ""})
	}
	if text, ok := bytes.CutPrefix(raw, []byte(bom)); ok {
		return append(list, edge{"body.bom_added", "", "", text, ""})
	}
	return append(list, edge{"body.bom_missing", "", bom, raw, ""})
}

func bodyCauses() []Cause {
	const raw = "verify the bytes as they came over the wire"
	return []Cause{
		{"body.newline_missing", "the signature is over the body with a newline at its end: the body here has lost it, or the sender signed what echo printed", raw + " and trim nothing; a sender in the shell writes printf '%s' or echo -n"},
		{"body.newline_added", "the signature is over the body without the newline at its end: an editor or echo added it to the body here", raw + ": save and send the body with printf '%s' or curl --data-binary, not with echo or an editor"},
		{"body.crlf_missing", "the signature is over the body with CRLF line ends: the body here has LF", raw + " and in binary mode: git, curl -d and text mode change line ends"},
		{"body.crlf_added", "the signature is over the body with LF line ends: the body here has CRLF", raw + " and in binary mode: git, editors and text mode change line ends"},
		{"body.space_added", "the signature is over the body without the white space around it", raw + ", and have the sender sign the bytes that it sends, untrimmed"},
		{"body.bom_missing", "the signature is over the body with a byte order mark before it: the body here has lost it", raw + ", and have the sender write UTF-8 without BOM"},
		{"body.bom_added", "the signature is over the body without the byte order mark that stands before it here", raw + ", and save the body as UTF-8 without BOM"},
		{"body.absent", "the signature is over a word or nothing in the place of the body", "have the sender sign the serialised bytes that it sends: an object put into a text gives such a word, a stream that was read before gives nothing"},
		{"body.python_bytes", "the signature is over the body as Python prints bytes, b'…'", "have the sender join bytes with bytes, timestamp.encode() + b'.' + body, in place of an f-string"},
		{"body.string_added", "the signature is over the text that the body here holds as a JSON string", "remove the second round of JSON encoding: the body here was encoded once more as a string"},
		{"body.string_missing", "the signature is over the body encoded once more as a JSON string", "have the sender sign the body itself: it was passed to a JSON encoder as a string"},
		{"body.base64_added", "the signature is over the bytes that the body here is the base64 of", "decode the body first: gateways and serverless platforms hand over binary bodies in base64"},
		{"body.base64_missing", "the signature is over the base64 of the body", "have the sender sign the bytes that it sends"},
		{"body.charset", "the signature is over the body in another character encoding", raw + " and as UTF-8 on both sides: do not turn them into text in between"},
	}
}
