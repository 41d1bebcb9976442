package schema

import "bytes"

// isEmail takes what mail systems take: a local part of dot-separated atoms
// or a quoted one, and a host name or a bracketed address.
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

// isQuotedText takes what may stand between the quotes of a local part.
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

// isHostname takes labels of letters, digits and inner hyphens. Letters beyond
// ASCII are taken as they are.
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

// isIPv4 takes four numbers up to 255, without leading zeros.
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

// isIPv6 takes eight groups of hex digits, of which one run of zeros may be
// left out and the last two may be written as IPv4. A zone is no part of an
// address.
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

// hexGroups counts groups of one to four hex digits with colons between them.
// An IPv4 address at the end, where it may be, counts as two.
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
