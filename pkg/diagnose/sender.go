package diagnose

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// sender is a service that is recognized by its signature header.
type sender struct {
	cause           string
	name            string
	header          string // that has the signature
	covers          string // what it signs: {timestamp}, {id}, {url}, {form} and, at the end, {body}
	timestampHeader string // "" where the timestamp is t= in the signature header
	idHeader        string
	hash            *hashFunction
	whsec           bool   // the key is base64 after whsec_
	rule            string // for people
	scheme          string // how wsk is told to verify it, "" where wsk has no scheme for it
}

// senders lists them, each by its own documentation on webhook signatures.
var senders = []sender{
	{cause: "sender.workskedge", name: "WorkSkedge", header: webhook.HeaderSignature, covers: "{timestamp}.{body}", timestampHeader: webhook.HeaderTimestamp, hash: &sha256Hash,
		rule: "hex HMAC-SHA256 of <timestamp>.<body>", scheme: "--scheme timestamp.body"},
	{cause: "sender.worksome", name: "Worksome", header: "Signature", covers: "{body}", hash: &sha256Hash,
		rule: "hex HMAC-SHA256 of the body", scheme: "--scheme body --platform worksome"},
	{cause: "sender.standard_webhooks", name: "Standard Webhooks", header: "webhook-signature", covers: "{id}.{timestamp}.{body}", timestampHeader: "webhook-timestamp", idHeader: "webhook-id", hash: &sha256Hash, whsec: true,
		rule: "v1, and base64 HMAC-SHA256 of <id>.<timestamp>.<body>", scheme: "--scheme standard-webhooks"},
	{cause: "sender.svix", name: "Svix", header: "svix-signature", covers: "{id}.{timestamp}.{body}", timestampHeader: "svix-timestamp", idHeader: "svix-id", hash: &sha256Hash, whsec: true,
		rule: "v1, and base64 HMAC-SHA256 of <id>.<timestamp>.<body>", scheme: "--scheme standard-webhooks, with the svix- headers under their webhook- names"},
	{cause: "sender.square", name: "Square", header: "x-square-hmacsha256-signature", covers: "{url}{body}", hash: &sha256Hash,
		rule: "base64 HMAC-SHA256 of the notification URL and the body", scheme: "--scheme square"},
	{cause: "sender.quickbooks", name: "Intuit", header: "intuit-signature", covers: "{body}", hash: &sha256Hash,
		rule: "base64 HMAC-SHA256 of the body with the verifier token", scheme: "--scheme quickbooks"},
	{cause: "sender.stripe", name: "Stripe", header: "Stripe-Signature", covers: "{timestamp}.{body}", hash: &sha256Hash,
		rule: "t=<timestamp>,v1=<hex HMAC-SHA256 of <timestamp>.<body>>"},
	{cause: "sender.github", name: "GitHub", header: "X-Hub-Signature-256", covers: "{body}", hash: &sha256Hash,
		rule: "sha256= and hex HMAC-SHA256 of the body"},
	{cause: "sender.github_sha1", name: "GitHub", header: "X-Hub-Signature", covers: "{body}", hash: &sha1Hash,
		rule: "sha1= and hex HMAC-SHA1 of the body"},
	{cause: "sender.slack", name: "Slack", header: "X-Slack-Signature", covers: "v0:{timestamp}:{body}", timestampHeader: "X-Slack-Request-Timestamp", hash: &sha256Hash,
		rule: "v0= and hex HMAC-SHA256 of v0:<timestamp>:<body>"},
	{cause: "sender.shopify", name: "Shopify", header: "X-Shopify-Hmac-Sha256", covers: "{body}", hash: &sha256Hash,
		rule: "base64 HMAC-SHA256 of the body"},
	{cause: "sender.twilio", name: "Twilio", header: "X-Twilio-Signature", covers: "{url}{form}", hash: &sha1Hash,
		rule: "base64 HMAC-SHA1 of the URL and the sorted form fields"},
}

// otherSender looks for the header of a sender other than the expected one, and
// tries its rule.
func otherSender(e *evidence, left *budget) *finding {
	var first *finding
	for i := range senders {
		s := &senders[i]
		if strings.EqualFold(s.header, e.scheme.SignatureHeader()) || !e.header.Has(s.header) {
			continue
		}
		if f := s.verify(e, left); f != nil {
			return f
		}
		if first == nil {
			first = &finding{causes: []cause{s.asCause("its rule does not give this signature under the secrets here")}}
		}
	}
	return first
}

// verify returns a finding when the sender's rule gives its signature.
func (s *sender) verify(e *evidence, left *budget) *finding {
	presented := decodings(webhook.Scheme{}, e.header.Get(s.header))
	if !s.hash.fits(presented) {
		return nil
	}
	parts := s.content(e, presented[len(presented)-1].timestamp)
	for _, secret := range slices.Concat(e.secrets, e.previous) {
		key := s.key(secret)
		if len(key) == 0 || !left.spend(parts) {
			continue
		}
		signer := &signer{hash: s.hash, key: key}
		digest := signer.sum(parts)
		if slices.ContainsFunc(presented, func(d decoding) bool { return d.truncated == "" && d.is(digest) }) {
			return &finding{
				causes: []cause{s.asCause("its rule gives this signature")}, certain: true,
				computed: &computation{signer: signer, parts: parts, digest: digest},
			}
		}
	}
	return nil
}

func (s *sender) key(secret webhook.Secret) []byte {
	if s.whsec {
		return unbase64(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	}
	return []byte(secret.Reveal())
}

// content is what the sender signs. The body is not copied.
func (s *sender) content(e *evidence, timestampInSignature string) [][]byte {
	timestamp := timestampInSignature
	if s.timestampHeader != "" {
		timestamp = e.header.Get(s.timestampHeader)
	}
	before, coversBody := strings.CutSuffix(s.covers, "{body}")
	form := ""
	if strings.Contains(before, "{form}") && !strings.Contains(e.header.Get("Content-Type"), "json") {
		form = formFields(e.message.Body)
	}
	before = strings.NewReplacer("{timestamp}", timestamp, "{id}", e.header.Get(s.idHeader), "{url}", e.message.URL, "{form}", form).Replace(before)
	if !coversBody {
		return [][]byte{[]byte(before)}
	}
	return [][]byte{[]byte(before), e.message.Body}
}

// formFields joins names and values in the order of the names, as Twilio signs
// them. A body that is not a form has none.
func formFields(body []byte) string {
	if len(body) > maxPairBody {
		return ""
	}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range fields[name] {
			out.WriteString(name + value)
		}
	}
	return out.String()
}

func (s *sender) asCause(detail string) cause {
	whose := s.name + "'s"
	if strings.HasSuffix(s.name, "s") {
		whose = s.name + "'"
	}
	c := cause{
		id: s.cause, detail: detail,
		summary: "the request has " + whose + " signature header, " + s.header + ", and not the scheme's",
		fix:     "verify these requests by " + whose + " rule, " + s.rule + ": wsk has no scheme for it",
	}
	if s.scheme != "" {
		c.fix = "verify with " + s.scheme + ": " + s.rule
	}
	return c
}
