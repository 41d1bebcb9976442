package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// validCase runs first; the other cases depend on it.
var validCase = Case{
	ID: "valid", Severity: report.Error, always: true, judge: judgeValid,
	Title: "a valid event is accepted",
	Why:   "The platform sends valid events all day and expects 2xx. While the receiver refuses one, the other cases show nothing.",
	Fix: Fix{
		Node:   "Compute crypto.createHmac('sha256', secret) over `${timestamp}.` and the raw body, in hex, and respond 200 if it matches.",
		Python: "Compare hmac.new(secret, timestamp + b'.' + request.get_data(), 'sha256').hexdigest() with the header and respond 200.",
		PHP:    "Compare hash_hmac('sha256', $timestamp . '.' . file_get_contents('php://input'), $secret) with the header and respond 200.",
		Go:     "Call webhook.Verify(r.Header, body, time.Now(), secret) with the bytes from io.ReadAll, and respond 200.",
	},
}

// judgeValid sends the valid event in JavaScript's layout and, if that is
// refused, in Python's: a receiver that verifies what it has serialized itself
// accepts only its own layout, and raw_body then says so.
func judgeValid(ctx context.Context, s *session) (finding, error) {
	first, err := s.do(ctx, s.signed("a valid event", s.validBody()))
	s.first = first
	if err != nil {
		return finding{}, err
	}
	if first.Verdict.Outcome == webhook.Failed {
		return finding{}, &UnreachableError{URL: webhook.RedactURL(s.config.URL), Reason: first.Error}
	}
	problem := accepted.problem("a valid event", first)
	status := first.Status()
	switch {
	case problem == "":
		return finding{status: status}, nil
	case status/100 != 4:
		return failure(problem, first), nil
	}
	s.layout = spaced
	second, err := s.do(ctx, s.signed("a valid event with spaces", s.validBody()))
	if err != nil {
		return finding{}, err
	}
	if second.Status()/100 == 2 {
		return finding{status: second.Status(), detail: "accepted only with a space after each comma and colon: see raw_body"}, nil
	}
	switch status {
	case http.StatusNotFound, http.StatusGone:
		problem += fmt.Sprintf(": is %s the receiver's path?", pathOf(s.config.URL))
	case http.StatusMethodNotAllowed:
		problem += fmt.Sprintf(": does the receiver take POST at %s?", pathOf(s.config.URL))
	case http.StatusUnauthorized, http.StatusForbidden:
		problem += ": is this the receiver's secret?"
	}
	return failure(problem, first), nil
}

// pathOf returns the path of a URL.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Path == "" {
		return "/"
	}
	return u.EscapedPath()
}

var bodyCases = []Case{{
	ID: "raw_body", Severity: report.Error, want: accepted, send: rawBodies,
	Title: "the signature is checked over the raw body",
	Why:   "A body that was parsed and serialized again has other bytes: 5000.00 becomes 5000, \\u00e9 becomes é. The signature covers the bytes that were sent.",
	Fix: Fix{
		Node:   "Mount express.raw({type: 'application/json'}) on the route, verify req.body, which is then a Buffer, and call JSON.parse afterwards.",
		Python: "Verify request.get_data() (Flask) or request.body (Django), and parse afterwards; never verify json.dumps(request.json).",
		PHP:    "Verify file_get_contents('php://input') and call json_decode afterwards; never verify the output of json_encode.",
		Go:     "Read the body once with io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)), verify those bytes, then call json.Unmarshal.",
	},
}, {
	ID: "not_json", Severity: report.Error, judge: judgeNotJSON,
	Title: "a signed body that is not JSON is refused",
	Why:   "The platform sends an event that gets a 5xx up to six times over seven hours, and an uncaught exception can stop the service for everyone.",
	Fix: Fix{
		Node:   "Call JSON.parse in try/catch and respond 400 in the catch block.",
		Python: "Catch json.JSONDecodeError (or use request.get_json(silent=True)) and respond 400.",
		PHP:    "Check json_last_error(), or pass JSON_THROW_ON_ERROR in a try block, and respond 400.",
		Go:     "Respond with http.StatusBadRequest if json.Unmarshal returns an error.",
	},
}, {
	ID: "large_body", Severity: report.Error, want: acceptedOrTooLarge, send: largeBody,
	Title: "a body of 1 MB is accepted, or refused with 413",
	Why:   "Reports with many entries are long. A receiver that reaches its framework's limit and responds with anything but 413 looks broken to the platform.",
	Fix: Fix{
		Node:   "Set express.raw({limit: '1mb'}), and let the error handler respond with err.status, which is 413.",
		Python: "Set MAX_CONTENT_LENGTH (Flask) or DATA_UPLOAD_MAX_MEMORY_SIZE (Django) to 1 MiB or more.",
		PHP:    "Raise post_max_size, and the web server's client_max_body_size, to 1 MiB or more.",
		Go:     "Limit the body with http.MaxBytesReader to 1 MiB or more, and respond 413 if errors.As finds an *http.MaxBytesError.",
	},
}, {
	ID: "unknown_event", Severity: report.Error, want: accepted, send: unknownEvent,
	Title: "an unknown event type is accepted",
	Why:   "Platforms add events. Refusing one that you do not handle counts as a failed delivery, and WorkSkedge does not send it again.",
	Fix: Fix{
		Node:   "Add a default to the switch over the event type that does nothing and responds 200.",
		Python: "Fall back to a handler that does nothing if there is none for the event type, and respond 200.",
		PHP:    "Add a default to the switch or match over the event type that responds 200.",
		Go:     "Add a default case to the switch over the event type that responds 200.",
	},
}, {
	ID: "unknown_field", Severity: report.Error, want: accepted, send: unknownField,
	Title: "an unknown field is accepted",
	Why:   "Platforms add fields. A receiver that refuses them fails on the day of the platform's next release.",
	Fix: Fix{
		Node:   "Let the validator accept unknown members: zod's .passthrough(), or ajv without additionalProperties: false.",
		Python: "Let the model ignore unknown members: pydantic's extra='ignore', marshmallow's EXCLUDE.",
		PHP:    "Let the deserializer ignore unknown members: Symfony's ALLOW_EXTRA_ATTRIBUTES, which is its default.",
		Go:     "Do not call json.Decoder.DisallowUnknownFields.",
	},
}}

