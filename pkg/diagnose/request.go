package diagnose

import (
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Request explains why a verifier refuses a request, as a record keeps it: nil
// when [Explain] finds nothing.
func Request(v webhook.Verifier, r webhook.Request) *webhook.Diagnosis {
	s := v.Scheme
	found, ok := Explain(Case{
		Scheme: s, Secrets: v.Secrets, Header: r.Header,
		Signature: r.Header.Get(s.SignatureHeader),
		Message: webhook.Message{
			Body: r.Body, Timestamp: r.Header.Get(s.TimestampHeader),
			ID: r.Header.Get(s.IDHeader), URL: v.URL,
		},
	})
	if !ok {
		return nil
	}
	return &webhook.Diagnosis{ID: found.ID, Summary: found.Summary, Fix: found.Fix, Certain: found.Certain}
}

// maxSpared is the largest body, in bytes, whose signature a server explains.
const maxSpared = 16 << 10

// Sparing keeps a flood of bad requests from keeping a server busy. The zero
// value is ready; it is safe for concurrent use.
type Sparing struct{ busy sync.Mutex }

// Do calls explain for a request, unless its body is larger than 16 KiB or
// another one is being explained: those go without.
func (s *Sparing) Do(r webhook.Request, explain func()) {
	if len(r.Body) > maxSpared || !s.busy.TryLock() {
		return
	}
	defer s.busy.Unlock()
	explain()
}
