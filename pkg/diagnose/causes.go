package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// cause is one thing that went wrong.
type cause struct {
	id     string // stable, for programs: "body.newline_added"
	detail string // what sentences cannot know, such as the name of a header

	summary, fix string // replace those of sentences
}

// finding is an explanation of a refusal.
type finding struct {
	causes   []cause
	certain  bool   // a recomputed digest equals the presented one, or starts with it where that is truncated
	note     string // follows the causes in the summary
	computed *computation
}

// diagnosis describes a finding in words.
func (f *finding) diagnosis(s webhook.Scheme) *webhook.Diagnosis {
	fill := strings.NewReplacer(
		"{covers}", s.Covers(), "{encoding}", encodingOf(s), "{signature header}", s.SignatureHeader(),
		"{timestamp header}", timestampHeader(s), "{id header}", s.IDHeader(),
	)
	var summaries, fixes []string
	for i, c := range f.causes {
		if slices.ContainsFunc(f.causes[:i], func(earlier cause) bool { return earlier.id == c.id }) {
			continue // one mistake in two places is explained once
		}
		summary := fill.Replace(cmp.Or(c.summary, sentences[c.id].summary))
		if c.detail != "" {
			summary += " (" + c.detail + ")"
		}
		summaries = append(summaries, summary)
		fixes = append(fixes, fill.Replace(cmp.Or(c.fix, sentences[c.id].fix)))
	}
	return &webhook.Diagnosis{
		ID: f.causes[0].id, Certain: f.certain,
		Summary: strings.Join(summaries, "; and ") + f.note,
		Fix:     strings.Join(slices.Compact(fixes), "; and "),
	}
}

// encodingOf names the encoding that a scheme has for its signatures.
func encodingOf(s webhook.Scheme) string {
	switch {
	case s.Prefix() != "":
		return s.Prefix() + " followed by 44 characters of base64"
	case s.Encoding() == "base64":
		return "44 characters of base64"
	}
	return "64 lowercase hex digits"
}

// timestampHeader is the header that has the timestamp of a request: a receiver
// may require one that the scheme does not sign.
func timestampHeader(s webhook.Scheme) string {
	return cmp.Or(s.TimestampHeader(), webhook.HeaderTimestamp)
}

// Parts of sentences that several causes share.
const (
	rawBytes    = "verify the bytes as they were received"
	sameBytes   = "verify the raw bytes before anything parses them, and have the sender sign exactly the bytes that it sends"
	signContent = "have the sender sign {covers}"
	useHMAC     = "have the sender compute an HMAC-SHA256 with the secret as the key"
	unixSeconds = "Unix seconds, ten digits, and sign the same text"
)

type sentence struct{ summary, fix string }

