package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// template writes a template of a check-in around some members.
func template(members string) string {
	base := map[string]string{
		"name": "n", "event": "check_in", "method": "POST", "url": "https://example.com/", "headers": "{Content-Type: application/json}", "body": `'{}'`,
	}
	var b strings.Builder
	for _, name := range []string{"name", "event", "method", "url", "headers", "body"} {
		if !strings.HasPrefix(members, name+":") && !strings.Contains(members, "\n"+name+":") {
			fmt.Fprintf(&b, "%s: %s\n", name, base[name])
		}
	}
	return b.String() + members
}

// said renders a template with the samples and lists what is said of it, each
// as line:column rule, without what a line of the base has moved it by.
func said(t *testing.T, raw string, values Values) []string {
	t.Helper()
	parsed, findings := Parse([]byte(raw))
	if Errors(findings) == 0 {
		samples, err := Samples(parsed.Event)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range values {
			samples = samples.With(name, value)
		}
		_, more := parsed.Render(samples, at())
		findings = append(findings, more...)
	}
	var list []string
	for _, f := range findings {
		list = append(list, fmt.Sprintf("%d:%d %s %s %s: %s", f.Line, f.Column, f.Severity, f.Rule, f.Pointer, f.Message))
	}
	return list
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		members string // of the template; body and the like replace those of the base
		values  Values
		want    []string // the beginning of each finding
	}{
		{"what is right says nothing", "body: '{\"a\": \"${note}\"}'\n", nil, nil},
		{"an unknown member with the nearest", "boddy: x\n", nil, []string{`7:1 error template-schema /boddy: unknown member "boddy": did you mean "body"?`}},
		{"a member of another type", "body: {a: 1}\n", nil, []string{"6:7 error template-schema /body: "}},
		{"an unknown event with the nearest", "event: Chek In\n", nil, []string{`6:8 error template-event /event: unknown event of Work Market "Chek In": did you mean "check_in"?`}},
		{"an event as the page writes it", "event: Check In\n", nil, nil},
		{"a variable that is not closed", "body: '{\"a\": \"${note\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${ is not closed"}},
		{"a variable in another", "body: '{\"a\": \"${no${te}}\"}'\n", nil, []string{"6:15 error variable-syntax /body: a variable cannot stand in another", `6:19 error variable-unknown /body: unknown variable ${te}`}},
		{"a variable without a name", "body: '{\"a\": \"${}\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${} names no variable"}},
		{"space in a variable", "body: '{\"a\": \"${ note }\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${ note } has space around the name: write ${note}"}},
		{"what is no name", "body: '{\"a\": \"${no-te}\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${no-te} is no name"}},
		{"a doubled dollar", "body: '{\"a\": \"$${note}\"}'\n", nil, []string{"6:16 warning variable-escape /body: Work Market documents no escape: the $ stays"}},
		{"a backslash before a variable", "headers: {Content-Type: text/plain}\nbody: a\\${note}\n", nil, []string{`6:9 warning variable-escape /body: Work Market documents no escape: the \ stays`}},
		{"an unknown variable with the nearest", "body: '{\"a\": \"${nots}\"}'\n", nil, []string{"6:15 error variable-unknown /body: unknown variable ${nots}: did you mean ${note}?"}},
		{"a variable that the event does not have", "body: '{\"a\": \"${resource_email}\"}'\n", nil, []string{"6:15 error variable-event /body: the event Check In has no ${resource_email}: Accepted has it"}},
		{"a custom field", "body: '{\"a\": \"${custom_field_1}${customfield22}\"}'\n", nil, nil},
		{"a custom field by name", "body: '{\"a\": \"${custom_field_abc}\"}'\n", nil, []string{"6:15 error variable-unknown /body: ${custom_field_abc} is no custom field"}},
		{"a deprecated variable", "event: attachment_added\nbody: '{\"a\": \"${file_data}\"}'\n", nil, []string{"6:15 warning variable-deprecated /body: ${file_data} is deprecated: use ${file_data_base64}"}},
		{"no Content-Type", "headers: {X-A: b}\n", nil, []string{"6:10 error content-type /headers: Content-Type is missing"}},
		{"two Content-Types", "headers:\n  Content-Type: application/json\n  content-type: text/xml\n", nil, []string{"8:17 error content-type /headers/content-type: Content-Type is there twice"}},
		{"a body of another type", "headers: {Content-Type: text/xml}\n", nil, []string{"5:8 error content-type /body: the body looks like JSON, and Content-Type says text/xml"}},
		{"no type at all", "headers: {Content-Type: json}\n", nil, []string{`6:25 error content-type /headers/Content-Type: Content-Type "json" is no type`}},
		{"a POST without a body", "body: ''\n", nil, []string{"5:25 error content-type /headers/Content-Type: there is no body"}},
		{"another method", "method: FETCH\n", nil, []string{`6:9 error method /method: the method "FETCH" is none of GET, POST, PUT, PATCH, DELETE`}},
		{"a method in lower case", "method: post\n", nil, nil},
		{"a GET with a body", "method: GET\n", nil, []string{"5:8 warning method-body /body: a GET with a body"}},
		{"a relative URL", "url: /hooks\n", nil, []string{`6:6 error url /url: the URL renders to "/hooks": it must begin with https://`}},
		{"a URL with a space", "url: https://example.com/a b\n", nil, []string{"6:6 error url /url: the URL renders to"}},
		{"plain http", "url: http://example.com/\n", nil, []string{"6:6 warning url-plain /url: the URL is http"}},
		{"plain http on this machine", "url: http://127.0.0.1:8080/\n", nil, nil},
		{"a variable for a host", "url: https://${project_name}.example.com/\n", Values{"project_name": "p1"}, []string{"6:14 warning url-host /url: ${project_name} chooses the host"}},
		{"a value that ends the host", "url: https://${project_name}.example.com/\n", Values{"project_name": "evil.com/"}, []string{"6:14 error value /url: ${project_name}: the value stands in the host"}},
		{"a value with a line break in a header", "headers: {Content-Type: application/json, X-Note: '${note}'}\n", Values{"note": "a\r\nb"}, []string{"6:52 error value /headers/X-Note: ${note}: a header is one line"}},
		{"a header's name", "headers: {Content-Type: application/json, 'X Note': a}\n", nil, []string{`6:53 error header /headers/X Note: "X Note" is no name of a header`}},
		{"a text without quotes", "body: '{\"a\": ${note}}'\n", nil, []string{"6:14 error value /body: ${note}: the value is a text: write quotes around"}},
		{"nothing without quotes", "body: '{\"a\": ${note}}'\n", Values{"note": ""}, []string{"6:14 error value /body: ${note}: the value is empty"}},
		{"a number without quotes", "body: '{\"a\": ${hours_worked}}'\n", nil, nil},
		{"a value that would break the JSON", "body: '{\"a\": \"${note}\"}'\n", Values{"note": `she said "no"`}, []string{"6:15 warning value-unescaped /body: ${note}: unescaped, its value would break this JSON"}},
		{"bytes within JSON", "event: attachment_added\nbody: '{\"a\": \"${file_data_binary}\"}'\n", nil, []string{"6:15 error variable-place /body: ${file_data_binary} is bytes"}},
		{"a value that is not UTF-8", "body: '{\"a\": \"${note}\"}'\n", Values{"note": "\xff"}, []string{"6:15 error value /body: ${note}: the value is not UTF-8 text"}},
		{"JSON that does not parse", "body: |\n  {\n    \"a\": \"${note}\",\n    \"b\": 1,\n  }\n", nil, []string{"10:3 error body-syntax /body: the body is not JSON: "}},
		{"XML that does not parse", "headers: {Content-Type: text/xml}\nbody: |\n  <a>\n    <b>${note}</c>\n  </a>\n", nil, []string{"8:19 error body-syntax /body: the body is not XML: element <b> closed by </c>"}},
		{"XML with two roots", "headers: {Content-Type: text/xml}\nbody: <a/><b/>\n", nil, []string{"6:11 error body-syntax /body: the body is not XML: there is a second element"}},
		{"text around the XML", "headers: {Content-Type: text/xml}\nbody: <a/> and\n", nil, []string{"6:11 error body-syntax /body: the body is not XML: there is text outside"}},
		{"a variable in a tag", "headers: {Content-Type: text/xml}\nbody: <a ${note}='1'/>\n", nil, []string{"6:10 error variable-place /body: ${note}: a variable can stand in the text"}},
		{"a variable in a comment", "headers: {Content-Type: text/xml}\nbody: <a><!-- ${note} --></a>\n", nil, []string{"6:15 error variable-place /body: ${note}: a variable in a comment"}},
		{"a control character in XML", "headers: {Content-Type: text/xml}\nbody: <a>${note}</a>\n", Values{"note": "\x01"}, []string{"6:10 error value /body: ${note}: the value holds a control character"}},
		{"a form with a bad escape", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: a=%zz\n", nil, []string{`6:7 error body-syntax /body: the body is not a form: invalid URL escape "%zz"`}},
		{"a form that ends in a newline", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: |\n  a=${note}\n", nil, []string{"7:12 warning form-newline /body: the newline at the end belongs to the last field"}},
		{"a form over lines", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: |-\n  a=1\n  &b=2\n", nil, []string{"7:6 error body-syntax /body: the body is not a form: a form is one line"}},
		{"two documents", "body: '{}'\n---\na: 1\n", nil, []string{"7:1 error template-syntax : the file holds more than one document"}},
		{"an anchor", "body: &a '{}'\n", nil, []string{"6:7 error template-syntax /body: anchors and aliases are not taken"}},
		{"an alias", "name: &a n\nbody: *a\n", nil, []string{"5:7 error template-syntax /name: anchors and aliases"}},
		{"a merge key", "<<: {a: 1}\n", nil, []string{"7:1 error template-syntax "}},
		{"a member twice", "name: a\nname: b\n", nil, []string{"7:1 error template-schema /name: "}},
		{"YAML that does not parse", "body: 'a\n", nil, []string{"6:1 error template-syntax : not YAML: "}},
		{"deep nesting", "headers: " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "\n", nil, []string{"6:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := said(t, template(c.members), c.values)
			if len(got) != len(c.want) {
				t.Fatalf("said %d things, want %d:\n%s\nof\n%s", len(got), len(c.want), strings.Join(got, "\n"), template(c.members))
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("said\n%s\nwant\n%s\nof\n%s", got[i], c.want[i], template(c.members))
				}
			}
		})
	}
}

