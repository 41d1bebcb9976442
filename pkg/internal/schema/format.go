package schema

import "bytes"

// format is a named check on strings.
type format struct {
	name  string
	words string // what a value must be
	fits  func(value []byte) bool
}

func formats() []format {
	return []format{
		{"date", "a date YYYY-MM-DD", isDate},
		{"date-time", "a time stamp of RFC 3339, 2026-01-15T14:30:00Z", isDateTime},
		{"time-of-day", "a time of day HH:MM or HH:MM:SS", isTimeOfDay},
		{"worksome-time", "a time YYYY-MM-DD HH:MM:SS", isWorksomeTime},
		{"email", "an e-mail address", isEmail},
		{"uri", "an absolute URL", isURI},
	}
}

// Formats lists the names that the keyword format may have.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

func formatNamed(name string) *format {
	for _, f := range formats() {
		if f.name == name {
			return &f
		}
	}
	return nil
}

// FitsFormat reports whether a value fits a format; an unknown one takes any.
func FitsFormat(name, value string) bool {
	f := formatNamed(name)
	return f == nil || f.fits([]byte(value))
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

// isDateTime takes RFC 3339's date-time. A second of 60 is taken where a leap
// second can be: at 23:59 UTC.
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

// zone reads Z or ±HH:MM and gives minutes.
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

// isWorksomeTime takes YYYY-MM-DD HH:MM:SS with a zone's name after it or not.
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
