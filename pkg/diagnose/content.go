package diagnose

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// content is a candidate for what the signature covers around the body.
type content struct {
	candidate
	before, after string
}

// contentList gathers contents, each once: the first candidate for a content
// counts.
type contentList []content

func (l *contentList) add(c candidate, before, after string) {
	if !slices.ContainsFunc(*l, func(have content) bool { return have.before == before && have.after == after }) {
		*l = append(*l, content{c, before, after})
	}
}

// contents lists the scheme's own content first, then what people sign instead.
func contents(e *evidence, presented []decoding) []content {
	m, list := e.message, contentList{}
	if e.scheme.Name() != webhook.Square || m.URL != "" { // square without a URL covers nothing yet
		list.add(candidate{}, beforeBody(e.scheme, m), "")
	}
	list.add(likely("content.body_only", ""), "", "")
	own := ownTimestamp(e)
	list.addLayouts(m, own)
	for _, other := range otherTimestamps(e, own, presented) {
		m.Timestamp = other.text
		list.add(other.candidate, beforeBodyWithTimestamp(e.scheme, m), "")
	}
	if m.ID != "" {
		list.add(rarely("content.id_body", ""), m.ID+".", "")
	}
	if m.URL != "" {
		list.add(likely("content.url_body", ""), m.URL, "")
		for _, other := range otherURLs(m.URL) {
			m.URL = other.text
			list.add(other.candidate, beforeBody(e.scheme, m), "")
		}
	}
	return list
}

// addLayouts adds the places that the timestamp may have beside the body.
func (l *contentList) addLayouts(m webhook.Message, timestamp string) {
	l.add(likely("content.timestamp_body", ""), timestamp+".", "")
	l.add(likely("content.id_timestamp_body", ""), m.ID+"."+timestamp+".", "")
	l.add(likely("content.no_separator", ""), timestamp, "")
	l.add(likely("content.newline_separator", ""), timestamp+"\n", "")
	l.add(likely("content.colon_separator", ""), timestamp+":", "")
	l.add(likely("content.slack", ""), "v0:"+timestamp+":", "")
	for _, separator := range []string{"|", ",", "-", "_", " ", ";", "&"} {
		l.add(rarely("content.other_separator", strconv.Quote(separator)), timestamp+separator, "")
	}
	l.add(rarely("content.body_first", "with a dot"), "", "."+timestamp)
	l.add(rarely("content.body_first", ""), "", timestamp)
	if m.URL != "" {
		l.add(rarely("content.url_body", "after the timestamp"), timestamp+"."+m.URL+".", "")
	}
}

// beforeBody is what a scheme covers before the body: every scheme covers the
// body last.
func beforeBody(s webhook.Scheme, m webhook.Message) string {
	m.Body = nil
	return string(s.Content(m))
}

// beforeBodyWithTimestamp is beforeBody, or the timestamp and a dot for a
// scheme without a timestamp.
func beforeBodyWithTimestamp(s webhook.Scheme, m webhook.Message) string {
	if s.TimestampHeader() == "" {
		return m.Timestamp + "."
	}
	return beforeBody(s, m)
}

// milliseconds lists the contents whose timestamp is within the second of the
// header: the sender signs milliseconds and sends seconds.
func milliseconds(e *evidence) []content {
	m := e.message
	if _, ok := m.Time(); !ok || len(m.Timestamp) != 10 || e.scheme.TimestampHeader() == "" {
		return nil
	}
	list := make([]content, 0, 1000)
	c := likely("content.milliseconds", "")
	seconds := m.Timestamp
	for ms := range 1000 {
		m.Timestamp = fmt.Sprintf("%s%03d", seconds, ms)
		list = append(list, content{candidate: c, before: beforeBody(e.scheme, m)})
	}
	return list
}

// maxTimestamp is the longest text, in bytes, that may be a timestamp.
const maxTimestamp = 40

// ownTimestamp is the timestamp that the scheme reads. A scheme that reads none
// may still get one, and the sender may have signed it.
func ownTimestamp(e *evidence) string {
	if e.message.Timestamp == "" && e.scheme.TimestampHeader() == "" {
		return e.header.Get(webhook.HeaderTimestamp)
	}
	return e.message.Timestamp
}

