package schema

import (
	"bytes"
	"strings"
)

// format is a named check on strings.
type format struct {
	name  string
	words string // what a value must be
	fits  func(value []byte) bool
}

var formats = []format{
	{"date", "a date YYYY-MM-DD", isDate},
	{"date-time", "an RFC 3339 timestamp such as 2026-01-15T14:30:00Z", isDateTime},
	{"time-of-day", "a time of day HH:MM or HH:MM:SS", isTimeOfDay},
	{"worksome-time", "a time YYYY-MM-DD HH:MM:SS", isWorksomeTime},
	{"email", "an e-mail address", isEmail},
	{"uri", "an absolute URL", isURI},
	{"currency", CurrencyWords, isCurrency},
}

// formatNamed returns the format with that name, or nil.
func formatNamed(name string) *format {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i]
		}
	}
	return nil
}

// digitsAt reads n ASCII digits.
func digitsAt(v []byte, at, n int) (int, bool) {
	if len(v) < at+n {
		return 0, false
	}
	value := 0
	for _, b := range v[at : at+n] {
		if b < '0' || b > '9' {
			return 0, false
		}
		value = value*10 + int(b-'0')
	}
	return value, true
}

func isDate(v []byte) bool {
	year, ok1 := digitsAt(v, 0, 4)
	month, ok2 := digitsAt(v, 5, 2)
	day, ok3 := digitsAt(v, 8, 2)
	if !ok1 || !ok2 || !ok3 || len(v) != 10 || v[4] != '-' || v[7] != '-' || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= daysIn(year, month)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// isDateTime accepts a date-time of RFC 3339. A second of 60 is accepted where a
// leap second can be: at 23:59 UTC.
func isDateTime(v []byte) bool {
	if len(v) < 20 || !isDate(v[:10]) || v[10]|0x20 != 't' {
		return false
	}
	hour, minute, second, ok := clock(v[11:19])
	if !ok {
		return false
	}
	rest := v[19:]
	if rest[0] == '.' {
		rest = rest[1:]
		digits := len(rest) - len(bytes.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return false
		}
		rest = rest[digits:]
	}
	offset, ok := zone(rest)
	if !ok {
		return false
	}
	utc := ((hour*60+minute-offset)%1440 + 1440) % 1440
	return second < 60 || utc == 23*60+59
}

// clock reads HH:MM:SS; the second may be 60.
func clock(v []byte) (hour, minute, second int, ok bool) {
	hour, ok1 := digitsAt(v, 0, 2)
	minute, ok2 := digitsAt(v, 3, 2)
	second, ok3 := digitsAt(v, 6, 2)
	ok = ok1 && ok2 && ok3 && len(v) == 8 && v[2] == ':' && v[5] == ':' && hour < 24 && minute < 60 && second <= 60
	return hour, minute, second, ok
}

// zone reads Z or ±HH:MM and returns minutes.
func zone(v []byte) (minutes int, ok bool) {
	if len(v) == 1 {
		return 0, v[0]|0x20 == 'z'
	}
	if len(v) != 6 || v[0] != '+' && v[0] != '-' || v[3] != ':' {
		return 0, false
	}
	h, ok1 := digitsAt(v, 1, 2)
	m, ok2 := digitsAt(v, 4, 2)
	minutes = h*60 + m
	if v[0] == '-' {
		minutes = -minutes
	}
	return minutes, ok1 && ok2 && h < 24 && m < 60
}

func isTimeOfDay(v []byte) bool {
	if len(v) == 5 {
		var whole [8]byte
		copy(whole[:], v)
		copy(whole[5:], ":00")
		v = whole[:]
	}
	_, _, second, ok := clock(v)
	return ok && second < 60
}

// isWorksomeTime accepts YYYY-MM-DD HH:MM:SS, with or without the name of a time
// zone after it.
func isWorksomeTime(v []byte) bool {
	if len(v) < 19 || !isDate(v[:10]) || v[10] != ' ' {
		return false
	}
	_, _, second, ok := clock(v[11:19])
	if !ok || second > 59 {
		return false
	}
	name, spaced := bytes.CutPrefix(v[19:], []byte(" "))
	return len(v) == 19 || spaced && len(name) > 0 && len(bytes.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/_+-:0123456789")) == 0
}

// isEmail accepts what mail systems accept: a local part of dot-separated atoms
// or a quoted one, and a host name or an IP address in brackets.
func isEmail(v []byte) bool {
	at := bytes.LastIndexByte(v, '@')
	if at < 1 || len(v) > 254 || at > 64 || !isLocalPart(v[:at]) {
		return false
	}
	host := v[at+1:]
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		literal := host[1 : len(host)-1]
		if six, ok := bytes.CutPrefix(literal, []byte("IPv6:")); ok {
			return isIPv6(six)
		}
		return isIPv4(literal)
	}
	return isHostname(host)
}

func isLocalPart(local []byte) bool {
	if last := len(local) - 1; last > 1 && local[0] == '"' && local[last] == '"' {
		return isQuotedText(local[1:last])
	}
	for i, b := range local {
		switch b {
		case '.':
			if i == 0 || i == len(local)-1 || local[i-1] == '.' {
				return false
			}
		case '(', ')', '<', '>', '[', ']', ':', ';', '@', '\\', ',', '"', 0x7f:
			return false
		}
		if b <= ' ' {
			return false
		}
	}
	return true
}

// isQuotedText accepts what may be between the quotes of a local part.
func isQuotedText(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b < ' ' || b == 0x7f || b == '"':
			return false
		case b == '\\':
			if i++; i == len(text) || text[i] < ' ' || text[i] == 0x7f {
				return false
			}
		}
	}
	return true
}

