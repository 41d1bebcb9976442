package send

import (
	"context"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
)

// slots notes the requests of a single send, so that a batch beside it leaves
// room for them. A send does not wait for room itself, and it does not hang on
// the journal: one that fails is told of when the record is kept.
type slots struct {
	env     *command.Env
	journal *journal.Journal
	d       *deliver.Delivery
	slot    journal.Slot
}

// take notes that a request leaves.
func (s *slots) take(ctx context.Context) {
	if s.journal != nil {
		s.slot, _ = s.journal.Reserve(context.WithoutCancel(ctx), slotKey(s.d), nil, s.env.Now, within(s.d))
	}
}

// answered notes that it was answered, or that no answer comes.
func (s *slots) answered(ctx context.Context) {
	if s.slot.ID != 0 {
		_ = s.journal.Answered(context.WithoutCancel(ctx), s.slot, s.env.Now())
	}
}
