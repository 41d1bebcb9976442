// Package render renders Work Market's webhooks offline: a template and
// variables come in, the HTTP request that Work Market would send goes out.
//
//	t, findings := render.Parse(raw)              // YAML or JSON
//	values, err := render.Samples(t.Event)        // or an event of one's own
//	request, more := t.Render(values.With("note", `she said "no"`), time.Now())
//
// A template has a URL, a method, headers and a body, and names variables as
// ${name} in all but the method. Each is replaced once: a value that holds
// ${another} stays as it is. A value is escaped by where it stands: in a URL,
// in a string of JSON, in XML, in a form. Work Market's page does not say how
// it escapes; a value that would not fit without it gets a warning.
//
// Findings name the line and column of the template's file. Nothing here reads
// a file, a clock or the network.
package render
