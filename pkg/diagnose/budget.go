package diagnose

// The bounds of one explanation. A digest of 2 KB takes about two microseconds
// and a GiB about a second, so neither is reached in more than a few seconds.
const (
	maxDigests = 4000
	maxBytes   = 3 << 29 // 1.5 GiB

	maxPairBody  = 256 << 10 // past it a changed body is not combined with another mistake
	maxMilliBody = 64 << 10  // past it the milliseconds of a second are not tried
	maxRewrite   = 8 << 20   // past it a body is not rewritten at all
	maxWritten   = 64 << 20  // all that is written anew
)

// budget is what is left of the digests and bytes of one explanation.
type budget struct{ digests, bytes int }

func newBudget() *budget { return &budget{maxDigests, maxBytes} }

// spend takes one digest of so many bytes, or reports false.
func (b *budget) spend(parts [][]byte) bool {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if b.digests == 0 || size > b.bytes {
		return false
	}
	b.digests--
	b.bytes -= size
	return true
}
