package rules

import (
	"errors"
	"maps"
	"strconv"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// subject is the record that an event is about, in a family of created, updated
// and deleted. What differs from family to family stands here; what all do is
// keep.
type subject struct {
	kind   store.Kind
	key    string
	name   string
	parent string
	own    store.Fields // what a new one has beside what the event says

	take func(*store.Record) error // gives it what the event says

	member  string // of the event: what the first two refusals are about
	taken   string // refuses to make what is there
	absent  string // refuses what is not there
	another string // refuses a name, which follows, that another one has
}

// keep carries out an event about a subject: makes it, changes it or removes
// it.
func (c *Call) keep(s *subject) (*store.Record, error) {
	if c.verb == "created" {
		return c.make(s)
	}
	r, err := c.existing(s)
	if err != nil {
		return nil, err
	}
	switch c.verb {
	case "updated":
		return r, c.change(r, s)
	case "deleted":
		return r, c.remove(r)
	}
	return nil, c.unknown()
}

// existing finds a subject, or refuses an event about what is not there.
func (c *Call) existing(s *subject) (*store.Record, error) {
	return c.known(s.kind, s.key, s.member, s.absent)
}

func (c *Call) make(s *subject) (*store.Record, error) {
	r := c.fresh(s.kind, s.key, s.name)
	r.Parent = s.parent
	maps.Copy(r.Fields, s.own)
	if err := s.take(r); err != nil {
		return nil, err
	}
	return r, unique(c.create(r), s.member, s.taken)
}

func (c *Call) change(before *store.Record, s *subject) error {
	after := before.Clone()
	if err := s.take(after); err != nil {
		return err
	}
	return unique(c.update(before, after), "name", s.another+strconv.Quote(after.Name))
}

// ensure finds a subject, or makes it of those members of the event that begin
// with a prefix.
func (c *Call) ensure(s *subject, prefix, members string) (*store.Record, error) {
	r, err := c.find(s.kind, s.key)
	if r != nil || err != nil {
		return r, err
	}
	s.take = func(r *store.Record) error {
		takePrefixed(r.Fields, c.Data, prefix, members)
		return nil
	}
	return c.make(s)
}

// unique refuses an event where the error of writing its record is that there
// is one of that key.
func unique(err error, member, text string) error {
	if errors.Is(err, store.ErrTaken) {
		return bad(member, text)
	}
	return err
}
