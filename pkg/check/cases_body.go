package check

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// validID names the case that all others stand on.
const validID = "valid"

func firstCases() []Case {
	return []Case{{
		ID: validID, Severity: Error, always: true,
		Title: "a valid event is taken",
		Why:   "What the platform sends every day must be answered with 2xx. Until it is, nothing else can be told.",
		Mend: Mend{
			Node:   "Compute crypto.createHmac('sha256', secret) over `${timestamp}.` and the raw body, in hex, and answer 200 when it matches.",
			Python: "Compare hmac.new(secret, timestamp + b'.' + request.get_data(), 'sha256').hexdigest() with the header and answer 200.",
			PHP:    "Compare hash_hmac('sha256', $timestamp . '.' . file_get_contents('php://input'), $secret) with the header and answer 200.",
			Go:     "Call webhook.Verify(r.Header, body, time.Now(), secret) with the bytes that io.ReadAll gave, and answer 200.",
		},
		judge: judgeValid,
	}}
}

// judgeValid sends the valid event as JavaScript writes JSON. A receiver that
// refuses it may verify what it wrote itself: Python writes spaces.
func judgeValid(ctx context.Context, s *session) (finding, error) {
	first, err := s.fire(ctx, s.good("a valid event", s.valid()))
	s.first = first
	if err != nil {
		return finding{}, err
	}
	if first.Verdict.Outcome == webhook.Failed {
		return finding{}, &UnreachableError{s.config.URL, first.Error}
	}
	text := taken.judged("a valid event", first)
	if text == "" {
		return finding{status: first.Response.Status}, nil
	}
	if first.Response == nil || first.Response.Status/100 != 4 {
		return decided(text, first), nil
	}
	s.spell = spaced
	second, err := s.fire(ctx, s.good("a valid event with spaces", s.valid()))
	if err == nil && second.Response != nil && second.Response.Status/100 == 2 {
		return finding{status: second.Response.Status, detail: "taken with a space behind each comma and colon only, see raw_body"}, nil
	}
	if status := first.Response.Status; status == http.StatusUnauthorized || status == http.StatusForbidden {
		text += ": is this the receiver's secret?"
	}
	return decided(text, first), err
}

func bodyCases() []Case {
	parsed := "A body that was parsed and written again has other bytes: 5000.00 becomes 5000, \\u00e9 becomes é. The signature is over the bytes that came."
	return []Case{{
		ID: "raw_body", Severity: Error, want: taken, send: rawBodies,
		Title: "the signature is checked over the bytes that came",
		Why:   parsed,
		Mend: Mend{
			Node:   "Mount express.raw({type: 'application/json'}) on the route and verify req.body as the Buffer it is; call JSON.parse after that.",
			Python: "Verify request.get_data() (Flask) or request.body (Django), and parse afterwards; never json.dumps(request.json).",
			PHP:    "Verify file_get_contents('php://input') and call json_decode afterwards; never json_encode what was decoded.",
			Go:     "Read the body once with io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)), verify those bytes, then json.Unmarshal them.",
		},
	}, {
		ID: "not_json", Severity: Error, judge: judgeNotJSON,
		Title: "a signed body that is not JSON is refused",
		Why:   "A 5xx is repeated six times over seven hours, and an exception that nobody catches stops the service for everybody.",
		Mend: Mend{
			Node:   "Put JSON.parse into try/catch and answer 400 from the catch.",
			Python: "Catch json.JSONDecodeError (or use request.get_json(silent=True)) and answer 400.",
			PHP:    "Check json_last_error() or pass JSON_THROW_ON_ERROR inside try, and answer 400.",
			Go:     "Answer http.StatusBadRequest when json.Unmarshal returns an error.",
		},
	}, {
		ID: "large_body", Severity: Error, want: takenOrTooLarge, send: largeBody,
		Title: "a body of 1 MB is taken, or refused with 413",
		Why:   "Reports with many entries are long. A receiver that breaks at its framework's limit with another answer than 413 looks broken to the platform.",
		Mend: Mend{
			Node:   "Set express.raw({limit: '1mb'}), and let its error handler pass on err.status, which is 413.",
			Python: "Set MAX_CONTENT_LENGTH (Flask) or DATA_UPLOAD_MAX_MEMORY_SIZE (Django) to 1 MiB or more.",
			PHP:    "Raise post_max_size and the web server's client_max_body_size to 1 MiB or more.",
			Go:     "Limit with http.MaxBytesReader at 1 MiB or more and answer 413 when errors.As finds *http.MaxBytesError.",
		},
	}, {
		ID: "unknown_event", Severity: Error, want: taken, send: unknownEvent,
		Title: "an event type that is not known is taken",
		Why:   "Platforms add events. A refusal of one that you do not handle counts as a failed delivery; WorkSkedge does not send it again.",
		Mend: Mend{
			Node:   "Give the switch over the event type a default that answers 200 and does nothing.",
			Python: "Let the lookup of the handler fall back to one that does nothing, and answer 200.",
			PHP:    "Give the switch or match over the event type a default that answers 200.",
			Go:     "Give the switch over the event type a default case that writes 200.",
		},
	}, {
		ID: "unknown_field", Severity: Error, want: taken, send: unknownField,
		Title: "a field that is not known is taken",
		Why:   "Platforms add fields. A receiver that refuses those stops on the day of the platform's next release.",
		Mend: Mend{
			Node:   "Let the validator pass unknown members: zod's .passthrough(), ajv without additionalProperties: false.",
			Python: "Let the model ignore what it does not know: pydantic's extra='ignore', marshmallow's EXCLUDE.",
			PHP:    "Have the deserializer ignore unknown members: Symfony's ALLOW_EXTRA_ATTRIBUTES, which is its default.",
			Go:     "Leave json.Decoder.DisallowUnknownFields out.",
		},
	}}
}

