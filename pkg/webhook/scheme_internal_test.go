package webhook

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// Every byte at every place is decoded as encoding/hex decodes it, but for
// capitals.
func TestDecodeHex(t *testing.T) {
	t.Parallel()
	good := bytes.Repeat([]byte("0189abcdef9af07f"), 4)
	for place := range good {
		for c := range 256 {
			text := bytes.Clone(good)
			text[place] = byte(c)
			want, err := hex.DecodeString(string(text))
			wantOK := err == nil && bytes.Equal(text, bytes.ToLower(text))
			var d digest
			if ok := d.decodeHex(string(text)); ok != wantOK || ok && !bytes.Equal(d[:], want) {
				t.Fatalf("%q decodes to %x, %v; want %x, %v", text, d, ok, want, wantOK)
			}
		}
	}
	for _, length := range []int{0, 1, 8, 32, 63, 65, 128} {
		if d := new(digest); d.decodeHex(strings.Repeat("0", length)) {
			t.Errorf("%d digits are decoded", length)
		}
	}
}
