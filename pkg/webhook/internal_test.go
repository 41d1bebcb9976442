package webhook

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"
)

func TestRecordsHoldNoCharacterThatATerminalObeys(t *testing.T) {
	t.Parallel()
	nasty := "\x1b]52;c;x\a \u009b31m \u202e\u2066 \u200b\ufeff \u2028 \U000e0041 \x7f é 東 🔧"
	r := Record{ID: nasty, Event: nasty, Request: Request{URL: nasty, Header: Header{{"X-A", nasty}}, Body: []byte(nasty)}}
	var line bytes.Buffer
	if err := NewEncoder(&line).Encode(r); err != nil {
		t.Fatal(err)
	}
	for _, c := range bytes.TrimSuffix(line.Bytes(), []byte("\n")) {
		if c < ' ' || c == 0x7f {
			t.Errorf("byte %#x stands in %q", c, line.String())
		}
	}
	for _, c := range bytes.Runes(bytes.TrimSpace(line.Bytes())) {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl) {
			t.Errorf("character %U stands in the line", c)
		}
	}
	var back Record
	if err := json.Unmarshal(line.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.ID != nasty || string(back.Request.Body) != nasty || back.Request.Header[0].Value != nasty {
		t.Errorf("came back as %q", back.ID)
	}
	if !bytes.Contains(line.Bytes(), []byte("é 東 🔧")) {
		t.Error("harmless characters were escaped")
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	raw := []byte("ab\n🔧é\n")
	for offset, want := range map[int][2]int{-5: {1, 1}, 0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 7: {2, 2}, 9: {2, 3}, 10: {3, 1}, 99: {3, 1}} {
		if line, column := position(raw, offset); line != want[0] || column != want[1] {
			t.Errorf("offset %d is %d:%d, want %d:%d", offset, line, column, want[0], want[1])
		}
	}
	if line, column := position(nil, 3); line != 1 || column != 1 {
		t.Errorf("in nothing: %d:%d", line, column)
	}
}
