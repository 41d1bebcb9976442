package render

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Events lists Work Market's events (section "Available Webhook Events"), in
// the catalog's order.
func Events() []webhook.Definition {
	return webhook.DefaultCatalog().Events(webhook.WorkMarket, webhook.Template)
}

// EventNamed finds an event by Work Market's name, such as "Check In", or by
// the catalog's, such as check_in. Upper and lower case, spaces, dashes and
// underscores do not matter. The error is an [*webhook.UnknownError].
func EventNamed(name string) (webhook.Definition, error) {
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == ' ' || c == '-' || c == '_' })
	d, err := webhook.DefaultCatalog().Lookup(webhook.WorkMarket, webhook.Template, strings.Join(words, "_"))
	if err == nil {
		return d, nil
	}
	var known []string
	for _, d := range Events() {
		known = append(known, d.Type)
	}
	return webhook.Definition{}, webhook.Unknown("event of Work Market", name, known)
}

// Title returns an event's name as Work Market writes it, such as "Check In".
func Title(d webhook.Definition) string { return gjson.GetBytes(d.Schema(), "title").String() }

// eventVariables lists the names of an event's variables in the documentation's order
// (section "Webhook Variables"), without custom fields.
func eventVariables(d webhook.Definition) []string {
	var names []string
	for _, p := range d.Properties() {
		if p.Path != "*" { // custom fields
			names = append(names, p.Path)
		}
	}
	return names
}

// variable describes a variable independently of the event.
type variable struct {
	isDate    bool
	successor string // the variable to use in place of a deprecated one, or ""
}

// variables maps every variable of any event.
var variables = sync.OnceValue(func() map[string]variable {
	all := map[string]variable{}
	raw, err := webhook.DefaultCatalog().ReadFile("workmarket/defs.json")
	if err != nil {
		return all // a test reads it
	}
	gjson.GetBytes(raw, "$defs").ForEach(func(name, definition gjson.Result) bool {
		if name.String() != "custom_field" {
			all[name.String()] = variable{
				isDate:    definition.Get("format").String() == "date-time",
				successor: definition.Get("x-deprecated").String(),
			}
		}
		return true
	})
	return all
})

// eventsWith maps each variable to the titles of the events that have it.
var eventsWith = sync.OnceValue(func() map[string][]string {
	titles := map[string][]string{}
	for _, d := range Events() {
		title := Title(d)
		for _, name := range eventVariables(d) {
			titles[name] = append(titles[name], title)
		}
	}
	return titles
})

func variableNames() []string { return slices.Sorted(maps.Keys(variables())) }

// CheckVariable returns nil for the name of a custom field and for a variable
// that at least one event has, and otherwise an [*webhook.UnknownError] with the
// nearest name.
func CheckVariable(name string) error {
	if _, ok := variables()[name]; ok || isCustomField(name) {
		return nil
	}
	return webhook.Unknown("variable", name, variableNames())
}

// customField returns the number of a custom field. Work Market documents two
// names for one, custom_field_58134 and customfield58134.
func customField(name string) (number string, ok bool) {
	number, ok = strings.CutPrefix(name, "custom_field_")
	if !ok {
		number, ok = strings.CutPrefix(name, "customfield")
	}
	return number, ok && number != "" && strings.Trim(number, "0123456789") == ""
}

func isCustomField(name string) bool {
	_, ok := customField(name)
	return ok
}

// spellings returns the names of a variable, the given one first.
func spellings(name string) []string {
	number, ok := customField(name)
	switch {
	case !ok:
		return []string{name}
	case name == "custom_field_"+number:
		return []string{name, "customfield" + number}
	}
	return []string{name, "custom_field_" + number}
}

func isVariableName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}

// Values maps the variables of one event to their values: string, json.Number,
// bool, nil, time.Time, or []byte for the content of a file. Both names of a
// custom field mean the same value.
type Values map[string]any

// Attachment is the file that an event is about.
type Attachment struct {
	Name        string
	Description string // empty: the value that the variable had is kept
	UUID        string // empty: likewise
	ContentType string // media type; empty if unknown
	Data        []byte // at most MaxAttachment bytes
}

// fileContent is the value of file_data_binary for an [Attachment].
type fileContent struct {
	data        []byte
	contentType string
}

// Samples returns the catalog's sample values for an event. The error for an
// unknown event is an [*webhook.UnknownError].
func Samples(event string) (Values, error) {
	d, err := EventNamed(event)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(d.Sample()))
	decoder.UseNumber()
	v := Values{}
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("the sample of %s: %w", d.Type, err)
	}
	if text, ok := v["file_data_binary"].(string); ok {
		v["file_data_binary"] = []byte(text)
	}
	return v, nil
}

