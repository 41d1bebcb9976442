package render

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// Values are what the variables of one event stand for: string, json.Number,
// bool, nil, time.Time, or []byte for the content of a file.
type Values map[string]any

// Attachment is a file that an event is about.
type Attachment struct {
	Name        string
	Description string
	UUID        string
	ContentType string // what it is; "" where that is not known
	Data        []byte // at most MaxAttachment
}

// Samples returns the catalog's sample values for an event.
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

// With returns a copy in which a variable stands for a value.
func (v Values) With(name string, value any) Values {
	out := maps.Clone(v)
	if out == nil {
		out = Values{}
	}
	out[name] = value
	return out
}

// Attach returns a copy with the variables of a file.
func (v Values) Attach(a Attachment) Values {
	encoded := base64.StdEncoding.EncodeToString(a.Data)
	out := v.With("file_name", a.Name)
	out["file_data_base64"], out["file_data"] = encoded, encoded
	out["file_data_binary"] = a.Data
	out["file_data_byte_length"] = json.Number(strconv.Itoa(len(a.Data)))
	if a.Description != "" {
		out["file_description"] = a.Description
	}
	if a.UUID != "" {
		out["file_uuid"] = a.UUID
	}
	if a.ContentType != "" {
		out[attachedType] = a.ContentType
	}
	return out
}

// attachedType is where the type of an attachment is kept; no variable can
// have that name.
const attachedType = "file content type"

// date reads a date and time: RFC 3339, or seconds since 1970.
func date(value any) (time.Time, bool) {
	switch v := value.(type) {
	case time.Time:
		return v, true
	case json.Number:
		seconds, err := strconv.ParseInt(v.String(), 10, 64)
		return time.Unix(seconds, 0).UTC(), err == nil
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC(), true
		}
		seconds, err := strconv.ParseInt(v, 10, 64)
		return time.Unix(seconds, 0).UTC(), err == nil
	}
	return time.Time{}, false
}

// written is a value as text, before it is escaped.
func (d Dates) written(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case time.Time:
		if d == Unix {
			return strconv.FormatInt(v.Unix(), 10)
		}
		return v.UTC().Format("2006-01-02T15:04:05Z")
	}
	return fmt.Sprint(value)
}
