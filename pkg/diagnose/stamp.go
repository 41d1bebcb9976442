package diagnose

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// variant is another text in the place of a right one.
type variant struct {
	id, detail, text string
	rare             bool
}

// stamps lists the timestamp that the scheme reads first, then every other
// one that the sender may have signed.
func stamps(c *Case, presented []reading) []variant {
	own := c.Message.Timestamp
	if own == "" && c.Scheme.TimestampHeader() == "" { // the scheme reads none, the request may have one
		own = c.Header.Get(webhook.HeaderTimestamp)
	}
	list := []variant{{text: own}}
	for i := range presented {
		if stamp := presented[i].stamp; stamp != "" {
			list = append(list, variant{"content.other_timestamp", "t= in the signature header", stamp, false})
		}
	}
	for _, p := range c.Header {
		if strings.HasSuffix(strings.ToLower(p.Name), "timestamp") && p.Value != own && p.Value != "" && len(p.Value) <= 40 {
			list = append(list, variant{"content.other_timestamp", fmt.Sprintf("it is in %.60q", p.Name), p.Value, false})
		}
	}
	list = append(list, finer(own)...)
	list = append(list, enveloped(c.Message.Body)...)
	list = append(list, dates(own)...)
	for _, word := range []string{"undefined", "null", "None", "0"} {
		list = append(list, variant{"content.timestamp_unset", word, word, true})
	}
	return append(list, variant{"content.timestamp_unset", "empty", "", true})
}

// enveloped lists what the timestamp in an event's envelope is signed as.
func enveloped(body []byte) []variant {
	written := envelopeStamp(body)
	if written == "" {
		return nil
	}
	list := []variant{{"content.envelope_timestamp", "", written, false}}
	if at, err := time.Parse(time.RFC3339, written); err == nil {
		list = append(list,
			variant{"content.envelope_timestamp", "as Unix seconds", strconv.FormatInt(at.Unix(), 10), false},
			variant{"content.envelope_timestamp", "as Unix milliseconds", strconv.FormatInt(at.UnixMilli(), 10), true})
	}
	return list
}

// envelopeStamp reads the timestamp in an event's envelope, or "".
func envelopeStamp(body []byte) string {
	if len(body) > maxRewrite {
		return ""
	}
	event, _ := webhook.ParseEvent(body)
	if len(event.Timestamp) > 40 { // no time is that long
		return ""
	}
	return event.Timestamp
}

// finer pairs seconds with milliseconds and the like, both ways.
func finer(own string) []variant {
	whole, fraction, _ := strings.Cut(own, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return nil
	}
	switch {
	case fraction != "":
		return []variant{{"content.seconds", "a fraction", whole, false}}
	case len(whole) == 13, len(whole) == 16, len(whole) == 19: // ms, µs, ns of this century
		return []variant{{"content.seconds", "milliseconds or finer", whole[:10], false}}
	case len(whole) == 10:
		return []variant{{"content.milliseconds", "", whole + "000", false}}
	}
	return nil
}

// dates writes Unix seconds as the dates that languages print.
func dates(own string) []variant {
	at, ok := webhook.ParseTimestamp(own)
	if !ok || len(own) > 11 {
		return nil
	}
	var list []variant
	at = at.UTC()
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05+00:00"} {
		list = append(list, variant{"content.iso_timestamp", "", at.Format(layout), true})
	}
	return list
}

// urls lists what a proxy or a setting makes of a URL.
func urls(raw string) []variant {
	bare := strings.TrimSuffix(raw, "/")
	spellings := []variant{
		{detail: "https", text: swapPrefix(raw, "http://", "https://")},
		{detail: "http", text: swapPrefix(raw, "https://", "http://")},
		{detail: "without the slash at its end", text: bare},
		{detail: "with a slash at its end", text: bare + "/"},
	}
	u, err := url.Parse(raw)
	if err == nil && u.Port() != "" {
		without := *u
		without.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
		spellings = append(spellings, variant{detail: "without the port", text: without.String()})
	}
	if err == nil {
		u.RawQuery, u.Fragment = "", ""
		spellings = append(spellings, variant{detail: "without the query", text: u.String()})
	}
	var list []variant
	seen := map[string]bool{raw: true}
	for _, v := range spellings {
		if !seen[v.text] {
			seen[v.text] = true
			list = append(list, v)
		}
	}
	return list
}

func swapPrefix(text, from, to string) string {
	if rest, ok := strings.CutPrefix(text, from); ok {
		return to + rest
	}
	return text
}
