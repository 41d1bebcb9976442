// Package render renders Work Market webhooks offline: a template and the
// values of its variables come in, and the HTTP request that Work Market would
// send goes out, with findings about the template, the values and the request.
//
//	func renderNote(raw []byte, note string, now time.Time) (webhook.Request, error) {
//		template, findings := render.Parse(raw) // YAML or JSON
//		if report.Count(findings).Errors > 0 {
//			return webhook.Request{}, fmt.Errorf("template: %v", findings)
//		}
//		values, err := render.Samples(template.Event)
//		if err != nil {
//			return webhook.Request{}, err
//		}
//		request, findings := template.Render(values.With("note", note), now)
//		if report.Count(findings).Errors > 0 {
//			return webhook.Request{}, fmt.Errorf("template: %v", findings)
//		}
//		return request, nil
//	}
//
// A template has an event, a method, a URL, headers and a body. URL, header
// values and body may contain variables, written ${name}. Each variable is
// replaced once: a value that contains ${another} is not expanded again. A
// value is escaped for the place where its variable is: in a URL, in a JSON
// string, in XML, in a form. Work Market does not document how it escapes
// values, so a value that needs escaping gets a warning.
//
// A finding names the line and column in the template's file. The package
// reads no file, no clock and no network.
//
// This package is experimental: its API may change.
package render
