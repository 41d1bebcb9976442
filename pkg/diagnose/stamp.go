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

// variant is another text in the place of a right one.
type variant struct {
	id, detail, text string
	rare             bool
}

// stamps lists the timestamp that the scheme reads first, then every other
// one that the sender may have signed.
func stamps(c Case, presented []reading) []variant {
	own := c.Message.Timestamp
	if own == "" && c.Scheme.TimestampHeader == "" { // the scheme reads none, the request may have one
		own = c.Header.Get(webhook.HeaderTimestamp)
	}
	list := []variant{{text: own}}
	add := func(id, detail, text string, rare bool) {
		if text != "" {
			list = append(list, variant{id, detail, text, rare})
		}
	}
	for _, r := range presented {
		add("content.other_timestamp", "t= in the signature header", r.stamp, false)
	}
	for _, p := range c.Header {
		if strings.HasSuffix(strings.ToLower(p.Name), "timestamp") && p.Value != own && len(p.Value) <= 40 {
			add("content.other_timestamp", fmt.Sprintf("it is in %.60q", p.Name), p.Value, false)
		}
	}
	list = append(list, finer(own)...)
	if written := envelopeStamp(c.Message.Body); written != "" {
		add("content.envelope_timestamp", "", written, false)
		if at, err := time.Parse(time.RFC3339, written); err == nil {
			add("content.envelope_timestamp", "as Unix seconds", strconv.FormatInt(at.Unix(), 10), false)
			add("content.envelope_timestamp", "as Unix milliseconds", strconv.FormatInt(at.UnixMilli(), 10), true)
		}
	}
	list = append(list, dates(own)...)
	for _, word := range []string{"undefined", "null", "None", "0"} {
		add("content.timestamp_unset", word, word, true)
	}
	return append(list, variant{"content.timestamp_unset", "empty", "", true})
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
	seconds, ok := webhook.ParseStamp(own)
	if !ok || len(own) > 11 {
		return nil
	}
	var list []variant
	at := time.Unix(seconds, 0).UTC()
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05+00:00"} {
		list = append(list, variant{"content.iso_timestamp", "", at.Format(layout), true})
	}
	return list
}

// urls lists what a proxy or a setting makes of a URL.
func urls(raw string) []variant {
	var list []variant
	add := func(detail, text string) {
		if text != raw && !slices.ContainsFunc(list, func(v variant) bool { return v.text == text }) {
			list = append(list, variant{detail: detail, text: text})
		}
	}
	if rest, ok := strings.CutPrefix(raw, "http://"); ok {
		add("https", "https://"+rest)
	}
	if rest, ok := strings.CutPrefix(raw, "https://"); ok {
		add("http", "http://"+rest)
	}
	if rest, ok := strings.CutSuffix(raw, "/"); ok {
		add("without the slash at its end", rest)
	} else {
		add("with a slash at its end", raw+"/")
	}
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
