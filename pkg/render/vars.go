package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wskdev/wsk/pkg/webhook"
)

// CheckVariable returns an *webhook.UnknownError with the nearest name unless
// some event has the variable, or it is a custom field's.
func CheckVariable(name string) error {
	k := knowledgeOf("")
	if k.any(name) || customField(name) {
		return nil
	}
	return webhook.Unknown("variable", name, k.names())
}

// ParseVars reads values of variables from a file: an object in JSON, a mapping
// in YAML, or lines NAME=VALUE as in .env files. The file's name says which by
// its end; else its first character does. Values are texts, numbers, true,
// false and null; a number keeps its spelling.
func ParseVars(name string, raw []byte) (Values, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(raw)
	switch ext := filepath.Ext(name); {
	case len(raw) > MaxBody:
		return nil, fmt.Errorf("it is larger than %d MiB", MaxBody>>20)
	case ext == ".json" || len(trimmed) > 0 && trimmed[0] == '{' && ext != ".yaml" && ext != ".yml":
		return jsonVars(raw)
	case ext == ".yaml" || ext == ".yml":
		return yamlVars(raw)
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
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("it must hold one object, {\"name\": value}")
	}
	for name, value := range v {
		switch value.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("%s is an object or a list: a variable stands for one value", name)
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
		return nil, fmt.Errorf("line %d: it must hold one mapping, name: value", root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		if value.Kind != yaml.ScalarNode || name.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %s is a mapping, a list or an alias: a variable stands for one value", value.Line, name.Value)
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
		if isBare(n.Value) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// envVars reads lines NAME=VALUE. A # begins a comment; quotes keep what is
// between them, and in double ones \n, \t, \" and \\ are read.
func envVars(text string) (Values, error) {
	v := Values{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !found || !isName(name) || name == "" {
			return nil, fmt.Errorf("line %d: it is not NAME=VALUE", n)
		}
		value, err := envValue(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		v[strings.ToLower(name)] = value
	}
	return v, nil
}

func envValue(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if quote := text[0]; quote == '\'' || quote == '"' {
		var b strings.Builder
		for i := 1; i < len(text); i++ {
			c := text[i]
			switch {
			case c == quote:
				if rest := strings.TrimSpace(text[i+1:]); rest != "" && rest[0] != '#' {
					return "", errors.New("something follows the quote that closes")
				}
				return b.String(), nil
			case c == '\\' && quote == '"' && i+1 < len(text):
				i++
				if at := strings.IndexByte(`nrt"\`, text[i]); at >= 0 {
					b.WriteByte("\n\r\t\"\\"[at])
				} else {
					b.WriteString(text[i-1 : i+1])
				}
			default:
				b.WriteByte(c)
			}
		}
		return "", errors.New("the quote is not closed")
	}
	if at := strings.Index(text, " #"); at >= 0 {
		text = strings.TrimSpace(text[:at])
	}
	return text, nil
}