// sentences describes for each cause, by its id, what happened and how to fix
// it. The sentences of the causes in jsonWriters and senders are in those
// tables.
var sentences = map[string]sentence{
	"body.newline_missing":  {"the signature covers the body with a newline at its end: curl -d @FILE or the receiver dropped it, or the sender signed the output of echo", rawBytes + ", untrimmed; in a shell, send a file with curl --data-binary, and sign the output of printf '%s' or echo -n"},
	"body.newlines_dropped": {"the signature covers the body with its line breaks, and the received body has none: curl -d @FILE drops them", "send the file with curl --data-binary @FILE"},
	"body.newline_added":    {"the signature covers the body without the newline at its end: an editor or echo added the newline", rawBytes + "; in a shell, send the body with curl --data-binary and without echo"},
	"body.crlf_missing":     {"the signature covers the body with CRLF line endings, and the received body has LF", rawBytes + ", in binary mode: git, curl -d and text mode change line endings"},
	"body.crlf_added":       {"the signature covers the body with LF line endings, and the received body has CRLF", rawBytes + ", in binary mode: git, editors and text mode change line endings"},
	"body.space_added":      {"the signature covers the body without the white space around it", rawBytes + ", and have the sender sign exactly the bytes that it sends"},
	"body.bom_missing":      {"the signature covers the body with a byte order mark, and the received body has none", rawBytes + ", and have the sender write UTF-8 without a byte order mark"},
	"body.bom_added":        {"the received body starts with a byte order mark that the signature does not cover", rawBytes + ", and save the body as UTF-8 without a byte order mark"},
	"body.absent":           {"the signature covers an empty text or a placeholder instead of the body", "have the sender sign the serialized bytes that it sends: an object in a string becomes a placeholder, and a stream that was already read is empty"},
	"body.python_bytes":     {"the signature covers the body as Python prints bytes, b'…'", "have the sender join bytes, timestamp.encode() + b'.' + body, instead of formatting them into a string"},
	"body.string_added":     {"the received body is the signed text, encoded again as a JSON string", "remove the second JSON encoding on the way to the verifier"},
	"body.string_missing":   {"the signature covers the body encoded again as a JSON string", "have the sender sign the body itself: it passes the body to a JSON encoder as a string"},
	"body.base64_added":     {"the received body is the base64 of the signed body", "decode the body before verifying it: API gateways and serverless platforms pass binary bodies on in base64"},
	"body.base64_missing":   {"the signature covers the base64 of the body", "have the sender sign the bytes that it sends"},
	"body.charset":          {"the signature covers the body in another character encoding", rawBytes + " and use UTF-8 on both sides, without converting the body to text in between"},

	"body.slash_escapes_missing":   {`the signature covers the body with each / escaped as \/, as PHP writes it, and the received body has /`, sameBytes},
	"body.slash_escapes_added":     {`the signature covers the body with each / as it is, and the received body has \/, as PHP writes it`, sameBytes},
	"body.unicode_escapes_missing": {`the signature covers the body with non-ASCII characters as \u escapes, and the received body has the characters themselves`, sameBytes},
	"body.unicode_escapes_added":   {`the signature covers the body with non-ASCII characters as they are, and the received body has \u escapes`, sameBytes},
	"body.escape_digits":           {`the signature covers the body with the hex digits of its \u escapes in the other case`, sameBytes},
	"body.html_escapes_missing":    {`the signature covers the body with <, > and & as \u escapes, as Go writes them, and the received body has the characters themselves`, sameBytes},
	"body.html_escapes_added":      {`the signature covers the body with <, > and & as they are, and the received body has \u escapes, as Go writes them`, sameBytes},

	"content.body_only":          {"the signature covers the body alone", signContent + ", or verify with --scheme body"},
	"content.timestamp_body":     {"the signature covers <timestamp>.<body>", signContent + ", or verify with --scheme timestamp.body"},
	"content.id_timestamp_body":  {"the signature covers <id>.<timestamp>.<body>, as Standard Webhooks does", signContent + ", or verify with --scheme standard-webhooks"},
	"content.id_body":            {"the signature covers <id>.<body>", signContent},
	"content.url_body":           {"the signature covers the URL and the body", signContent + ", or verify with --scheme square"},
	"content.url":                {"the signature covers another spelling of the URL", "set the notification URL exactly as it is registered with the sender: a proxy changes its scheme, host and slashes"},
	"content.no_separator":       {"the signature covers the timestamp and the body without the dot between them", signContent},
	"content.newline_separator":  {"the signature covers the timestamp and the body with a newline between them instead of a dot", signContent},
	"content.colon_separator":    {"the signature covers the timestamp and the body with a colon between them instead of a dot", signContent},
	"content.other_separator":    {"the signature covers the timestamp and the body with another character between them instead of a dot", signContent},
	"content.slack":              {"the signature covers v0:<timestamp>:<body>, as Slack does", signContent},
	"content.body_first":         {"the signature covers the body first and the timestamp after it", signContent},
	"content.milliseconds":       {"the signature covers the timestamp in milliseconds, and the header has seconds", "have the sender read the clock once and put the same text, in whole seconds, in the header and under the signature"},
	"content.seconds":            {"the signature covers the timestamp in whole seconds, and the header has a finer one", "have the sender put the signed text in the header: Unix seconds, digits alone"},
	"content.iso_timestamp":      {"the signature covers the time as a date, and the header has Unix seconds", "have the sender sign the text of the timestamp header"},
	"content.envelope_timestamp": {"the signature covers the timestamp in the body, not the one in the header", "have the sender sign the text of the timestamp header: the timestamp in the body is the time of the event"},
	"content.other_timestamp":    {"the signature covers another timestamp of the request", "have the sender sign the text of the scheme's own timestamp header"},
	"content.timestamp_unset":    {"the sender signed before it set the timestamp", "have the sender set the timestamp first and sign afterwards"},

	"secret.none":           {"the receiver has no secret, or a blank one, so it cannot verify any request", "give the receiver the secret that the sender signs with"},
	"secret.previous":       {"the sender still signs with a previous secret", "give the sender the new secret, or accept both until it has it"},
	"secret.space_added":    {"the receiver's secret has white space around it, and the sender's does not", "remove the space or the newline around the secret: a file written with echo ends in a newline"},
	"secret.space_missing":  {"the sender's secret ends in white space, and the receiver's does not", "have the sender trim the secret that it reads: a file written with echo ends in a newline"},
	"secret.quotes_added":   {"the receiver's secret has quotes around it, and the sender's does not", "remove the quotes: not every reader of .env files does so"},
	"secret.quotes_missing": {"the sender's secret has quotes around it, and the receiver's does not", "have the sender remove the quotes: not every reader of .env files does so"},
	"secret.base64":         {"the sender decodes the secret from base64 and uses the bytes as the key", "decode the secret from base64 before you use it as the key, or have the sender use its text"},
	"secret.hex":            {"the sender decodes the secret from hex and uses the bytes as the key", "decode the secret from hex before you use it as the key, or have the sender use its text"},
	"secret.base64_encoded": {"the sender uses the base64 of the secret as the key", "have the sender decode the value first: a Kubernetes manifest has secrets in base64"},
	"secret.hex_encoded":    {"the sender uses the hex of the secret as the key", "have the sender use the bytes of the secret"},
	"secret.whsec":          {"the sender removes whsec_ from the secret", "remove whsec_ as the sender does, or verify with --scheme standard-webhooks if that is how it signs"},
	"secret.whsec_missing":  {"the sender's secret starts with whsec_, and the receiver's does not", "give the receiver the secret with whsec_, as the sender has it"},
	"secret.not_decoded":    {"the sender uses the text of the secret as the key, and the scheme uses the bytes that the text is the base64 of", "have the sender remove whsec_ and decode the rest from base64"},
	"secret.empty":          {"the sender signs with an empty secret", "set the secret at the sender: the variable that it reads is empty"},
	"secret.unset":          {"the sender signs with the word that its language prints for a variable that is not set", "set the secret at the sender, and have it refuse to start without one"},
	"secret.sample":         {"the sender signs with the sample secret of the documentation", "replace the sample secret in the sender's code with the real one"},
	"secret.api_key":        {"the sender signs with its API key", "have the sender sign with the webhook secret, and send the API key in its own header only"},
	"secret.case":           {"the sender's secret differs from the receiver's in upper and lower case", "compare the two secrets letter by letter: one of them was converted"},
	"secret.shell":          {"the sender's secret was cut or changed at a special character", "quote the secret where the sender sets it: a shell expands $, and a .env file ends a value at #"},
	"secret.percent":        {"the sender uses the secret with its percent escapes decoded", "give both sides the secret in the same form, with or without percent escapes"},

	"encoding.uppercase_hex":   {"the signature is in uppercase hex", "have the sender write the hex digits in lowercase"},
	"encoding.hex":             {"the signature is in hex, and the scheme uses base64", "have the sender write the bytes of the digest in base64"},
	"encoding.base64":          {"the signature is in base64, and the scheme uses lowercase hex", "have the sender write the digest in lowercase hex, 64 digits"},
	"encoding.base64url":       {"the signature is in base64url", "have the sender write the signature as {encoding}"},
	"encoding.base64_unpadded": {"the signature is in base64 without its padding", "have the sender keep the = at the end of the base64"},
	"encoding.prefix":          {"the signature has a prefix that the scheme does not have", "have the sender write the signature as {encoding}"},
	"encoding.prefix_missing":  {"the signature does not have the scheme's prefix v1,", "have the sender write v1, before the base64"},
	"encoding.stamped":         {"the signature header has the time as well, in the form t=…,v1=…", "have the sender write the digest alone, and the timestamp in its own header"},
	"encoding.list":            {"the signature is one of several in the header", "have the sender write one signature"},
	"encoding.double":          {"the signature is encoded twice", "have the sender encode the digest once: take the bytes from the HMAC function and encode them, or take its encoded text"},
	"encoding.separated":       {"the signature has separators between its hex digits", "have the sender write the 64 hex digits without separators"},
	"encoding.space":           {"the signature has white space around it", "have the sender trim the signature: command-line tools print a newline after it"},
	"encoding.quotes":          {"the signature has quotes around it", "have the sender write the signature without quotes"},
	"encoding.percent":         {"the signature is percent-encoded, as for a URL", "have the sender put the signature in the header without percent escapes"},
	"encoding.label":           {"the signature has the label that openssl or sha256sum prints beside it", "have the sender take the digest alone: openssl dgst … | sed 's/^.* //', or sha256sum … | cut -d' ' -f1"},
	"encoding.cut":             {"the signature is truncated", "have the sender send the whole signature: look for a column, a variable or a log line that is too short"},
	"encoding.placeholder":     {"the signature header has a placeholder instead of a signature", "have the sender wait for the digest and write it as text: an unset variable or an object prints as such a word"},
	"encoding.unknown":         {"the signature header has a text that is not a digest in any known encoding", "have the sender write the HMAC-SHA256 of {covers} as {encoding}"},

	"digest.hmac_sha1":   {"the signature is an HMAC-SHA1, and the scheme uses HMAC-SHA256", useHMAC},
	"digest.hmac_sha512": {"the signature is an HMAC-SHA512, and the scheme uses HMAC-SHA256", useHMAC},
	"digest.hmac_sha384": {"the signature is an HMAC-SHA384, and the scheme uses HMAC-SHA256", useHMAC},
	"digest.hmac_md5":    {"the signature is an HMAC-MD5, and the scheme uses HMAC-SHA256", useHMAC},
	"digest.plain":       {"the signature is a plain hash of the content without the secret, so anyone can compute it", useHMAC},
	"digest.key_first":   {"the signature is a plain hash of the secret followed by the content, not an HMAC", useHMAC},
	"digest.key_last":    {"the signature is a plain hash of the content followed by the secret, not an HMAC", useHMAC},
	"digest.swapped":     {"the HMAC has the content as its key and the secret as its message", useHMAC + " and the content as the message"},

	"header.other_name":        {"the signature is in another header than the scheme's", "have the sender put it in {signature header}, and check whether a proxy renames headers"},
	"header.repeated":          {"the request has the same header more than once, so two programs may read different values", "have the sender set the header once, and check whether a proxy adds it again"},
	"header.signature_missing": {"the request has no signature, neither in {signature header} nor in another header", "have the sender put the signature of {covers} in {signature header}, and check whether a proxy removes the header"},
	"header.id_missing":        {"the request has no {id header} header, and the signature covers it", "have the sender set {id header} to the id of the delivery and sign {covers}"},

	"signature.unexplained": {"no known mistake explains it: most likely the secrets differ, or the body was changed", "compare the secret of the sender with that of the receiver; if they are the same, compare the bytes that the sender signed with those that arrived"},

	"time.milliseconds":        {"the timestamp is not in seconds", "have the sender write " + unixSeconds},
	"time.timestamp_missing":   {"the request has no {timestamp header} header", "have the sender set {timestamp header} to " + unixSeconds},
	"time.timestamp_malformed": {"the signature itself is good, but the timestamp is not a number of Unix seconds", "have the sender write " + unixSeconds},
	"time.timestamp_too_old":   {"the signature itself is good, but the timestamp is older than the tolerance allows", "send the request again with a new timestamp and signature; to verify an old request, use --tolerance off"},
	"time.timestamp_too_new":   {"the signature itself is good, but the timestamp is further in the future than the tolerance allows", "synchronize the clocks of sender and receiver; to verify the request anyway, use --tolerance off"},
}