// otherTimestamps lists what the sender may have signed instead of own.
func otherTimestamps(e *evidence, own string, presented []decoding) []variant {
	var list []variant
	for _, d := range presented {
		if d.timestamp != "" {
			list = append(list, variant{likely("content.other_timestamp", "t= in the signature header"), d.timestamp})
		}
	}
	for _, p := range e.header {
		if strings.HasSuffix(strings.ToLower(p.Name), "timestamp") && p.Value != own && p.Value != "" && len(p.Value) <= maxTimestamp {
			list = append(list, variant{likely("content.other_timestamp", fmt.Sprintf("in %.60q", p.Name)), p.Value})
		}
	}
	list = append(list, otherPrecision(own)...)
	list = append(list, fromEnvelope(e.message.Body)...)
	list = append(list, asDates(own)...)
	for _, word := range []string{"undefined", "null", "None", "0"} {
		list = append(list, variant{rarely("content.timestamp_unset", word), word})
	}
	return append(list, variant{rarely("content.timestamp_unset", "empty"), ""})
}

// otherPrecision converts seconds to milliseconds and finer timestamps to
// seconds.
func otherPrecision(timestamp string) []variant {
	whole, fraction, _ := strings.Cut(timestamp, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return nil
	}
	switch {
	case fraction != "":
		return []variant{{likely("content.seconds", "a fraction"), whole}}
	case len(whole) == 13, len(whole) == 16, len(whole) == 19: // ms, µs and ns of this century
		return []variant{{likely("content.seconds", "milliseconds or finer"), whole[:10]}}
	case len(whole) == 10:
		return []variant{{likely("content.milliseconds", ""), whole + "000"}}
	}
	return nil
}

// fromEnvelope lists what the timestamp in the event's envelope is signed as.
func fromEnvelope(body []byte) []variant {
	if len(body) > maxRewrite {
		return nil
	}
	event, _ := webhook.ParseEvent(body) // a body that is not an event has no timestamp
	written := event.Timestamp
	if written == "" || len(written) > maxTimestamp {
		return nil
	}
	list := []variant{{likely("content.envelope_timestamp", ""), written}}
	if at, err := time.Parse(time.RFC3339, written); err == nil {
		list = append(list,
			variant{likely("content.envelope_timestamp", "as Unix seconds"), strconv.FormatInt(at.Unix(), 10)},
			variant{rarely("content.envelope_timestamp", "as Unix milliseconds"), strconv.FormatInt(at.UnixMilli(), 10)})
	}
	return list
}

// asDates writes Unix seconds as the dates that languages print.
func asDates(timestamp string) []variant {
	at, ok := webhook.Message{Timestamp: timestamp}.Time()
	if !ok || len(timestamp) > 11 {
		return nil
	}
	var list []variant
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05+00:00"} {
		list = append(list, variant{rarely("content.iso_timestamp", ""), at.UTC().Format(layout)})
	}
	return list
}

// otherURLs lists what a proxy or a setting makes of a URL.
func otherURLs(raw string) []variant {
	var list []variant
	add := func(detail, text string) {
		if text != raw && !slices.ContainsFunc(list, func(v variant) bool { return v.text == text }) {
			list = append(list, variant{rarely("content.url", detail), text})
		}
	}
	if rest, ok := strings.CutPrefix(raw, "http://"); ok {
		add("https", "https://"+rest)
	}
	if rest, ok := strings.CutPrefix(raw, "https://"); ok {
		add("http", "http://"+rest)
	}
	bare := strings.TrimSuffix(raw, "/")
	add("without the slash at its end", bare)
	add("with a slash at its end", bare+"/")
	u, err := url.Parse(raw)
	if err != nil {
		return list
	}
	if u.Port() != "" {
		without := *u
		without.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
		add("without the port", without.String())
	}
	u.RawQuery, u.Fragment = "", ""
	add("without the query", u.String())
	return list
}
