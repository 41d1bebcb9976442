package receive

import (
	"bytes"
	"errors"

	"github.com/wskdev/wsk/pkg/webhook"
)

// parseEvent reads the envelope. Many parsers accept a byte order mark and bytes
// that are not UTF-8, so they are no reason to refuse a signed body: the App
// gets it byte for byte, and the record gets a warning.
func parseEvent(body []byte) (webhook.Event, error) {
	event, err := webhook.ParseEvent(body)
	var syntax *webhook.SyntaxError
	if !errors.As(err, &syntax) {
		return event, err
	}
	repaired := bytes.ToValidUTF8(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), []byte("\ufffd"))
	event, again := webhook.ParseEvent(repaired)
	if errors.As(again, &syntax) {
		return webhook.Event{Raw: body}, err
	}
	event.Raw = body
	return event, errors.New(err.Error()) // a warning, which is not a SyntaxError any more
}
