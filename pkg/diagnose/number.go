package diagnose

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Each function writes a JSON number as one tool does after reading it, and
// reports false where the tool refuses it.

// javascriptNumber is Number::toString of ECMAScript; what is too large reads
// as Infinity and is written as null.
func javascriptNumber(token string) (string, bool) {
	f := float(token)
	switch {
	case math.IsInf(f, 0):
		return "null", true
	case f == 0:
		return "0", true
	}
	return shortest(f, -7, 20, 1), true
}

// pythonNumber keeps integers of any size; a float is repr's.
func pythonNumber(token string) (string, bool) {
	if !strings.ContainsAny(token, ".eE") {
		if token == "-0" {
			return "0", true
		}
		return token, len(token) <= 4300 // int refuses longer ones
	}
	f := float(token)
	switch {
	case math.IsInf(f, 1):
		return "Infinity", true
	case math.IsInf(f, -1):
		return "-Infinity", true
	}
	text := shortest(f, -5, 15, 2)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text, true
}

// phpNumber is json_encode's with serialize_precision -1; an integer past 64
// bits becomes a float.
func phpNumber(token string) (string, bool) {
	if !strings.ContainsAny(token, ".eE") {
		if n, err := strconv.ParseInt(token, 10, 64); err == nil {
			return strconv.FormatInt(n, 10), true
		}
	}
	f := float(token)
	text := shortest(f, -5, 16, 1)
	if mantissa, exponent, found := strings.Cut(text, "e"); found && !strings.Contains(mantissa, ".") {
		text = mantissa + ".0e" + exponent
	}
	return text, !math.IsInf(f, 0)
}

// goNumber is encoding/json's for a float64.
func goNumber(token string) (string, bool) {
	return shortest(float(token), -7, 20, 1), true
}

// jqNumber is jq's up to 1.6: the largest float stands for what is too large.
func jqNumber(token string) (string, bool) {
	f := float(token)
	if math.IsInf(f, 0) {
		f = math.Copysign(math.MaxFloat64, f)
	}
	mantissa, _, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', -1, 64), "e")
	digits := len(mantissa)
	if digits > 1 {
		digits-- // the point
	}
	return shortest(f, -5, digits+14, 2), true
}

// jqLiteral is jq's from 1.7: every digit stays, and the exponent is written
// as decNumber's to-scientific-string does it.
func jqLiteral(token string) (string, bool) {
	bare, negative := strings.CutPrefix(token, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(bare), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent := 0
	if power != "" {
		n, err := strconv.Atoi(power)
		if err != nil || n > 1e6 || n < -1e6 {
			return "", false
		}
		exponent = n
	}
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		digits = "0"
	}
	text := scientific(digits, exponent)
	if negative {
		text = "-" + text
	}
	return text, true
}

func scientific(digits string, exponent int) string {
	adjusted := exponent + len(digits) - 1
	switch point := len(digits) + exponent; {
	case exponent > 0 || adjusted < -6:
		mantissa := digits[:1]
		if len(digits) > 1 {
			mantissa += "." + digits[1:]
		}
		return fmt.Sprintf("%sE%+d", mantissa, adjusted)
	case exponent == 0:
		return digits
	case point > 0:
		return digits[:point] + "." + digits[point:]
	default:
		return "0." + strings.Repeat("0", -point) + digits
	}
}

// float reads a number as every tool here does: to the nearest float64.
func float(token string) float64 {
	f, _ := strconv.ParseFloat(token, 64) // past the range it is infinite, which the callers look for
	return f
}

// shortest writes the fewest digits that read back as f: with an exponent of
// at least width digits where it is at most low or more than high, without
// one between.
func shortest(f float64, low, high, width int) string {
	if n := int64(f); -1<<53 < n && n < 1<<53 && float64(n) == f && n != 0 && high >= 15 {
		return strconv.FormatInt(n, 10) // most numbers are whole and small
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, power, found := strings.Cut(text, "e")
	if !found { // infinite
		return text
	}
	n, err := strconv.Atoi(power)
	if err != nil || n > low && n <= high {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	if width == 1 {
		power = power[:1] + strings.TrimLeft(power[1:], "0")
	}
	return mantissa + "e" + power
}
