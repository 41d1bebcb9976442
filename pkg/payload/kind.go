package payload

import "github.com/wskdev/wsk/pkg/internal/classify"

// Kind is what a file or a line of NDJSON contains.
type Kind string

// The kinds.
const (
	KindPayload Kind = "payload" // anything that is neither of the others, JSON or not
	KindRecord  Kind = "record"  // a webhook.Record
	KindFrame   Kind = "frame"   // the "ready" or "summary" line of a listener's stream
)

// KindOf returns what raw contains, judged by its beginning: a record by its
// "type" and its "request" object, and a frame by its "type" when it has no
// event. It looks at the first JSON value alone and does not check that it is
// valid.
func KindOf(raw []byte) Kind {
	switch {
	case classify.IsRecord(raw):
		return KindRecord
	case classify.IsFrame(raw):
		return KindFrame
	}
	return KindPayload
}
