package diagnose

import (
	"math"
	"strconv"
	"strings"
)

// jsonWriter is a program that writes JSON after parsing it.
type jsonWriter struct {
	cause string
	name  string // for people
	rare  bool   // tried only alone
	style style
}

// The styles of the writers, all on one line and without spaces.
var (
	javaScript    = style{comma: ",", colon: ":", number: javaScriptNumber, order: indexesFirst}
	python        = style{comma: ",", colon: ":", number: pythonNumber, ascii: true, del: true}
	pythonUnicode = style{comma: ",", colon: ":", number: pythonNumber, surrogates: surrogatesRefused}
	goEscaped     = style{comma: ",", colon: ":", number: goNumber, order: byCodePoint, surrogates: surrogatesReplaced, lines: true, finiteInput: true, html: true}
	goUnescaped   = style{comma: ",", colon: ":", number: goNumber, order: byCodePoint, surrogates: surrogatesReplaced, lines: true, finiteInput: true}
	anyTokens     = style{comma: ",", colon: ":", verbatim: true} // keeps every number, string and repeated name as written

	php = style{comma: ",", colon: ":", number: phpNumber, surrogates: surrogatesUnread, lines: true, slash: true, ascii: true}
)

func (s style) spaced() style {
	s.comma, s.colon = ", ", ": "
	return s
}

func (s style) indented(by string) style {
	s.indent, s.colon = by, ": "
	return s
}

func (s style) sorted(by order) style {
	s.order = by
	return s
}

func (s style) withNewline() style {
	s.tail = "\n"
	return s
}

// objects and arrays are the two ways in which PHP's json_decode returns what
// is written afterwards.
func (s style) objects() style {
	s.phpObjects = true
	return s
}

func (s style) arrays() style {
	s.phpArrays = true
	return s
}

func (s style) unescapedSlashes() style {
	s.slash = false
	return s
}

func (s style) unescapedUnicode() style {
	s.ascii = false
	return s
}

// jsonWriters lists the writers, the common ones first: a long body does not
// get to the end of the list, and where several write the same bytes the first
// one is named.
var jsonWriters = []jsonWriter{
	{"body.javascript", "JavaScript's JSON.stringify", false, javaScript},
	{"body.javascript_indented", "JavaScript's JSON.stringify(value, null, 2)", false, javaScript.indented("  ")},
	{"body.javascript_sorted", "JavaScript's JSON.stringify over sorted keys (RFC 8785)", false, javaScript.sorted(byUTF16)},

	{"body.python", "Python's json.dumps", false, python.spaced()},
	{"body.python_unicode", "Python's json.dumps(ensure_ascii=False)", false, pythonUnicode.spaced()},
	{"body.python_compact", "Python's json.dumps(separators=(',', ':'))", false, python},
	{"body.python_compact_unicode", "Python's json.dumps(separators=(',', ':'), ensure_ascii=False)", false, pythonUnicode},
	{"body.python_sorted", "Python's json.dumps(sort_keys=True)", false, python.spaced().sorted(byCodePoint)},
	{"body.python_sorted_unicode", "Python's json.dumps(sort_keys=True, ensure_ascii=False)", false, pythonUnicode.spaced().sorted(byCodePoint)},
	{"body.python_compact_sorted", "Python's json.dumps(separators=(',', ':'), sort_keys=True)", false, python.sorted(byCodePoint)},
	{"body.python_compact_sorted_unicode", "Python's json.dumps(separators=(',', ':'), sort_keys=True, ensure_ascii=False)", false, pythonUnicode.sorted(byCodePoint)},

	{"body.php", "PHP's json_encode", false, php.objects()},
	{"body.php", "PHP's json_encode of arrays", false, php.arrays()},
	{"body.php_slashes", "PHP's json_encode(JSON_UNESCAPED_SLASHES)", false, php.unescapedSlashes().objects()},
	{"body.php_slashes", "PHP's json_encode(JSON_UNESCAPED_SLASHES) of arrays", false, php.unescapedSlashes().arrays()},
	{"body.php_unicode", "PHP's json_encode(JSON_UNESCAPED_UNICODE)", false, php.unescapedUnicode().objects()},
	{"body.php_unicode", "PHP's json_encode(JSON_UNESCAPED_UNICODE) of arrays", false, php.unescapedUnicode().arrays()},
	{"body.php_slashes_unicode", "PHP's json_encode(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)", false, php.unescapedSlashes().unescapedUnicode().objects()},
	{"body.php_slashes_unicode", "PHP's json_encode(JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) of arrays", false, php.unescapedSlashes().unescapedUnicode().arrays()},

	{"body.go", "Go's json.Marshal(map)", false, goEscaped},
	{"body.go_newline", "Go's json.Encoder", false, goEscaped.withNewline()},
	{"body.go_unescaped", "Go's trimmed json.Encoder with SetEscapeHTML(false)", false, goUnescaped},
	{"body.go_unescaped_newline", "Go's json.Encoder with SetEscapeHTML(false)", false, goUnescaped.withNewline()},

	{"body.minified", "a minifier, such as jq -c,", false, anyTokens},
	{"body.keys_sorted", "a program that sorts the keys, such as jq -cS,", false, anyTokens.sorted(byCodePoint)},
	{"body.spaced", "a program that puts a space after each comma and colon", false, anyTokens.spaced()},

	{"body.javascript_indented", "JavaScript's JSON.stringify(value, null, 4)", true, javaScript.indented("    ")},
	{"body.python_indented", "Python's json.dumps(indent=2)", true, python.indented("  ")},
	{"body.python_indented_unicode", "Python's json.dumps(indent=2, ensure_ascii=False)", true, pythonUnicode.indented("  ")},
	{"body.python_indented", "Python's json.dumps(indent=4)", true, python.indented("    ")},
	{"body.python_indented_unicode", "Python's json.dumps(indent=4, ensure_ascii=False)", true, pythonUnicode.indented("    ")},
	{"body.php_pretty", "PHP's json_encode(JSON_PRETTY_PRINT)", true, php.objects().indented("    ")},
	{"body.php_pretty", "PHP's json_encode(JSON_PRETTY_PRINT) of arrays", true, php.arrays().indented("    ")},
	{"body.php_pretty_slashes_unicode", "PHP's json_encode(JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)", true, php.unescapedSlashes().unescapedUnicode().objects().indented("    ")},
	{"body.php_pretty_slashes_unicode", "PHP's json_encode(JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) of arrays", true, php.unescapedSlashes().unescapedUnicode().arrays().indented("    ")},
	{"body.go_indented", "Go's json.MarshalIndent(map)", true, goEscaped.indented("  ")},
	{"body.keys_sorted", "a program that sorts the keys, such as jq -S,", true, anyTokens.sorted(byCodePoint).indented("  ")},
	{"body.keys_sorted", "a program that sorts the keys and puts a space after each comma and colon", true, anyTokens.sorted(byCodePoint).spaced()},
	{"body.indented", "a formatter with two spaces, such as jq,", true, anyTokens.indented("  ")},
	{"body.indented", "a formatter with four spaces", true, anyTokens.indented("    ")},
	{"body.indented", "a formatter with tabs", true, anyTokens.indented("\t")},
}

