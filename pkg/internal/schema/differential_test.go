package schema_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/internal/schema"
)

// mutations is how many changed payloads the ordinary test tries with each schema.
// FuzzAgainstOracle tries more.
const mutations = 200 / slowdown

func TestCheckAgainstOracle(t *testing.T) {
	var compared, wrong int
	checker := new(schema.Checker)
	for i, p := range pairs(t) {
		if t.Failed() {
			return
		}
		m := newMutator(uint64(i))
		payloads := p.payloads
		if len(payloads) == 0 {
			payloads = m.tokens
		}
		for _, payload := range payloads {
			p.compare(t, checker, []byte(payload))
		}
		for range mutations {
			payload := []byte(m.mutate(payloads[m.IntN(len(payloads))]))
			if p.compare(t, checker, payload) {
				compared++
				if !isValid(checker.Check(p.ours, payload)) {
					wrong++
				}
			}
		}
	}
	t.Logf("%d payloads compared, %d of them wrong", compared, wrong)
	if compared < 1000 || wrong < compared/10 || wrong > compared*9/10 {
		t.Errorf("%d payloads compared, %d of them wrong: the mutations say little", compared, wrong)
	}
}

// FuzzAgainstOracle compares the bytes as they are, and as a payload that the seed
// changes.
func FuzzAgainstOracle(f *testing.F) {
	all := pairs(f)
	for i, p := range all {
		for j, payload := range p.payloads {
			f.Add(uint16(i), uint64(j), []byte(payload))
		}
	}
	checker := new(schema.Checker)
	f.Fuzz(func(t *testing.T, which uint16, seed uint64, payload []byte) {
		p := &all[int(which)%len(all)]
		p.compare(t, checker, payload)
		if len(payload) < 1<<14 && gjson.ValidBytes(payload) && !isDeep(payload) {
			p.compare(t, checker, []byte(newMutator(seed).mutate(string(payload))))
		}
	})
}
