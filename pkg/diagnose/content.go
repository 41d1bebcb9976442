package diagnose

import (
	"fmt"
	"slices"

	"github.com/wskdev/wsk/pkg/webhook"
)

// content is a candidate for what stands around the body under the signature.
type content struct {
	mistake
	pre, post string
}

// contentList gathers contents, each once.
type contentList struct{ contents []content }

func (l *contentList) add(id, detail, pre, post string) { l.put(because(id, detail), false, pre, post) }

func (l *contentList) rare(id, detail, pre, post string) { l.put(because(id, detail), true, pre, post) }

func (l *contentList) put(steps []step, rare bool, pre, post string) {
	if !slices.ContainsFunc(l.contents, func(c content) bool { return c.pre == pre && c.post == post }) {
		l.contents = append(l.contents, content{mistake{steps, rare}, pre, post})
	}
}

// ownContent is what the scheme puts before the body: every scheme signs the
// body last.
func ownContent(s *webhook.Scheme, m webhook.Message) string {
	m.Body = nil
	return string(s.Content(m))
}

// contents lists the scheme's own content first, then what people sign instead.
func contents(c *Case, presented []reading) []content {
	m, l := c.Message, &contentList{}
	if c.Scheme.Name() != webhook.Square || m.URL != "" { // square without a URL covers nothing yet
		l.put(nil, false, ownContent(&c.Scheme, m), "")
	}
	l.add("content.body_only", "", "", "")
	for i, at := range stamps(c, presented) {
		if i == 0 {
			l.layouts(m, at.text)
		} else {
			m.Timestamp = at.text
			l.put(because(at.id, at.detail), at.rare, stamped(&c.Scheme, m), "")
		}
	}
	if m.ID != "" {
		l.rare("content.id_body", "", m.ID+".", "")
	}
	if m.URL != "" {
		l.add("content.url_body", "", m.URL, "")
		for _, other := range urls(m.URL) {
			m.URL = other.text
			l.put(because("content.url", other.detail), true, ownContent(&c.Scheme, m), "")
		}
	}
	return l.contents
}

// layouts are the places that the timestamp can have beside the body.
func (l *contentList) layouts(m webhook.Message, t string) {
	for _, c := range []struct{ id, pre string }{
		{"content.timestamp_body", t + "."},
		{"content.id_timestamp_body", m.ID + "." + t + "."},
		{"content.no_separator", t},
		{"content.newline_separator", t + "\n"},
		{"content.colon_separator", t + ":"},
		{"content.slack", "v0:" + t + ":"},
	} {
		l.add(c.id, "", c.pre, "")
	}
	for _, s := range []string{"|", ",", "-", "_", " ", ";", "&"} {
		l.rare("content.other_separator", fmt.Sprintf("%q", s), t+s, "")
	}
	l.rare("content.body_first", "with a dot", "", "."+t)
	l.rare("content.body_first", "", "", t)
	if m.URL != "" {
		l.rare("content.url_body", "the timestamp before them", t+"."+m.URL+".", "")
	}
}

// stamped is the scheme's own content, or timestamp.body where the scheme has
// no timestamp.
func stamped(s *webhook.Scheme, m webhook.Message) string {
	if s.TimestampHeader() == "" {
		return m.Timestamp + "."
	}
	return ownContent(s, m)
}

// milliseconds lists the contents whose timestamp is in the second that the
// header gives: a sender that signs the milliseconds and sends the seconds.
func milliseconds(c *Case) []content {
	m := c.Message
	if _, ok := webhook.ParseTimestamp(m.Timestamp); !ok || len(m.Timestamp) != 10 || c.Scheme.TimestampHeader() == "" {
		return nil
	}
	list := make([]content, 0, 1000)
	steps := because("content.milliseconds", "")
	seconds := m.Timestamp
	for ms := range 1000 {
		m.Timestamp = fmt.Sprintf("%s%03d", seconds, ms)
		list = append(list, content{mistake{steps: steps}, ownContent(&c.Scheme, m), ""})
	}
	return list
}

func contentCauses() []Cause {
	const sign = "have the sender sign " + whatIsCovered
	return []Cause{
		{"content.body_only", "the signature is over the body alone", sign + ", or verify with --scheme body"},
		{"content.timestamp_body", "the signature is over <timestamp>.<body>", sign + ", or verify with --scheme timestamp.body"},
		{"content.id_timestamp_body", "the signature is over <id>.<timestamp>.<body>, as Standard Webhooks does it", sign + ", or verify with --scheme standard-webhooks"},
		{"content.id_body", "the signature is over <id>.<body>", sign},
		{"content.url_body", "the signature is over the URL and the body", sign + ", or verify with --scheme square"},
		{"content.url", "the signature is over another spelling of the URL", "give the notification URL exactly as it is registered with the sender: a proxy changes scheme, host and slashes"},
		{"content.no_separator", "the signature is over the timestamp and the body with no dot between them", sign + ", with its dot"},
		{"content.newline_separator", "the signature is over the timestamp and the body with a newline between them, not a dot", sign + ", with its dot"},
		{"content.colon_separator", "the signature is over the timestamp and the body with a colon between them, not a dot", sign + ", with its dot"},
		{"content.other_separator", "the signature is over the timestamp and the body with another character between them, not a dot", sign + ", with its dot"},
		{"content.slack", "the signature is over v0:<timestamp>:<body>, as Slack does it", sign},
		{"content.body_first", "the signature is over the body and then the timestamp", sign + ", in that order"},
		{"content.milliseconds", "the signature is over the timestamp in milliseconds, and the header has seconds", "have the sender take the time once, in whole seconds, and use the same text in the header and under the signature"},
		{"content.seconds", "the signature is over the timestamp in whole seconds, and the header has it finer", "have the sender put the signed text in the header: Unix seconds, digits alone"},
		{"content.iso_timestamp", "the signature is over the time as a date, and the header has Unix seconds", "have the sender sign the text that the header carries"},
		{"content.envelope_timestamp", "the signature is over the timestamp of the envelope, not of the header", "have the sender sign the text of the timestamp header: the envelope's says when the event happened"},
		{"content.other_timestamp", "the signature is over a timestamp that stands elsewhere in the request", "have the sender sign the text of the scheme's own timestamp header"},
		{"content.timestamp_unset", "the signature was made before the sender's timestamp was set", "have the sender set the timestamp first and sign after"},
	}
}
