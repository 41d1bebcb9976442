package diagnose

import (
	"crypto/hmac"
	"encoding/hex"
	"iter"
	"slices"
	"sync"
)

// search tries candidates of four groups, each with the causes it stands for;
// the right one of a group has none.
type search struct {
	c         *Case
	presented []reading
	methods   []method
	keys      []key
	contents  []content
	sums      map[[2]int]func(parts [][]byte) []byte // by method and key
	left      *budget
}

func newSearch(c *Case, presented []reading, left *budget) *search {
	return &search{
		c: c, presented: presented, left: left,
		methods: methods(presented), keys: keys(c), contents: contents(c, presented),
		sums: map[[2]int]func([][]byte) []byte{},
	}
}

// run looks for one mistake first, then for two. How the value is encoded is
// not a mistake to search for: every reading of it is compared at once.
func (s *search) run() *hit {
	if len(s.presented) == 0 {
		return nil
	}
	raw := original(s.c.Message.Body)
	made := sync.OnceValue(raw.bodies) // which takes a moment
	changed := func(yield func(body) bool) { made()(yield) }
	passes := []struct {
		cost  int
		among iter.Seq[body]
	}{
		{0, raw.untouched},
		{1, raw.edges}, // first, so that a long body gets to it
		{1, raw.untouched}, {1, changed},
		{2, raw.untouched}, {2, changed},
	}
	if len(raw) > maxPairBody {
		passes = passes[:5]
	}
	for _, pass := range passes {
		if h := s.scan(pass.cost, pass.among); h != nil {
			return h
		}
	}
	if len(raw) > maxMilliBody {
		return nil
	}
	s.contents = milliseconds(s.c) // last, because it costs a thousand digests
	return s.scan(1, raw.untouched)
}

// scan tries every combination that stands for exactly cost mistakes.
func (s *search) scan(cost int, bodies iter.Seq[body]) *hit {
	for b := range bodies {
		if h, ok := s.combine(cost, &b); h != nil || !ok {
			return h
		}
	}
	return nil
}

// combine tries a body with everything else. It reports not ok when the bounds
// are used up.
func (s *search) combine(cost int, b *body) (h *hit, ok bool) {
	for mi := range s.methods {
		m := &s.methods[mi]
		for ki := range s.keys {
			k := &s.keys[ki]
			left := cost - len(b.steps) - len(m.steps) - len(k.steps)
			if left < 0 || m.keyless && ki > 0 {
				continue
			}
			for i := range s.contents {
				c := &s.contents[i]
				if len(c.steps) != left || s.skips(cost, &b.mistake, &m.mistake, &k.mistake, &c.mistake) {
					continue
				}
				if h, ok := s.try(mi, ki, c, b); h != nil || !ok {
					return h, ok
				}
			}
		}
	}
	return nil, true
}

// mistake is what a candidate stands for: its causes, none for the right one.
type mistake struct {
	steps []step
	rare  bool // far-fetched, so tried on its own only, and not on a long body
}

func (s *search) skips(cost int, mistakes ...*mistake) bool {
	long := len(s.c.Message.Body) > maxRewrite
	return slices.ContainsFunc(mistakes, func(m *mistake) bool { return m.rare && (long || cost > len(m.steps)) })
}

// try computes one digest. It reports not ok when the bounds are used up.
func (s *search) try(mi, ki int, c *content, b *body) (h *hit, ok bool) {
	m, k := &s.methods[mi], &s.keys[ki]
	parts := [][]byte{[]byte(c.pre), []byte(b.head), b.text, []byte(b.tail), []byte(c.post)}
	if !s.left.spend(parts) {
		return nil, false
	}
	sum := s.sums[[2]int{mi, ki}]
	if sum == nil {
		sum = m.start(k.key)
		s.sums[[2]int{mi, ki}] = sum
	}
	digest := sum(parts)
	for i := range s.presented {
		if r := &s.presented[i]; r.is(digest) {
			return &hit{
				steps: slices.Concat(c.steps, b.causes(), k.steps, m.steps, r.steps), certain: true,
				origin: b.origin(s.c.Message.Body), scheme: s.c.Scheme,
				digest: digest, hash: m.hash, mix: m.mix, key: k.key, parts: parts,
			}, true
		}
	}
	return nil, true
}

// is reports whether a digest is the one that was presented, in the same time
// wherever the two differ.
func (r *reading) is(digest []byte) bool {
	if r.cut == "" {
		return hmac.Equal(digest, r.digest)
	}
	text := hex.EncodeToString(digest)
	if r.alphabet != nil {
		text = r.alphabet.EncodeToString(digest)
	}
	return len(r.cut) < len(text) && hmac.Equal([]byte(text[:len(r.cut)]), []byte(r.cut))
}
