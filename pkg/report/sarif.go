package report

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// sarifWriter writes a log of one run in SARIF 2.1.0:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type sarifWriter struct {
	out   output
	tool  Tool
	rules map[string]int // where each rule stands in the log
	plain *strings.Replacer
	begun bool

	file, uri string // of the finding before
	hashed    []byte // used again for each fingerprint
}

func newSARIF(out output, tool Tool) *sarifWriter {
	s := &sarifWriter{out: out, tool: tool, rules: map[string]int{}, file: "-", uri: "stdin"}
	s.tool.Rules = nil
	for _, r := range tool.Rules {
		if _, known := s.rules[r.ID]; !known {
			s.rules[r.ID] = len(s.tool.Rules)
			s.tool.Rules = append(s.tool.Rules, r)
		}
	}
	s.plain = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")
	return s
}

// appendMessage appends the text of a message object. Braces hold placeholders
// (3.11.5), and [text](target) is a link (3.11.6): text from outside makes
// neither.
func (s *sarifWriter) appendMessage(b []byte, text string) []byte {
	if strings.ContainsAny(text, "{}]") {
		text = s.plain.Replace(text)
	}
	b = append(b, `{"text":`...)
	b = appendString(b, text)
	return append(b, '}')
}

func (s *sarifWriter) Source(string) error { return s.out.err }

func (s *sarifWriter) Finding(f Finding) error {
	b := s.out.buf
	if s.begun {
		b = append(b, ",\n"...)
	} else {
		b = append(s.appendHead(b), '\n')
		s.begun = true
	}
	return s.out.write(s.appendResult(b, f))
}

func (s *sarifWriter) Close(Summary) error {
	b := s.out.buf
	if s.begun {
		b = append(b, '\n')
	} else {
		b = s.appendHead(b)
	}
	return s.out.write(append(b, "]}]}\n"...))
}

// appendHead appends all that stands before the first result.
func (s *sarifWriter) appendHead(b []byte) []byte {
	b = append(b, `{"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",`...)
	b = append(b, `"version":"2.1.0","runs":[{"tool":{"driver":{"name":`...)
	b = appendString(b, s.tool.Name)
	if s.tool.Version != "" {
		b = append(b, `,"version":`...)
		b = appendString(b, s.tool.Version)
	}
	if u, err := url.Parse(s.tool.URL); err == nil && u.IsAbs() {
		b = append(b, `,"informationUri":`...)
		b = appendString(b, u.String())
	}
	b = append(b, `,"rules":[`...)
	for i, r := range s.tool.Rules {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n{\"id\":"...)
		b = appendString(b, r.ID)
		b = append(b, `,"shortDescription":`...)
		b = s.appendMessage(b, r.Help)
		b = append(b, `,"defaultConfiguration":{"level":`...)
		b = appendString(b, r.Severity)
		b = append(b, "}}"...)
	}
	return append(b, `]}},"columnKind":"unicodeCodePoints","results":[`...)
}

func (s *sarifWriter) appendResult(b []byte, f Finding) []byte {
	if f.File != s.file {
		s.file, s.uri = f.File, uri(f.File)
	}
	b = append(b, `{"ruleId":`...)
	b = appendString(b, f.Rule)
	if i, known := s.rules[f.Rule]; known {
		b = appendCount(b, `,"ruleIndex":`, i)
	}
	b = append(b, `,"level":`...)
	b = appendString(b, f.Severity)
	b = append(b, `,"message":`...)
	b = s.appendMessage(b, f.Message)
	b = append(b, `,"locations":[{"physicalLocation":{"artifactLocation":{"uri":`...)
	b = appendString(b, s.uri)
	b = append(b, '}')
	b = appendRegion(b, f)
	b = append(b, '}')
	if f.Pointer != "" {
		b = append(b, `,"logicalLocations":[{"fullyQualifiedName":`...)
		b = appendString(b, f.Pointer)
		b = append(b, "}]"...)
	}
	b = append(b, `}],"partialFingerprints":{"findingHash/v1":"`...)
	b = s.appendFingerprint(b, f)
	b = append(b, `"}`...)
	if f.Event != "" || f.Form != "" {
		b = append(b, `,"properties":{"event":`...)
		b = appendString(b, f.Event)
		b = append(b, `,"form":`...)
		b = appendString(b, f.Form)
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendRegion appends the place in the file, as far as it is known.
func appendRegion(b []byte, f Finding) []byte {
	if f.Line < 1 {
		return b
	}
	b = appendCount(b, `,"region":{"startLine":`, f.Line)
	if f.Column > 0 {
		b = appendCount(b, `,"startColumn":`, f.Column)
		if f.EndColumn > f.Column {
			b = appendCount(b, `,"endColumn":`, f.EndColumn)
		}
	}
	return append(b, '}')
}

// appendFingerprint appends a digest that stays the same when the finding
// moves to another line.
func (s *sarifWriter) appendFingerprint(b []byte, f Finding) []byte {
	h := s.hashed[:0]
	for _, part := range []string{f.Rule, f.Pointer, f.Message, s.uri} {
		h = strconv.AppendInt(h, int64(len(part)), 10)
		h = append(h, ':')
		h = append(h, part...)
	}
	s.hashed = h
	sum := sha256.Sum256(h)
	return hex.AppendEncode(b, sum[:16])
}