// rewrites gives the body as each JSON writer writes it after parsing it.
func (raw original) rewrites(yield func(body) bool) {
	tree, ok := parse(raw)
	if !ok {
		return
	}
	left := maxWritten
	for i := range jsonWriters {
		w := &jsonWriters[i]
		text, ok := w.style.write(tree)
		if left -= len(text); left < 0 {
			return
		}
		if ok && !yield(body{candidate: candidate{[]cause{w.asCause()}, w.rare}, text: text, rewritten: true, writer: w.name}) {
			return
		}
	}
}

func (w *jsonWriter) asCause() cause {
	return cause{
		id:      w.cause,
		summary: "the signature covers the JSON as " + w.name + " writes it, and the received body is formatted differently",
		fix:     sameBytes,
	}
}

// Each function below writes a JSON number as one language does after reading
// it, and reports false where the language refuses it.

// javaScriptNumber is Number::toString of ECMAScript. A number that is too large
// is read as Infinity and written as null.
func javaScriptNumber(token string) (string, bool) {
	f := parseFloat(token)
	switch {
	case math.IsInf(f, 0):
		return "null", true
	case f == 0:
		return "0", true
	}
	return shortest(f, -7, 20, 1), true
}

// pythonNumber keeps integers of any size and writes a float as repr does.
func pythonNumber(token string) (string, bool) {
	if !strings.ContainsAny(token, ".eE") {
		if token == "-0" {
			return "0", true
		}
		return token, len(token) <= 4300 // int refuses longer ones
	}
	f := parseFloat(token)
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

// phpNumber is json_encode's with serialize_precision -1. An integer past 64
// bits becomes a float.
func phpNumber(token string) (string, bool) {
	if !strings.ContainsAny(token, ".eE") {
		if n, err := strconv.ParseInt(token, 10, 64); err == nil {
			return strconv.FormatInt(n, 10), true
		}
	}
	f := parseFloat(token)
	text := shortest(f, -5, 16, 1)
	if mantissa, exponent, found := strings.Cut(text, "e"); found && !strings.Contains(mantissa, ".") {
		text = mantissa + ".0e" + exponent
	}
	return text, !math.IsInf(f, 0)
}

// goNumber is encoding/json's for a float64.
func goNumber(token string) (string, bool) {
	return shortest(parseFloat(token), -7, 20, 1), true
}

// parseFloat reads a number as every writer here does: to the nearest float64.
func parseFloat(token string) float64 {
	f, _ := strconv.ParseFloat(token, 64) // past the range it is infinite, which the callers look for
	return f
}

// shortest writes the fewest digits that read back as f. It writes an exponent
// of at least width digits where that is at most low or more than high.
func shortest(f float64, low, high, width int) string {
	if n := int64(f); -1<<53 < n && n < 1<<53 && float64(n) == f && n != 0 {
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
