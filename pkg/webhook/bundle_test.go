package webhook

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBundleOfEveryEventStandsAlone(t *testing.T) {
	t.Parallel()
	for _, d := range Events("", "") {
		raw := d.Bundle()
		var schema struct {
			Defs map[string]json.RawMessage `json:"$defs"`
		}
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Errorf("%s %s: %v", d.Form, d.Type, err)
			continue
		}
		for part := range strings.SplitSeq(string(raw), `"$ref": "`) {
			name, ok := strings.CutPrefix(part, "#/$defs/")
			if !ok {
				continue
			}
			name, _, _ = strings.Cut(name, `"`)
			if schema.Defs[name] == nil {
				t.Errorf("%s %s refers to %s, which is not there", d.Form, d.Type, name)
			}
		}
	}
}
