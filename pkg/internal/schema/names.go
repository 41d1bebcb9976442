package schema

import "hash/maphash"

// nameSet finds names that an object has twice, among those that the schema
// does not list. One table serves all objects that are open: an object's names
// leave it when the object ends. That is in the reverse order of their coming,
// so no other name's place in the table depends on them.
type nameSet struct {
	seed  maphash.Seed
	list  []name   // of the objects that are open, the innermost last
	table []uint32 // places in list plus one, by hash; a power of two, at most half full
}

type name struct {
	hash uint64
	at   int    // of the quote before it
	slot uint32 // in the table
}

// add notes a name of the innermost object, whose names begin at place first
// of the list, and reports whether it is new there. The hash is seeded, so
// that nobody can write names that all fall on one place.
func (s *nameSet) add(c *Checker, first, at int, key []byte) bool {
	if 2*(len(s.list)+1) > len(s.table) {
		s.grow()
	}
	hash := maphash.Bytes(s.seed, key) ^ uint64(c.depth)*0x9e3779b97f4a7c15
	slot := uint32(hash) & uint32(len(s.table)-1)
	for s.table[slot] != 0 {
		if i := int(s.table[slot]) - 1; i >= first && s.list[i].hash == hash && c.nameAt(s.list[i].at) == string(key) {
			return false
		}
		slot = (slot + 1) & uint32(len(s.table)-1)
	}
	s.list = append(s.list, name{hash, at, slot})
	s.table[slot] = uint32(len(s.list))
	return true
}

// release forgets the names from place first of the list on.
func (s *nameSet) release(first int) {
	for _, n := range s.list[first:] {
		s.table[n.slot] = 0
	}
	s.list = s.list[:first]
}

func (s *nameSet) grow() {
	if s.table == nil {
		s.seed = maphash.MakeSeed()
	}
	s.table = make([]uint32, max(64, 2*len(s.table)))
	for i := range s.list {
		slot := uint32(s.list[i].hash) & uint32(len(s.table)-1)
		for s.table[slot] != 0 {
			slot = (slot + 1) & uint32(len(s.table)-1)
		}
		s.list[i].slot, s.table[slot] = slot, uint32(i+1)
	}
}