// rawBodies returns requests whose bodies one language or another changes when
// it parses and serializes them.
func rawBodies(s *session) []*request {
	plain := s.body(nil)
	var indented bytes.Buffer
	_ = json.Indent(&indented, plain, "", "  ") // it is JSON
	requests := []*request{
		s.signed("a body without spaces", plain),
		s.signed("a body with spaces", spaced(plain)),
		s.signed("an indented body", indented.Bytes()),
		s.signed("a newline at the end", append(s.validBody(), '\n')),
		s.withCustomField(`\u00e9 and é`, `"caf\u00e9 é"`),
		s.withCustomField(`\/`, `"http:\/\/example.com\/a"`),
		s.signed("names in another order", firstMemberLast(s.validBody())),
	}
	if s.config.Platform == webhook.WorkSkedge {
		requests = append(requests,
			s.withRaw("5000.00", "5000.00", func(data map[string]any, value string) { data["additional_labor_cost"] = value }),
			s.withCustomField("9007199254740993", "9007199254740993"),
			// JavaScript sorts such names.
			s.withRaw("names that are numbers", `{"10":"b","2":"a"}`, func(data map[string]any, value string) { data["custom_fields"] = value }),
		)
	}
	return requests
}

// withCustomField returns a request that has raw JSON as the value of a
// company's custom field.
func (s *session) withCustomField(name, raw string) *request {
	return s.withRaw(name, raw, func(data map[string]any, value string) {
		if s.config.Platform == webhook.Worksome {
			data["customFieldValues"] = []any{map[string]any{"id": "1", "slug": "note", "customFieldTitle": "Note", "displayValue": value}}
		} else {
			data["custom_fields"] = map[string]any{"note": value}
		}
	})
}

// withRaw returns a request that has raw JSON where set puts the value.
func (s *session) withRaw(name, raw string, set func(data map[string]any, value string)) *request {
	const placeholder = "@@"
	body := s.layout(s.body(func(_, data map[string]any) { set(data, placeholder) }))
	return s.signed(name, bytes.Replace(body, []byte(`"`+placeholder+`"`), []byte(raw), 1))
}

// firstMemberLast moves the first member of an object to its end, without
// changing how the others are written.
func firstMemberLast(raw []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	begin := bytes.IndexByte(raw, '{') + 1
	_, _ = d.Token() // {
	_, _ = d.Token() // the name
	var value json.RawMessage
	if d.Decode(&value) != nil {
		return raw
	}
	first := raw[begin:d.InputOffset()]
	rest := bytes.TrimLeft(raw[d.InputOffset():], ", ")
	rest = bytes.TrimSuffix(rest, []byte("}"))
	return bytes.Join([][]byte{[]byte("{"), rest, []byte(","), first, []byte("}")}, nil)
}

func judgeNotJSON(ctx context.Context, s *session) (finding, error) {
	body := s.validBody()
	broken := s.signed("a signed body that is cut off", body[:len(body)/2])
	r, err := s.do(ctx, broken)
	if err != nil {
		return finding{}, err
	}
	after, err := s.do(ctx, s.signed("a valid event after that", s.validBody()))
	if err != nil {
		return finding{}, err
	}
	if problem := accepted.problem("a valid event after a body that is not JSON", after); problem != "" {
		return failure("it "+problem, r), nil
	}
	if problem := refused.problem(broken.name, r); problem != "" {
		return failure(problem, r), nil
	}
	return finding{status: r.Status()}, nil
}

// largeSize is the size of a large body in bytes: 1 MB, below the common limit of
// 1 MiB.
const largeSize = 1_000_000

func largeBody(s *session) []*request {
	withNote := func(size int) []byte {
		return s.layout(s.body(func(_, data map[string]any) {
			text := strings.Repeat("x", size)
			if s.config.Platform == webhook.Worksome {
				member(data, "contract")["jobDescription"] = text
			} else {
				data["custom_fields"] = map[string]any{"note": text}
			}
		}))
	}
	return []*request{s.signed("a body of 1 MB", withNote(largeSize-len(withNote(0))))}
}

func unknownEvent(s *session) []*request {
	eventType, typeMember := "work_order.teleported", "event_type"
	if s.config.Platform == webhook.Worksome {
		eventType, typeMember = "hireTeleported", "event"
	}
	body := s.layout(s.body(func(envelope, _ map[string]any) { envelope[typeMember] = eventType }))
	r := s.signed("the event "+eventType, body)
	r.setEvent(eventType)
	return []*request{r}
}

// setEvent changes the event in the header, if the platform sends one.
func (r *request) setEvent(eventType string) {
	if r.header.Has(webhook.HeaderEvent) {
		r.header = r.header.With(webhook.HeaderEvent, eventType)
	}
}

func unknownField(s *session) []*request {
	body := s.body(func(envelope, data map[string]any) {
		envelope["schema_version"] = "2"
		data["sentiment"] = map[string]any{"score": json.Number("1"), "tags": []any{"new"}}
	})
	return []*request{s.signed("an event with new fields", s.layout(body))}
}
