package schema

import (
	"bytes"
	"strings"
)

// isURI takes an absolute URI as RFC 3986 writes it: a scheme and what belongs
// to it, in ASCII, without spaces.
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

// isAuthority takes user@host:port; user and port may be missing.
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

// consistsOf reports whether v has unreserved characters, sub-delimiters,
// percent-encoded bytes and those of extra only.
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