// isHostname accepts labels of letters, digits and inner hyphens. Letters beyond
// ASCII are accepted as they are.
func isHostname(host []byte) bool {
	if len(host) == 0 || len(host) > 253 {
		return false
	}
	size := 0
	for i, b := range host {
		switch {
		case b == '.':
			if size == 0 || host[i-1] == '-' {
				return false
			}
			size = 0
			continue
		case b == '-' && size == 0:
			return false
		case b == '-', '0' <= b && b <= '9', 'a' <= b|0x20 && b|0x20 <= 'z', b >= 0x80:
		default:
			return false
		}
		if size++; size > 63 {
			return false
		}
	}
	return size > 0 && host[len(host)-1] != '-'
}

// isIPv4 accepts four numbers up to 255, without leading zeros.
func isIPv4(v []byte) bool {
	for part := range 4 {
		size := digitRun(v, 0)
		n, ok := digitsAt(v, 0, size)
		if size == 0 || size > 3 || !ok || n > 255 || size > 1 && v[0] == '0' {
			return false
		}
		if v = v[size:]; part < 3 {
			if len(v) == 0 || v[0] != '.' {
				return false
			}
			v = v[1:]
		}
	}
	return len(v) == 0
}

// isIPv6 accepts eight groups of hex digits, of which one run of zeros may be
// left out and the last two may be written as IPv4. A zone is not accepted.
func isIPv6(v []byte) bool {
	before, after, gap := bytes.Cut(v, []byte("::"))
	if !gap {
		groups, ok := hexGroups(v, true)
		return ok && groups == 8
	}
	left, ok1 := hexGroups(before, false)
	right, ok2 := hexGroups(after, true)
	return ok1 && ok2 && left+right < 8
}

// hexGroups counts groups of one to four hex digits separated by colons. An IPv4
// address at the end, if it may be there, counts as two.
func hexGroups(v []byte, mayEndInIPv4 bool) (groups int, ok bool) {
	for len(v) > 0 {
		size := 0
		for size < len(v) && isHex(v[size]) {
			size++
		}
		switch {
		case mayEndInIPv4 && size < len(v) && v[size] == '.':
			return groups + 2, isIPv4(v)
		case size == 0 || size > 4 || size < len(v) && v[size] != ':' || size+1 == len(v):
			return 0, false
		}
		groups++
		v = v[min(size+1, len(v)):]
	}
	return groups, true
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

// isURI accepts an absolute URI of RFC 3986, in ASCII and without spaces.
func isURI(v []byte) bool {
	colon := bytes.IndexByte(v, ':')
	if colon < 1 || colon == len(v)-1 || !isScheme(v[:colon]) {
		return false
	}
	rest := v[colon+1:]
	if hash := bytes.IndexByte(rest, '#'); hash >= 0 {
		if !consistsOf(rest[hash+1:], ":@/?") {
			return false
		}
		rest = rest[:hash]
	}
	if question := bytes.IndexByte(rest, '?'); question >= 0 {
		if !consistsOf(rest[question+1:], ":@/?") {
			return false
		}
		rest = rest[:question]
	}
	if authority, ok := bytes.CutPrefix(rest, []byte("//")); ok {
		slash := bytes.IndexByte(authority, '/')
		if slash < 0 {
			slash = len(authority)
		}
		if !isAuthority(authority[:slash]) {
			return false
		}
		if rest = authority[slash:]; slash == 0 && len(rest) == 0 {
			return false // neither host nor path
		}
	}
	return consistsOf(rest, ":@/")
}

func isScheme(v []byte) bool {
	for i, b := range v {
		switch {
		case 'a' <= b|0x20 && b|0x20 <= 'z':
		case i > 0 && ('0' <= b && b <= '9' || b == '+' || b == '-' || b == '.'):
		default:
			return false
		}
	}
	return true
}

// isAuthority accepts user@host:port, where user and port are optional.
func isAuthority(v []byte) bool {
	if at := bytes.IndexByte(v, '@'); at >= 0 {
		if !consistsOf(v[:at], ":") {
			return false
		}
		v = v[at+1:]
	}
	host, port := v, []byte(nil)
	if colon := bytes.LastIndexByte(v, ':'); colon > bytes.LastIndexByte(v, ']') {
		host, port = v[:colon], v[colon+1:]
	}
	if digitRun(port, 0) < len(port) {
		return false
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return isIPv6(host[1 : len(host)-1])
	}
	return consistsOf(host, "")
}

// consistsOf reports whether v consists of unreserved characters, sub-delimiters,
// percent-encoded bytes and those in extra.
func consistsOf(v []byte, extra string) bool {
	for i := 0; i < len(v); i++ {
		if b := v[i]; 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9' {
			continue
		}
		switch v[i] {
		case '-', '.', '_', '~', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=':
		case '%':
			if i+2 >= len(v) || !isHex(v[i+1]) || !isHex(v[i+2]) {
				return false
			}
			i += 2
		default:
			if strings.IndexByte(extra, v[i]) < 0 {
				return false
			}
		}
	}
	return true
}