// rawBodies are bodies that come out otherwise when they are parsed and
// written again, by one language or another.
func rawBodies(s *session) []*shot {
	long := "custom_fields"
	if s.config.Platform == webhook.Worksome {
		long = "customFieldValues"
	}
	// held puts raw JSON where a company's own fields are.
	held := func(what, raw string) *shot {
		body := s.body(func(_, data map[string]any) {
			if s.config.Platform == webhook.Worksome {
				data[long] = []any{map[string]any{"id": "1", "slug": "note", "customFieldTitle": "Note", "displayValue": "@@"}}
			} else {
				data[long] = map[string]any{"note": "@@"}
			}
		})
		return s.good(what, bytes.Replace(s.spell(body), []byte(`"@@"`), []byte(raw), 1))
	}
	plain := s.body(nil)
	var indented bytes.Buffer
	_ = json.Indent(&indented, plain, "", "  ") // it is JSON
	shots := []*shot{
		s.good("a body without spaces", plain),
		s.good("a body with spaces", spaced(plain)),
		s.good("an indented body", indented.Bytes()),
		s.good("a newline at the end", append(s.valid(), '\n')),
		held(`\u00e9 and é`, `"caf\u00e9 é"`),
		held(`\/`, `"http:\/\/example.com\/a"`),
		s.good("names in another order", unsorted(s.valid())),
	}
	if s.config.Platform == webhook.WorkSkedge {
		cost := s.body(func(_, data map[string]any) { data["additional_labor_cost"] = "@@" })
		shots = append(shots,
			s.good("5000.00", bytes.Replace(s.spell(cost), []byte(`"@@"`), []byte("5000.00"), 1)),
			held("9007199254740993", "9007199254740993"),
			numbersForNames(s),
		)
	}
	return shots
}

// numbersForNames has custom fields whose names JavaScript would sort.
func numbersForNames(s *session) *shot {
	body := s.body(func(_, data map[string]any) { data["custom_fields"] = "@@" })
	return s.good("names that are numbers", bytes.Replace(s.spell(body), []byte(`"@@"`), []byte(`{"10":"b","2":"a"}`), 1))
}

// unsorted moves the envelope's first member to its end.
func unsorted(raw []byte) []byte {
	text := strings.TrimSpace(string(raw))
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw
	}
	first, _, _ := strings.Cut(strings.TrimLeft(text[1:], " "), ":")
	var name string
	if json.Unmarshal([]byte(first), &name) != nil {
		return raw
	}
	rest := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(text[1:], " "), first+":"), " ")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, string(members[name])), ", ")
	return []byte("{" + strings.TrimSuffix(rest, "}") + "," + first + ":" + string(members[name]) + "}")
}

func judgeNotJSON(ctx context.Context, s *session) (finding, error) {
	cut := s.valid()
	broken := s.good("a signed body that breaks off", cut[:len(cut)/2])
	r, err := s.fire(ctx, broken)
	if err != nil {
		return finding{}, err
	}
	alive, err := s.fire(ctx, s.good("a valid event after that", s.valid()))
	if err != nil {
		return finding{}, err
	}
	if text := taken.judged("a valid event after a body that is not JSON", alive); text != "" {
		return decided("it "+text, r), nil
	}
	if text := refused.judged(broken.what, r); text != "" {
		return decided(text, r), nil
	}
	return finding{status: r.Response.Status}, nil
}

// largeSize is the size of a large body, in bytes: 1 MB, under the 1 MiB that
// is the common limit.
const largeSize = 1_000_000

func largeBody(s *session) []*shot {
	note := func(n int) []byte {
		return s.spell(s.body(func(_, data map[string]any) {
			text := strings.Repeat("x", n)
			if s.config.Platform == webhook.Worksome {
				member(data, "contract")["jobDescription"] = text
			} else {
				data["custom_fields"] = map[string]any{"note": text}
			}
		}))
	}
	return []*shot{s.good("a body of 1 MB", note(largeSize-len(note(0))))}
}

func unknownEvent(s *session) []*shot {
	name, kind := "work_order.teleported", "event_type"
	if s.config.Platform == webhook.Worksome {
		name, kind = "hireTeleported", "event"
	}
	good := s.good("the event "+name, s.spell(s.body(func(envelope, _ map[string]any) { envelope[kind] = name })))
	if good.header.Has(webhook.HeaderEvent) {
		good.header = good.header.With(webhook.HeaderEvent, name)
	}
	return []*shot{good}
}

func unknownField(s *session) []*shot {
	body := s.body(func(envelope, data map[string]any) {
		envelope["schema_version"] = "2"
		data["sentiment"] = map[string]any{"score": json.Number("1"), "tags": []any{"new"}}
	})
	return []*shot{s.good("an event with new fields", s.spell(body))}
}
