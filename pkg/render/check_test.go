package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/report"
)

// template returns a template for the event Check In that has these members.
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

// findingsOf renders a template with sample values and lists the findings.
func findingsOf(t *testing.T, raw string, values Values) []string {
	t.Helper()
	parsed, findings := Parse([]byte(raw))
	if report.Count(findings).Errors == 0 {
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
		if !slices.ContainsFunc(rules, func(r report.Rule) bool { return r.ID == f.Rule }) {
			t.Errorf("the rule %q is not in the table", f.Rule)
		}
		list = append(list, fmt.Sprintf("%d:%d %s %s %s: %s", f.Line, f.Column, f.Severity, f.Rule, f.Pointer, f.Message))
	}
	return list
}

type ruleCase struct {
	name    string
	members string // of the template; they replace those of the base
	values  Values
	want    []string // the beginning of each finding
}

var ruleCases = []ruleCase{
	{"a valid template has no findings", "body: '{\"a\": \"${note}\"}'\n", nil, nil},
	{"an unknown member with the nearest", "boddy: x\n", nil, []string{`7:1 error template-schema /boddy: unknown member "boddy": did you mean "body"?`}},
	{"a member of another type", "body: {a: 1}\n", nil, []string{"6:7 error template-schema /body: "}},
	{"an unknown event with the nearest", "event: Chek In\n", nil, []string{`6:8 error template-event /event: unknown event of Work Market "Chek In": did you mean "check_in"?`}},
	{"an event as Work Market writes it", "event: Check In\n", nil, nil},
	{"a variable that is not closed", "body: '{\"a\": \"${note\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${ is not closed"}},
	{"a variable in another", "body: '{\"a\": \"${no${te}}\"}'\n", nil, []string{"6:15 error variable-syntax /body: a variable cannot contain another", `6:19 error variable-unknown /body: unknown variable ${te}`}},
	{"a variable without a name", "body: '{\"a\": \"${}\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${} has no name"}},
	{"space in a variable", "body: '{\"a\": \"${ note }\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${ note } has space around the name: write ${note}"}},
	{"an invalid name", "body: '{\"a\": \"${no-te}\"}'\n", nil, []string{"6:15 error variable-syntax /body: ${no-te} is not a variable"}},
	{"a doubled dollar", "body: '{\"a\": \"$${note}\"}'\n", nil, []string{"6:16 warning variable-escape /body: Work Market documents no escape: the $ stays"}},
	{"a backslash before a variable", "headers: {Content-Type: text/plain}\nbody: a\\${note}\n", nil, []string{`6:9 warning variable-escape /body: Work Market documents no escape: the \ stays`}},
	{"an unknown variable with the nearest", "body: '{\"a\": \"${nots}\"}'\n", nil, []string{"6:15 error variable-unknown /body: unknown variable ${nots}: did you mean ${note}?"}},
	{"a variable that the event does not have", "body: '{\"a\": \"${resource_email}\"}'\n", nil, []string{"6:15 error variable-event /body: the event Check In has no ${resource_email}: Accepted has it"}},
	{"a custom field", "body: '{\"a\": \"${custom_field_1}${customfield22}\"}'\n", nil, nil},
	{"a custom field by name", "body: '{\"a\": \"${custom_field_abc}\"}'\n", nil, []string{"6:15 error variable-unknown /body: ${custom_field_abc} is not a custom field"}},
	{"a deprecated variable", "event: attachment_added\nbody: '{\"a\": \"${file_data}\"}'\n", nil, []string{"6:15 warning variable-deprecated /body: ${file_data} is deprecated: use ${file_data_base64}"}},
	{"no Content-Type", "headers: {X-A: b}\n", nil, []string{"6:10 error content-type /headers: Content-Type is missing"}},
	{"two Content-Types", "headers:\n  Content-Type: application/json\n  content-type: text/xml\n", nil, []string{"8:17 error content-type /headers/content-type: Content-Type is set twice"}},
	{"a body of another type", "headers: {Content-Type: text/xml}\n", nil, []string{"5:8 error content-type /body: the body looks like JSON, but Content-Type is text/xml"}},
	{"no type at all", "headers: {Content-Type: json}\n", nil, []string{`6:25 error content-type /headers/Content-Type: Content-Type "json" is not a media type`}},
	{"a POST without a body", "body: ''\n", nil, []string{"5:25 error content-type /headers/Content-Type: there is no body"}},
	{"another method", "method: FETCH\n", nil, []string{`6:9 error method /method: the method "FETCH" is not one of GET, POST, PUT, PATCH, DELETE`}},
	{"a method in lower case", "method: post\n", nil, nil},
	{"a GET with a body", "method: GET\n", nil, []string{"5:8 warning method-body /body: a GET with a body"}},
	{"a relative URL", "url: /hooks\n", nil, []string{`6:6 error url /url: the URL renders to "/hooks": it must begin with https://`}},
	{"a URL with a space", "url: https://example.com/a b\n", nil, []string{"6:6 error url /url: the URL renders to"}},
	{"plain http", "url: http://example.com/\n", nil, []string{"6:6 warning url-plain /url: the URL is http"}},
	{"plain http on this machine", "url: http://127.0.0.1:8080/\n", nil, nil},
	{"a variable for a host", "url: https://${project_name}.example.com/\n", Values{"project_name": "p1"}, []string{"6:14 warning url-host /url: ${project_name} decides which host"}},
	{"a value that ends the host", "url: https://${project_name}.example.com/\n", Values{"project_name": "evil.com/"}, []string{"6:14 error value /url: ${project_name}: the value is part of the host"}},
	{"a value with a line break in a header", "headers: {Content-Type: application/json, X-Note: '${note}'}\n", Values{"note": "a\r\nb"}, []string{"6:52 warning variable-header /headers/X-Note: ", "6:52 error value /headers/X-Note: ${note}: a header is one line"}},
	{"a variable in a header", "headers: {Content-Type: application/json, X-Job: '${assignment_id}'}\n", nil, []string{"6:51 warning variable-header /headers/X-Job: ${assignment_id} is in a header: Work Market documents"}},
	{"a header's name", "headers: {Content-Type: application/json, 'X Note': a}\n", nil, []string{`6:53 error header /headers/X Note: "X Note" is not a valid header name`}},
	{"a text without quotes", "body: '{\"a\": ${note}}'\n", nil, []string{"6:14 error value /body: ${note}: the value is text: put quotes around"}},
	{"nothing without quotes", "body: '{\"a\": ${note}}'\n", Values{"note": ""}, []string{"6:14 error value /body: ${note}: the value is empty"}},
	{"a number without quotes", "body: '{\"a\": ${hours_worked}}'\n", nil, nil},
	{"a value that would break the JSON", "body: '{\"a\": \"${note}\"}'\n", Values{"note": `she said "no"`}, []string{"6:15 warning value-unescaped /body: ${note}: unescaped, its value would break this JSON"}},
	{"bytes within JSON", "event: attachment_added\nbody: '{\"a\": \"${file_data_binary}\"}'\n", nil, []string{"6:15 error variable-place /body: ${file_data_binary} is binary"}},
	{"a value that is not UTF-8", "body: '{\"a\": \"${note}\"}'\n", Values{"note": "\xff"}, []string{"6:15 error value /body: ${note}: the value is not UTF-8, which JSON requires"}},
	{"JSON that does not parse", "body: |\n  {\n    \"a\": \"${note}\",\n    \"b\": 1,\n  }\n", nil, []string{"10:3 error body-syntax /body: the body is not JSON: "}},
	{"XML that does not parse", "headers: {Content-Type: text/xml}\nbody: |\n  <a>\n    <b>${note}</c>\n  </a>\n", nil, []string{"8:19 error body-syntax /body: the body is not XML: element <b> closed by </c>"}},
	{"XML with two roots", "headers: {Content-Type: text/xml}\nbody: <a/><b/>\n", nil, []string{"6:11 error body-syntax /body: the body is not XML: there is a second root element"}},
	{"text around the XML", "headers: {Content-Type: text/xml}\nbody: <a/> and\n", nil, []string{"6:11 error body-syntax /body: the body is not XML: there is text outside"}},
	{"a variable in a tag", "headers: {Content-Type: text/xml}\nbody: <a ${note}='1'/>\n", nil, []string{"6:10 error variable-place /body: ${note}: a variable may be in the text"}},
	{"a variable in a comment", "headers: {Content-Type: text/xml}\nbody: <a><!-- ${note} --></a>\n", nil, []string{"6:15 error variable-place /body: ${note}: nobody receives a variable in a comment"}},
	{"a control character in XML", "headers: {Content-Type: text/xml}\nbody: <a>${note}</a>\n", Values{"note": "\x01"}, []string{"6:10 error value /body: ${note}: the value contains a control character"}},
	{"a form with a bad escape", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: a=%zz\n", nil, []string{`6:7 error body-syntax /body: the body is not a form: invalid URL escape "%zz"`}},
	{"a form that ends in a newline", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: |\n  a=${note}\n", nil, []string{"7:12 warning form-newline /body: the newline at the end becomes part of the last field"}},
	{"a form over lines", "headers: {Content-Type: application/x-www-form-urlencoded}\nbody: |-\n  a=1\n  &b=2\n", nil, []string{"7:6 error body-syntax /body: the body is not a form: a form is one line"}},
	{"a value that breaks the JSON", "body: '{\"a\": 0${hours_worked}}'\n", nil, []string{"6:15 error body-syntax /body: the body is not JSON: '0' where a comma or } is expected, in the value of ${hours_worked}"}},
	{"XML text around a variable", "headers: {Content-Type: text/xml}\nbody: <a>x < y</a>\n", nil, []string{"6:13 error body-syntax /body: the body is not XML: "}},
	{"variables in attributes", "headers: {Content-Type: text/xml}\nbody: <a b='1' c=\"2\" d='${note}' e=\"${note}\">${note}</a>\n", nil, nil},
	{"a variable after attributes", "headers: {Content-Type: text/xml}\nbody: <a b='1' c=\"2\" ${note}/>\n", nil, []string{"6:22 error variable-place /body: ${note}: a variable may be in the text"}},
	{"an apostrophe where it breaks nothing", "headers: {Content-Type: text/xml}\nbody: <a b=\"${note}\">${note}</a>\n", Values{"note": "it's"}, nil},
	{"an apostrophe in single quotes", "headers: {Content-Type: text/xml}\nbody: <a b='${note}'/>\n", Values{"note": "it's"}, []string{"6:13 warning value-unescaped /body: ${note}: unescaped, its value would break this XML"}},
	{"a variable in CDATA", "headers: {Content-Type: text/xml}\nbody: <a><![CDATA[x ${note}]]></a>\n", Values{"note": "a<b"}, nil},
	{"a variable after CDATA", "headers: {Content-Type: text/xml}\nbody: <a><![CDATA[x]]>${note}</a>\n", Values{"note": "a<b"}, []string{"6:23 warning value-unescaped /body: ${note}: unescaped, its value would break this XML"}},
	{"the end of CDATA in a value", "headers: {Content-Type: text/xml}\nbody: <a><![CDATA[${note}]]></a>\n", Values{"note": "]]>"}, []string{"6:19 warning value-unescaped /body: ${note}: unescaped, its value would break this XML"}},
	{"a variable in a processing instruction", "headers: {Content-Type: text/xml}\nbody: <?x ${note}?><a/>\n", nil, []string{"6:11 error variable-place /body: ${note}: a variable may be in the text"}},
	{"a variable after a comment", "headers: {Content-Type: text/xml}\nbody: <?x y?><!-- z --><a>${note}</a>\n", nil, nil},
	{"a variable within XML text", "headers: {Content-Type: text/xml}\nbody: <a b='c'>x ${note} y</a>\n", nil, nil},
	{"a value that would change the URL", "url: https://example.com/${project_name}\n", Values{"project_name": "a/b"}, []string{"6:26 warning value-unescaped /url: ${project_name}: unescaped, its value would change the URL"}},
	{"a value that is not ASCII in the URL", "url: https://example.com/${project_name}\n", Values{"project_name": "é"}, []string{"6:26 warning value-unescaped /url: ${project_name}: unescaped, its value would change the URL"}},
	{"a value that fits the URL", "url: https://example.com/${project_name}\n", Values{"project_name": "a-b.c_d~1"}, nil},
	{"two documents", "body: '{}'\n---\na: 1\n", nil, []string{"7:1 error template-syntax : the file contains more than one document"}},
	{"an anchor", "body: &a '{}'\n", nil, []string{"6:7 error template-syntax /body: anchors and aliases are not supported"}},
	{"an alias", "name: &a n\nbody: *a\n", nil, []string{"5:7 error template-syntax /name: anchors and aliases"}},
	{"a merge key", "<<: {a: 1}\n", nil, []string{"7:1 error template-syntax "}},
	{"a member twice", "name: a\nname: b\n", nil, []string{"7:1 error template-schema /name: "}},
	{"YAML that does not parse", "body: 'a\n", nil, []string{"6:1 error template-syntax : not YAML: "}},
	{"deep nesting", "headers: " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "\n", nil, []string{"6:42 error limit /headers"}},
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range ruleCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := findingsOf(t, template(c.members), c.values)
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("found\n%s\nwant\n%s\nin\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"), template(c.members))
			}
		})
	}
}