// TestEveryRuleIsKnown holds the table of rules against what is reported.
func TestEveryRuleIsKnown(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, r := range Rules() {
		if slices.Contains(ids, r.ID) || r.Help == "" {
			t.Errorf("the rule %q is there twice, or says nothing", r.ID)
		}
		ids = append(ids, r.ID)
	}
}

func TestPlacesInJSONAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	raw := "{\n\t\"event\": \"check_in\", \"method\": \"POST\", \"url\": \"https://example.com/${nots}\",\n" +
		"\t\"headers\": {\"Content-Type\": \"text/plain\", \"X-A\": \"\\u00e9${nots}\"},\n\t\"body\": \"é\\n\\\"${nots}\"\n}"
	got := said(t, raw, nil)
	want := []string{"2:69 ", "3:58 ", "4:16 "}
	for i := range want {
		if len(got) != len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("said\n%s\nwant places %v", strings.Join(got, "\n"), want)
		}
	}
}

func TestFilesThatAreNoTemplateAreSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, want string }{
		"empty":       {"", "1:1 error template-syntax : the template is empty"},
		"a comment":   {"# nothing\n", "1:1 error template-syntax : "},
		"binary":      {"a: \xff\n", "1:4 error template-syntax : the template is not UTF-8"},
		"large":       {strings.Repeat("a", MaxTemplate+1), "1:1 error limit : the template is larger than 1048576 bytes"},
		"a list":      {"- a\n", "1:1 error template-schema : "},
		"broken JSON": {"{\"event\": }", "1:11 error template-syntax : not JSON: "},
		"only a key":  {"event: Paid\n", "1:1 error template-schema : "},
		"a bomb": {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
			"1:4 error template-syntax /a: anchors and aliases are not taken"},
	} {
		got := said(t, c.raw, nil)
		if len(got) == 0 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: said %v, want %s", name, got, c.want)
		}
	}
}

func TestAByteOrderMarkAndCRLFDoNotMatter(t *testing.T) {
	t.Parallel()
	raw := "\ufeff" + strings.ReplaceAll(template("body: |\n  {\n    \"a\": \"${nots}\"\n  }\n"), "\n", "\r\n")
	if got := said(t, raw, nil); len(got) != 1 || !strings.HasPrefix(got[0], "8:11 error variable-unknown") {
		t.Errorf("said %v", got)
	}
}

func TestTemplatesAreToldFromPayloads(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		template(""): true,
		`{"event":"check_in","url":"u","method":"GET"}`:                    true,
		"event: check_in\nmethod: POST\nurl: 'u\n":                         true,
		"services:\n  a:\n    url: 'u\n":                                   false,
		`{"event":"check_in","url":"u"}`:                                   false,
		`{"event":"workorder.created","timestamp":"t","data":{"url":"u"}}`: false,
		`{"event_type":"work_order.created","data":{}}`:                    false,
		"just text": false, "": false, "\xff": false, "[1]": false,
	} {
		if got := LooksLikeTemplate([]byte(raw)); got != want {
			t.Errorf("%q: %v", raw, got)
		}
	}
}
