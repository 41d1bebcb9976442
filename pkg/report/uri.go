package report

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// tidy gives a path as CI servers compare it: forward slashes, no "./" in
// front. URLs stay as they are.
func tidy(file string) string {
	if isURL(file) {
		return file
	}
	return path.Clean(filepath.ToSlash(file))
}

// uri writes a file's name as RFC 3986 has it: a relative path as a relative
// reference, an absolute one behind file://, stdin as "stdin".
func uri(file string) string {
	switch {
	case file == "" || file == "-":
		return "stdin"
	case isURL(file):
		return percent(file, "-._~:/?#[]@!$&'()*+,;=%")
	case !filepath.IsAbs(file):
		return percent(tidy(file), "-._~/")
	}
	return "file:///" + percent(strings.TrimPrefix(tidy(file), "/"), "-._~/:")
}

// isURL reports an http or https URL, as the address of a receiver is. The
// one that is written must be one too.
func isURL(s string) bool {
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		return false
	}
	u, err := url.Parse(percent(s, "-._~:/?#[]@!$&'()*+,;=%"))
	return err == nil && u.Host != ""
}

// percent escapes each byte that is no letter, no digit, and not in keep.
func percent(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