func TestEventList(t *testing.T) {
	t.Parallel()
	titles := strings.Split("A B C D E F G H I J", " ")
	for n, want := range map[int]string{
		1: "A has it", 2: "A and B have it", 8: "A, B, C, D, E, F, G and H have it", 10: "A, B, C, D, E, F, G, H and 2 others have it",
	} {
		if got := eventList(titles[:n]); got != want {
			t.Errorf("haveIt of %d events: %q, want %q", n, got, want)
		}
	}
}

// TestRulesTable compares the table of rules with the cases above.
func TestRulesTable(t *testing.T) {
	t.Parallel()
	found := map[string]bool{
		"attachment-type": true, // see TestValuesAttach
	}
	for _, c := range ruleCases {
		for _, want := range c.want {
			found[strings.Fields(want)[2]] = true
		}
	}
	ids := map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] || r.Help == "" {
			t.Errorf("the rule %q is listed twice, or has no help", r.ID)
		}
		if ids[r.ID] = true; !found[r.ID] {
			t.Errorf("no case breaks the rule %s", r.ID)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		want      []string // the beginning of each finding
	}{
		{"an empty file", "", []string{"1:1 error template-syntax : the template is empty"}},
		{"a comment", "# nothing\n", []string{"1:1 error template-syntax : "}},
		{"a binary file", "a: \xff\n", []string{"1:4 error template-syntax : the template is not UTF-8"}},
		{"a large file", strings.Repeat("a", MaxTemplate+1), []string{"1:1 error limit : the template is larger than 1048576 bytes"}},
		{"a list", "- a\n", []string{"1:1 error template-schema : "}},
		{"invalid JSON", "{\"event\": }", []string{"1:11 error template-syntax : not JSON: "}},
		{"missing members", "event: Paid\n", []string{"1:1 error template-schema : ", "1:1 error template-schema : ", "1:1 error template-schema : headers is missing: Content-Type is required"}},
		{"aliases that multiply", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
			[]string{"1:4 error template-syntax /a: anchors and aliases are not supported"}},
		{"positions in JSON", "{\n\t\"event\": \"check_in\", \"method\": \"POST\", \"url\": \"https://example.com/${nots}\",\n" +
			"\t\"headers\": {\"Content-Type\": \"text/plain\", \"X-A\": \"\\u00e9${nots}\"},\n\t\"body\": \"é\\n\\\"${nots}\"\n}",
			[]string{"2:69 ", "3:58 ", "4:16 "}},
		{"a byte order mark and CRLF", "\ufeff" + strings.ReplaceAll(template("body: |\n  {\n    \"a\": \"${nots}\"\n  }\n"), "\n", "\r\n"),
			[]string{"8:11 error variable-unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := findingsOf(t, c.raw, nil); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestLooksLikeTemplate(t *testing.T) {
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

func TestURLProblem_quotes_no_part_of_a_password(t *testing.T) {
	for _, url := range []string{"https://user:hun/ter2@example.com/", "https://user:hun%zzter2@example.com/", "https://example.com/%zz?token=hunter2"} {
		if problem := urlProblem(url); !strings.Contains(problem, "cannot be parsed") || strings.Contains(problem, "hun") {
			t.Errorf("%s: %s", url, problem)
		}
	}
}

func TestURLProblem_in_plain_words(t *testing.T) {
	for url, want := range map[string]string{
		"127.0.0.1:80": "it must begin with https://", "https://x.example/%zz": `"%zz" is not an escaped character`, "https://[": "its host is not a name",
		"https://x.example:y": "its port is not a number", "https://x.example/": "",
	} {
		if problem := urlProblem(url); !strings.HasPrefix(problem, want) || want == "" && problem != "" {
			t.Errorf("%s: %q, want %q", url, problem, want)
		}
	}
}
