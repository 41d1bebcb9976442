package diagnose

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// nasty lists JSON texts on which languages differ.
func nasty() []string {
	return []string{
		`{}`, `[]`, `null`, `true`, `""`, ` 1 `, "\t[ 1 ,\r\n2 ]\n",
		`{"a":5000.00,"b":1e21,"c":1E5,"d":-0,"e":-0.0,"f":9007199254740993,"g":1.5e-7}`,
		`[0.00001,0.0001,1e15,1e16,1e17,1e18,1e19,1e20,1e21,1e22,123456789012345680000,1.5e17,12345678901234567,0e10,-0e5]`,
		`[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809,18446744073709551616,100000000000000000000000]`,
		`[1.7976931348623157e308,5e-324,2.2250738585072014e-308,4.9e-325,0.1,0.30000000000000004,1.10,100,1e2,1e-10,-1.5e-300,1e100]`,
		`[1e999,-1e999]`, `{"tax":1e400}`,
		`{"b":1,"10":2,"9":3,"a":4,"0":5,"007":6,"-1":7,"4294967294":8,"4294967295":9,"1.5":10,"":11}`,
		`{"0":"a","1":"b"}`, `{"1":"b","0":"a"}`, `{"0":{"0":{}},"1":[]}`, `{"a":{},"b":[],"c":[{}],"d":[[]]}`,
		`{"a":1,"b":2,"a":3}`, `{"a":{"x":1},"a":{"y":2},"\u0061":4}`, `{"2":1,"x":2,"2":3}`,
		`{"url":"https:\/\/example.com\/a","plain":"https://example.com/a","é":"\u00e9","E":"\u00E9"}`,
		`["\u0000\u0001\u001f\u007f\u0080\b\f\n\r\t\"\\\/","\u2028\u2029","\u003c>&'","😀","\ud83d\ude00","\uD83D\uDE00"]`,
		`["` + "\u2028\u2029\u007f<>&/é￿" + `"]`,
		`["\ud83d","\ude00","\ude00\ud83d","x\ud83dy","\ud83d\u0041","\ud83d\ud83d\ude00"]`, `{"\ud83d":1,"\ud83e":2,"\ufffd":3}`,
		`{"` + "\U0001F600" + `":1,"` + "\uffff" + `":2,"` + "\ue000" + `":3,"z":4}`,
		`{"\u0000a":1}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`, `{"a":"\u0000a","":{"":""}}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	}
}

// randomJSON writes a random value with random spelling.
type randomJSON struct {
	*rand.Rand
	strings.Builder
}

func randomTexts(seed uint64, count int) []string {
	var list []string
	for i := range count {
		r := randomJSON{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		r.value(4)
		list = append(list, r.String())
	}
	return list
}

func (r *randomJSON) space() {
	if r.IntN(8) == 0 {
		r.WriteString([]string{" ", "\n", "\t", "\r\n  "}[r.IntN(4)])
	}
}

func (r *randomJSON) value(depth int) {
	kind := r.IntN(10)
	if depth == 0 {
		kind = 4 + r.IntN(6)
	}
	switch {
	case kind < 2:
		r.items('{', '}', depth)
	case kind < 4:
		r.items('[', ']', depth)
	case kind < 6:
		r.text()
	case kind < 9:
		r.number()
	default:
		r.WriteString([]string{"true", "false", "null"}[r.IntN(3)])
	}
}

func (r *randomJSON) items(open, end byte, depth int) {
	r.WriteByte(open)
	for i := range r.IntN(6) {
		if i > 0 {
			r.WriteByte(',')
		}
		r.space()
		if open == '{' {
			if r.IntN(4) == 0 {
				fmt.Fprintf(r, `"%d"`, r.IntN(4))
			} else {
				r.text()
			}
			r.space()
			r.WriteByte(':')
		}
		r.space()
		r.value(depth - 1)
		r.space()
	}
	r.WriteByte(end)
}

func (r *randomJSON) text() {
	r.WriteByte('"')
	for range r.IntN(5) {
		switch r.IntN(7) {
		case 0:
			r.WriteString([]string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`}[r.IntN(8)])
		case 1:
			fmt.Fprintf(r, []string{`\u%04x`, `\u%04X`}[r.IntN(2)], r.IntN(0x10000))
		case 2:
			r.WriteString([]string{`\ud83d\ude00`, "😀", "\u2028", "\u007f", "￿", "\ue000"}[r.IntN(6)])
		case 3:
			r.WriteRune([]rune("éüß漢<>&/'")[r.IntN(9)])
		case 4:
			fmt.Fprintf(r, `\u%04x`, r.IntN(0x100))
		default:
			r.WriteByte("abcABC019 "[r.IntN(10)])
		}
	}
	r.WriteByte('"')
}

func (r *randomJSON) number() {
	if r.IntN(2) == 0 {
		r.WriteByte('-')
	}
	switch r.IntN(6) {
	case 0:
		fmt.Fprintf(r, "%d", r.IntN(1000))
	case 1:
		fmt.Fprintf(r, "%d", r.Uint64()>>r.IntN(64))
	case 2:
		fmt.Fprintf(r, "%d%018d", 1+r.IntN(999999), r.Uint64N(1e18))
	case 3:
		fmt.Fprintf(r, "%d.%0*d", r.IntN(1000), 1+r.IntN(20), r.IntN(1000))
	case 4:
		fmt.Fprintf(r, "%d%s%s%d", r.IntN(1000), []string{"e", "E"}[r.IntN(2)], []string{"", "+", "-"}[r.IntN(3)], r.IntN(40))
	default:
		fmt.Fprintf(r, "%d.%de%d", r.IntN(10), r.Uint64N(1e17), r.IntN(640)-325)
	}
}
