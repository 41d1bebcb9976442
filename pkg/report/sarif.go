package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/jsontext"
	"github.com/wskdev/wsk/pkg/webhook"
)

// sarifFormat writes a log with one run in SARIF 2.1.0:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type sarifFormat struct {
	plain
	head  []byte         // everything before the first result
	tail  []byte         // everything after the last one
	index map[string]int // of each rule in the log
	begun bool
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"` // the last member, which is written bit by bit
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri,omitempty"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID                   string             `json:"id"`
	ShortDescription     sarifMessage       `json:"shortDescription"`
	DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
}

type sarifConfiguration struct {
	Level Severity `json:"level"` // whose names SARIF shares
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    *int              `json:"ruleIndex,omitempty"`
	Level        Severity          `json:"level"`
	Message      sarifMessage      `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints sarifFingerprints `json:"partialFingerprints"`
	Properties   *sarifProperties  `json:"properties,omitempty"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifLocation struct {
	Physical sarifPhysicalLocation  `json:"physicalLocation"`
	Logical  []sarifLogicalLocation `json:"logicalLocations,omitempty"`
}

type sarifPhysicalLocation struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogicalLocation struct {
	Name string `json:"fullyQualifiedName"`
}

type sarifFingerprints struct {
	FindingHash string `json:"findingHash/v1"`
}

type sarifProperties struct {
	Event string       `json:"event"`
	Form  webhook.Form `json:"form"`
}

func newSARIF(tool Tool) (format, error) {
	s := &sarifFormat{index: map[string]int{}}
	driver := sarifDriver{Name: tool.Name, Version: tool.Version, Rules: []sarifRule{}}
	if u, err := url.Parse(tool.URL); err == nil && u.IsAbs() {
		driver.InformationURI = u.String()
	}
	for _, r := range tool.Rules {
		if _, known := s.index[r.ID]; !known {
			s.index[r.ID] = len(driver.Rules)
			driver.Rules = append(driver.Rules, sarifRule{r.ID, sarifText(r.Help), sarifConfiguration{r.Severity}})
		}
	}
	text, err := jsontext.Marshal(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}},
	})
	if err != nil {
		return nil, err
	}
	// The results are written between the brackets of the empty list.
	s.tail = []byte("]}]}")
	var ok bool
	if s.head, ok = bytes.CutSuffix(text, s.tail); !ok {
		return nil, errors.New("sarif: results is not the last member")
	}
	return s, nil
}

func (s *sarifFormat) finding(f Finding) ([]byte, error) {
	before := []byte(",")
	if !s.begun {
		s.begun = true
		before = s.head
	}
	text, err := jsontext.Marshal(s.result(f))
	return bytes.Join([][]byte{before, text}, []byte("\n")), err
}

func (s *sarifFormat) end(Summary) ([]byte, error) {
	before := []byte("\n")
	if !s.begun {
		before = s.head
	}
	return bytes.Join([][]byte{before, s.tail, []byte("\n")}, nil), nil
}

func (s *sarifFormat) result(f Finding) sarifResult {
	file := uriOf(f.File)
	location := sarifLocation{Physical: sarifPhysicalLocation{Artifact: sarifArtifact{file}}}
	if f.Line > 0 {
		location.Physical.Region = &sarifRegion{f.Line, max(f.Column, 0)}
	}
	if f.Pointer != "" {
		location.Logical = []sarifLogicalLocation{{f.Pointer}}
	}
	result := sarifResult{
		RuleID: f.Rule, Level: f.Severity, Message: sarifText(f.Message),
		Locations:    []sarifLocation{location},
		Fingerprints: sarifFingerprints{fingerprint(f.Rule, f.Pointer, f.Message, file)},
	}
	if i, known := s.index[f.Rule]; known {
		result.RuleIndex = &i
	}
	if f.Event != "" || f.Form != "" {
		result.Properties = &sarifProperties{f.Event, f.Form}
	}
	return result
}

var sarifPlain = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")

// sarifText returns a message object. In SARIF braces enclose placeholders
// (3.11.5) and [text](target) is a link (3.11.6), so text from outside must
// contain neither.
func sarifText(text string) sarifMessage { return sarifMessage{sarifPlain.Replace(text)} }

// fingerprint returns a digest that stays the same when the finding moves to
// another line.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// uriOf returns the name of a file as a URI reference of RFC 3986: a relative
// path as a relative reference, an absolute one with the scheme file, stdin as
// "stdin".
func uriOf(file string) string {
	switch {
	case file == "" || file == "-":
		return "stdin"
	case isURL(file):
		return percent(file, urlChars)
	case !filepath.IsAbs(file):
		return percent(cleanPath(file), "-._~/")
	}
	return "file:///" + percent(strings.TrimPrefix(cleanPath(file), "/"), "-._~/:")
}

const urlChars = "-._~:/?#[]@!$&'()*+,;=%"

// isURL reports whether s is an http or https URL, such as the address of a
// receiver, and still is one once it is escaped.
func isURL(s string) bool {
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		return false
	}
	u, err := url.Parse(percent(s, urlChars))
	return err == nil && u.Host != ""
}

// percent escapes every byte that is not a letter, a digit or in keep.
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
