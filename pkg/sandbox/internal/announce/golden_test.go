package announce

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestEventsGolden compares every payload of the story with the golden file of
// its form, byte for byte.
func TestEventsGolden(t *testing.T) {
	t.Parallel()
	for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
		var b strings.Builder
		events := story(true)
		for i, list := range announceAll(t, form, events...) {
			fmt.Fprintf(&b, "%s %s\n", events[i][0], events[i][1])
			for _, raised := range list {
				fmt.Fprintf(&b, "  %s\n", raised.body)
			}
		}
		golden := filepath.Join("testdata", string(form)+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		got, lines := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
		if len(got) != len(lines) {
			t.Fatalf("%s has %d lines, want %d", golden, len(got), len(lines))
		}
		for i := range got {
			if got[i] != lines[i] {
				t.Errorf("%s:%d\n%s\nwant\n%s", golden, i+1, got[i], lines[i])
			}
		}
	}
}
