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
	covers          string // as webhook.Scheme.Covers() has it; the body, if any, at the end
	timestampHeader string // "" where the timestamp is t= in the signature header
	idHeader        string
	hash            *hashFunction
	whsec           bool   // the key is base64 after whsec_
	rule            string // for people
	option          string // how wsk verifies it, "" where wsk has no scheme for it
}

// senders lists the schemes of wsk, and services by their own documentation on
// webhook signatures.
var senders = []sender{
	ofScheme("sender.workskedge", "WorkSkedge", webhook.SchemeFor(webhook.WorkSkedge), ""),
	ofScheme("sender.worksome", "Worksome", webhook.SchemeFor(webhook.Worksome), " --platform worksome"),
	ofScheme("sender.standard_webhooks", "Standard Webhooks", schemeOf(webhook.StandardWebhooks), ""),
	ofScheme("sender.square", "Square", schemeOf(webhook.Square), ""),
	ofScheme("sender.quickbooks", "Intuit", schemeOf(webhook.QuickBooks), ""),
	svix(),
	{
		cause: "sender.stripe", name: "Stripe", header: "Stripe-Signature", covers: "<timestamp>.<body>", hash: &sha256Hash,
		rule: "t=<timestamp>,v1=<hex HMAC-SHA256 of <timestamp>.<body>>",
	},
	{
		cause: "sender.github", name: "GitHub", header: "X-Hub-Signature-256", covers: "<body>", hash: &sha256Hash,
		rule: "sha256= and hex HMAC-SHA256 of <body>",
	},
	{
		cause: "sender.github_sha1", name: "GitHub", header: "X-Hub-Signature", covers: "<body>", hash: &sha1Hash,
		rule: "sha1= and hex HMAC-SHA1 of <body>",
	},
	{
		cause: "sender.slack", name: "Slack", header: "X-Slack-Signature", covers: "v0:<timestamp>:<body>", timestampHeader: "X-Slack-Request-Timestamp", hash: &sha256Hash,
		rule: "v0= and hex HMAC-SHA256 of v0:<timestamp>:<body>",
	},
	{
		cause: "sender.shopify", name: "Shopify", header: "X-Shopify-Hmac-Sha256", covers: "<body>", hash: &sha256Hash,
		rule: "base64 HMAC-SHA256 of <body>",
	},
	{
		cause: "sender.twilio", name: "Twilio", header: "X-Twilio-Signature", covers: "<notification URL><form fields>", hash: &sha1Hash,
		rule: "base64 HMAC-SHA1 of the notification URL and the sorted form fields",
	},
}

// ofScheme is a sender that signs by a scheme of wsk.
func ofScheme(cause, name string, s webhook.Scheme, option string) sender {
	rule := s.Encoding() + " HMAC-SHA256 of " + s.Covers()
	if s.Prefix() != "" {
		rule = s.Prefix() + " and " + rule
	}
	return sender{
		cause: cause, name: name, header: s.SignatureHeader(), covers: s.Covers(),
		timestampHeader: s.TimestampHeader(), idHeader: s.IDHeader(),
		hash: &sha256Hash, whsec: s.Name() == webhook.StandardWebhooks,
		rule: rule, option: "--scheme " + s.Name() + option,
	}
}

// svix is Standard Webhooks with its headers under other names.
func svix() sender {
	s := ofScheme("sender.svix", "Svix", schemeOf(webhook.StandardWebhooks), ", with the svix- headers under their webhook- names")
	s.header, s.timestampHeader, s.idHeader = "svix-signature", "svix-timestamp", "svix-id"
	return s
}

func schemeOf(name string) webhook.Scheme {
	s, err := webhook.SchemeNamed(name)
	if err != nil {
		panic(err) // the names here are constants of package webhook
	}
	return s
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
	before, coversBody := strings.CutSuffix(s.covers, "<body>")
	form := ""
	if strings.Contains(before, "<form fields>") && !strings.Contains(e.header.Get("Content-Type"), "json") {
		form = formFields(e.message.Body)
	}
	before = strings.NewReplacer("<timestamp>", timestamp, "<id>", e.header.Get(s.idHeader), "<notification URL>", e.message.URL, "<form fields>", form).Replace(before)
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
	if s.option != "" {
		c.fix = "verify with " + s.option + ": " + s.rule
	}
	return c
}