// With returns a copy with another value for one variable.
func (v Values) With(name string, value any) Values {
	out := maps.Clone(v)
	if out == nil {
		out = Values{}
	}
	for _, other := range spellings(name) {
		delete(out, other)
	}
	out[name] = value
	return out
}

// get returns the value of a variable, under whichever of its names it is set.
func (v Values) get(name string) any {
	for _, name := range spellings(name) {
		if value, ok := v[name]; ok {
			return value
		}
	}
	return nil
}

// Attach returns a copy with the variables of a file.
func (v Values) Attach(a Attachment) Values {
	encoded := base64.StdEncoding.EncodeToString(a.Data)
	out := v.With("file_name", a.Name)
	out["file_data_base64"], out["file_data"] = encoded, encoded
	out["file_data_binary"] = fileContent{data: a.Data, contentType: a.ContentType}
	out["file_data_byte_length"] = json.Number(strconv.Itoa(len(a.Data)))
	if a.Description != "" {
		out["file_description"] = a.Description
	}
	if a.UUID != "" {
		out["file_uuid"] = a.UUID
	}
	return out
}

// bytesOf returns the value of file_data_binary.
func bytesOf(value any) []byte {
	switch v := value.(type) {
	case fileContent:
		return v.data
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// dateOf reads a date and time: RFC 3339, or seconds since 1970.
func dateOf(value any) (time.Time, bool) {
	var text string
	switch v := value.(type) {
	case time.Time:
		return v, true
	case json.Number:
		text = v.String()
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC(), true
		}
		text = v
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0).UTC(), err == nil
}

// format returns a value as text, before it is escaped.
func (d Dates) format(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		if d == Unix {
			return strconv.FormatInt(v.Unix(), 10)
		}
		return v.UTC().Format("2006-01-02T15:04:05Z")
	}
	return fmt.Sprint(value)
}

// ParseVars reads the values of variables from a file: a JSON object, a YAML
// mapping, or NAME=VALUE lines as in .env files. The extension of the file's
// name decides; without a known one, a file that starts with { is JSON and
// any other has NAME=VALUE lines. A value is text, a number, true, false or
// null; a number keeps its spelling. The names are not checked: see
// [CheckVariable].
func ParseVars(name string, raw []byte) (Values, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	switch ext := filepath.Ext(name); {
	case len(raw) > MaxBody:
		return nil, fmt.Errorf("the file is larger than %d MiB", MaxBody>>20)
	case ext == ".yaml" || ext == ".yml":
		return yamlVars(raw)
	case ext == ".json" || bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")):
		return jsonVars(raw)
	}
	return envVars(string(raw))
}

func jsonVars(raw []byte) (Values, error) {
	if err := webhook.CheckJSON(raw); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v Values
	if err := d.Decode(&v); err != nil || v == nil {
		return nil, errors.New("the file must contain one object: {\"name\": value}")
	}
	for name, value := range v {
		switch value.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("%s is an object or a list: a variable has a single value", name)
		}
	}
	return v, nil
}

func yamlVars(raw []byte) (Values, error) {
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(raw)).Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	v := Values{}
	if len(document.Content) == 0 {
		return v, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: the file must contain one mapping: name: value", root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		if value.Kind != yaml.ScalarNode || name.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %s is a mapping, a list or an alias: a variable has a single value", value.Line, name.Value)
		}
		v[name.Value] = yamlValue(value)
	}
	return v, nil
}

func yamlValue(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if isJSONLiteral(n.Value) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// envVars reads NAME=VALUE lines. Names are lower-cased, # starts a comment,
// and a value may be quoted: see [envValue].
func envVars(text string) (Values, error) {
	v := Values{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !found || !isVariableName(name) {
			return nil, fmt.Errorf("line %d: not NAME=VALUE", n)
		}
		value, err := envValue(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		v[strings.ToLower(name)] = value
	}
	return v, nil
}

// envEscapes are the escapes between double quotes. Another backslash is kept.
var envEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\'}

// envValue reads the value of a line: bare, between single quotes, which keep
// everything, or between double quotes.
func envValue(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	quote := text[0]
	if quote != '\'' && quote != '"' {
		bare, _, _ := strings.Cut(text, " #")
		return strings.TrimSpace(bare), nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			if rest := strings.TrimSpace(text[i+1:]); rest != "" && rest[0] != '#' {
				return "", errors.New("text follows the closing quote")
			}
			return b.String(), nil
		case c == '\\' && quote == '"' && i+1 < len(text):
			i++
			if meant, ok := envEscapes[text[i]]; ok {
				b.WriteByte(meant)
			} else {
				b.WriteString(text[i-1 : i+1])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("the quote is not closed")
}
