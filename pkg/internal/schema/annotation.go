package schema

import (
	"strings"

	"github.com/tidwall/gjson"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// annotationShape returns what a keyword that asserts nothing must hold, or ""
// when it is none of those.
func annotationShape(key string) string {
	switch key {
	case "$schema", "$id", "$comment", "title", "description":
		return "a string"
	case "x-alias-of", "x-deprecated":
		return "a string that is not empty"
	case "x-values", "examples":
		return "a list"
	case "$defs":
		return "an object"
	case "deprecated", "readOnly", "writeOnly":
		return "a boolean"
	case "default":
		return "any value"
	}
	return ""
}

// checkAnnotation refuses a keyword that is no annotation, or holds something
// else than it should.
func checkAnnotation(key string, value gjson.Result, at place) error {
	shape := annotationShape(key)
	fits := true
	switch shape {
	case "":
		return at.error("the keyword " + key + " is not supported")
	case "a string":
		fits = value.Type == gjson.String
	case "a string that is not empty":
		fits = value.Type == gjson.String && value.String() != ""
	case "a list":
		fits = value.IsArray()
	case "an object":
		fits = value.IsObject()
	case "a boolean":
		fits = value.IsBool()
	}
	if !fits {
		return at.error("must be " + shape)
	}
	switch {
	case key == "$schema" && strings.TrimSuffix(value.String(), "#") != draft:
		return at.error("only draft 2020-12 is known, " + draft)
	case key == "$id" && at.pointer != "/$id":
		return at.error("the keyword $id is supported at the top of a file only")
	}
	return nil
}
