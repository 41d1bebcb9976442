package diagnose

import (
	"iter"
	"slices"
	"sync"

	"github.com/wskdev/wsk/pkg/webhook"
)

// The bounds of one explanation. A digest of 2 KB takes about two microseconds
// and one GiB about a second, so neither is reached in more than a few seconds.
const (
	maxDigests = 4000
	maxBytes   = 3 << 29 // 1.5 GiB

	maxPairBody  = 256 << 10 // larger bodies are not tried with two mistakes at once
	maxMilliBody = 64 << 10  // larger bodies are not tried with each millisecond of a second
	maxRewrite   = 8 << 20   // larger bodies are not rewritten at all
	maxWritten   = 64 << 20  // bytes of all rewritten bodies together
)

// budget is what is left of the digests and bytes of one explanation.
type budget struct {
	digests, bytes int
	exhausted      bool
}

func newBudget() *budget { return &budget{digests: maxDigests, bytes: maxBytes} }

// spend takes one digest of the content, or reports that the budget does not
// allow it.
func (b *budget) spend(content [][]byte) bool {
	size := 0
	for _, part := range content {
		size += len(part)
	}
	if b.exhausted = b.exhausted || b.digests == 0 || size > b.bytes; b.exhausted {
		return false
	}
	b.digests--
	b.bytes -= size
	return true
}

// evidence is a refused request and what the receiver knows.
type evidence struct {
	scheme    webhook.Scheme
	message   webhook.Message
	signature string // as presented, "" when missing
	header    webhook.Header
	secrets   []webhook.Secret // valid now
	previous  []webhook.Secret // no longer valid
}

// newEvidence gathers the evidence from a request. The timestamp and the id of
// WorkSkedge count for the schemes without headers of their own: a sender may
// have signed them.
func newEvidence(v webhook.Verifier, r webhook.Request, previous []webhook.Secret) *evidence {
	s := v.Scheme
	isBlank := func(s webhook.Secret) bool { return s.IsZero() }
	e := &evidence{
		scheme: s, header: r.Header, signature: r.Header.Get(s.SignatureHeader()),
		message: webhook.Message{Body: r.Body, Timestamp: r.Header.Get(s.TimestampHeader()), ID: r.Header.Get(s.IDHeader()), URL: v.URL},
		secrets: slices.DeleteFunc(slices.Clone(v.Secrets), isBlank), previous: slices.DeleteFunc(slices.Clone(previous), isBlank),
	}
	if e.message.ID == "" {
		e.message.ID = r.Header.Get(webhook.HeaderID)
	}
	return e
}

// explain returns the best explanation of the presented signature. It returns
// nil when no known mistake leads to it, and when the signature is right.
func explain(e *evidence, left *budget) *finding {
	var f *finding
	if e.signature == "" {
		f = explainMissing(e, left)
	} else {
		f = explainPresent(e, left)
	}
	if f == nil || len(f.causes) == 0 {
		return nil
	}
	return f
}

func explainPresent(e *evidence, left *budget) *finding {
	presented := decodings(e.scheme, e.signature)
	if f := newSearch(e, presented, left).run(); f != nil {
		return f
	}
	if f := otherSender(e, left); f != nil && f.certain {
		return f
	}
	return guess(e.signature, presented)
}

// explainMissing looks for the signature in other headers.
func explainMissing(e *evidence, left *budget) *finding {
	sender := otherSender(e, left)
	if sender != nil && sender.certain {
		return sender
	}
	if f := newSearch(e, misplaced(e), left).run(); f != nil {
		return f
	}
	return sender
}

// candidate is what each ingredient of a signature has: the causes that it
// stands for, none for the right one.
type candidate struct {
	causes []cause
	rare   bool // tried only alone, and not for a long body
}

func likely(id, detail string) candidate {
	return candidate{causes: []cause{{id: id, detail: detail}}}
}

func rarely(id, detail string) candidate {
	return candidate{causes: []cause{{id: id, detail: detail}}, rare: true}
}

// variant is a text in place of the right one.
type variant struct {
	candidate
	text string
}

// search tries the candidates for the three ingredients of a signature: the
// body, the content around it, and the signer (a hash function, its use and a
// key). How the digest is encoded is not searched for: each digest is compared
// with every decoding of the presented signature.
type search struct {
	evidence  *evidence
	presented []decoding
	signers   []*signer
	contents  []content
	left      *budget
}

func newSearch(e *evidence, presented []decoding, left *budget) *search {
	return &search{evidence: e, presented: presented, left: left, signers: signers(e, presented), contents: contents(e, presented)}
}

// run looks for one mistake first and for two after that.
func (s *search) run() *finding {
	if len(s.presented) == 0 {
		return nil
	}
	raw := original(s.evidence.message.Body)
	makeChanged := sync.OnceValue(raw.changed) // most searches end before they need it
	changed := func(yield func(body) bool) { makeChanged()(yield) }
	passes := []struct {
		mistakes int
		bodies   iter.Seq[body]
	}{
		{0, raw.unchanged},
		{1, raw.whitespace}, // first, so that a long body reaches it within the budget
		{1, raw.unchanged}, {1, changed},
		{2, raw.unchanged}, {2, changed},
	}
	if len(raw) > maxPairBody {
		passes = passes[:5]
	}
	for _, pass := range passes {
		if f := s.scan(pass.mistakes, pass.bodies); f != nil {
			return f
		}
	}
	if len(raw) > maxMilliBody {
		return nil
	}
	s.contents = milliseconds(s.evidence) // last, because it costs a thousand digests
	return s.scan(1, raw.unchanged)
}

// scan tries every combination that stands for exactly so many mistakes.
func (s *search) scan(mistakes int, bodies iter.Seq[body]) *finding {
	for b := range bodies {
		for _, signer := range s.signers {
			left := mistakes - len(b.causes) - len(signer.causes)
			if left < 0 || s.skips(b.candidate, mistakes) || s.skips(signer.candidate, mistakes) {
				continue
			}
			for i := range s.contents {
				c := &s.contents[i]
				if len(c.causes) != left || s.skips(c.candidate, mistakes) {
					continue
				}
				if f := s.try(signer, c, &b); f != nil || s.left.exhausted {
					return f
				}
			}
		}
	}
	return nil
}

// skips reports whether a candidate is too far-fetched for the combination.
func (s *search) skips(c candidate, mistakes int) bool {
	return c.rare && (mistakes > len(c.causes) || len(s.evidence.message.Body) > maxRewrite)
}

// try computes one digest and returns a finding when it is a presented one.
func (s *search) try(signer *signer, c *content, b *body) *finding {
	parts := [][]byte{[]byte(c.before), []byte(b.head), b.text, []byte(b.tail), []byte(c.after)}
	if !s.left.spend(parts) {
		return nil
	}
	digest := signer.sum(parts)
	for i := range s.presented {
		p := &s.presented[i]
		if !p.is(digest) {
			continue
		}
		bodyCauses, note := b.explain(s.evidence.message.Body)
		return &finding{
			causes: slices.Concat(c.causes, bodyCauses, signer.causes, p.causes), certain: true, note: note,
			computed: &computation{signer: signer, parts: parts, digest: digest},
		}
	}
	return nil
}

// computation is how a digest came out, for the tests.
type computation struct {
	signer *signer
	parts  [][]byte
	digest []byte
}
