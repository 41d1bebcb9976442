package sandboxtest

import (
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

func TestStory(t *testing.T) {
	t.Parallel()
	box := New(t)
	sent := map[string]int{}
	for _, event := range Story() {
		if string(event.Raw) == string(Sample(webhook.Inbound, event.Type).Raw) {
			sent[event.Type]++
		}
		box.Send(event)
	}
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
		if d.Sample() != nil && sent[d.Type] != 1 {
			t.Errorf("the sample of %s is sent %d times, want once", d.Type, sent[d.Type])
		}
	}
}
