package diagnose

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// sender is a service known by its signature header, and its rule.
type sender struct {
	id, name, header string
	signs            string // {t}, {id}, {url}, {form} and, at the end, {body}
	stamp, idHeader  string // headers of {t} and {id}; "t=" is a part of the signature header
	hash             string
	decodes          bool   // the key is base64 behind whsec_
	rule             string // for people
	scheme           string // how wsk names the rule, "" when it does not
}

// senders lists them, each by its own documentation on webhook signatures.
func senders() []sender {
	return []sender{
		{id: "sender.workskedge", name: "WorkSkedge", header: webhook.HeaderSignature, signs: "{t}.{body}", stamp: webhook.HeaderTimestamp, hash: "SHA-256",
			rule: "hex HMAC-SHA256 of <timestamp>.<body>", scheme: "--scheme timestamp.body"},
		{id: "sender.worksome", name: "Worksome", header: "Signature", signs: "{body}", hash: "SHA-256",
			rule: "hex HMAC-SHA256 of the body", scheme: "--scheme body --platform worksome"},
		{id: "sender.standard_webhooks", name: "Standard Webhooks", header: "webhook-signature", signs: "{id}.{t}.{body}", stamp: "webhook-timestamp", idHeader: "webhook-id", hash: "SHA-256", decodes: true,
			rule: "v1, and base64 HMAC-SHA256 of <id>.<timestamp>.<body>", scheme: "--scheme standard-webhooks"},
		{id: "sender.svix", name: "Svix", header: "svix-signature", signs: "{id}.{t}.{body}", stamp: "svix-timestamp", idHeader: "svix-id", hash: "SHA-256", decodes: true,
			rule: "v1, and base64 HMAC-SHA256 of <id>.<timestamp>.<body>", scheme: "--scheme standard-webhooks, with the svix- headers under their webhook- names"},
		{id: "sender.square", name: "Square", header: "x-square-hmacsha256-signature", signs: "{url}{body}", hash: "SHA-256",
			rule: "base64 HMAC-SHA256 of the notification URL and the body", scheme: "--scheme square"},
		{id: "sender.quickbooks", name: "Intuit", header: "intuit-signature", signs: "{body}", hash: "SHA-256",
			rule: "base64 HMAC-SHA256 of the body with the verifier token", scheme: "--scheme quickbooks"},
		{id: "sender.stripe", name: "Stripe", header: "Stripe-Signature", signs: "{t}.{body}", stamp: "t=", hash: "SHA-256",
			rule: "t=<timestamp>,v1=<hex HMAC-SHA256 of <timestamp>.<body>>"},
		{id: "sender.github", name: "GitHub", header: "X-Hub-Signature-256", signs: "{body}", hash: "SHA-256",
			rule: "sha256= and hex HMAC-SHA256 of the body"},
		{id: "sender.github_sha1", name: "GitHub", header: "X-Hub-Signature", signs: "{body}", hash: "SHA-1",
			rule: "sha1= and hex HMAC-SHA1 of the body"},
		{id: "sender.slack", name: "Slack", header: "X-Slack-Signature", signs: "v0:{t}:{body}", stamp: "X-Slack-Request-Timestamp", hash: "SHA-256",
			rule: "v0= and hex HMAC-SHA256 of v0:<timestamp>:<body>"},
		{id: "sender.shopify", name: "Shopify", header: "X-Shopify-Hmac-Sha256", signs: "{body}", hash: "SHA-256",
			rule: "base64 HMAC-SHA256 of the body"},
		{id: "sender.twilio", name: "Twilio", header: "X-Twilio-Signature", signs: "{url}{form}", hash: "SHA-1",
			rule: "base64 HMAC-SHA1 of the URL and the sorted form fields"},
	}
}

// otherSender looks for the header of a sender other than the expected one,
// and tries its rule.
func otherSender(c *Case, left *budget) *hit {
	var first *hit
	known := senders()
	for i := range known {
		s := &known[i]
		if strings.EqualFold(s.header, c.Scheme.SignatureHeader()) || !c.Header.Has(s.header) {
			continue
		}
		if h := s.verify(c, left); h != nil {
			return h
		}
		if first == nil {
			first = &hit{steps: because(s.id, "the secrets here do not fit its rule")}
		}
	}
	return first
}

func (s *sender) verify(c *Case, left *budget) *hit {
	presented := readings(&webhook.Scheme{}, c.Header.Get(s.header))
	for _, f := range hashes() {
		if f.name != s.hash || !sized(presented, f.size) {
			continue
		}
		parts := s.content(c, presented[len(presented)-1].stamp)
		for _, secret := range slices.Concat(c.Secrets, c.Previous) {
			key := s.key(secret)
			if len(key) == 0 || !left.spend(parts) {
				continue
			}
			digest := f.hmac(key)(parts)
			for i := range presented {
				if r := &presented[i]; r.cut == "" && r.is(digest) {
					return &hit{
						steps: because(s.id, "the secret and its rule fit"), certain: true,
						digest: digest, hash: s.hash, key: key, parts: parts,
					}
				}
			}
		}
	}
	return nil
}

func (s *sender) key(secret webhook.Secret) []byte {
	if s.decodes {
		return unbase64(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	}
	return []byte(secret.Reveal())
}

// content is what the sender signs. The body is never copied.
func (s *sender) content(c *Case, beside string) [][]byte {
	stamp := c.Header.Get(s.stamp)
	if s.stamp == "t=" {
		stamp = beside
	}
	template, withBody := strings.CutSuffix(s.signs, "{body}")
	form := ""
	if strings.Contains(template, "{form}") && !strings.Contains(c.Header.Get("Content-Type"), "json") {
		form = formFields(c.Message.Body)
	}
	before := strings.NewReplacer("{t}", stamp, "{id}", c.Header.Get(s.idHeader), "{url}", c.Message.URL, "{form}", form).Replace(template)
	if !withBody {
		return [][]byte{[]byte(before)}
	}
	return [][]byte{[]byte(before), c.Message.Body}
}

// formFields joins names and values in the order of the names, as Twilio
// signs them. A body that is no form has none.
func formFields(body []byte) string {
	if len(body) > maxPairBody {
		return ""
	}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	var out strings.Builder
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range fields[name] {
			out.WriteString(name + value)
		}
	}
	return out.String()
}

func (s *sender) whose() string {
	if strings.HasSuffix(s.name, "s") {
		return s.name + "'"
	}
	return s.name + "'s"
}

func senderCauses() []Cause {
	var list []Cause
	known := senders()
	for i := range known {
		s := &known[i]
		fix := "verify these requests where " + s.whose() + " rule is known, " + s.rule + ": wsk has no scheme for it"
		if s.scheme != "" {
			fix = "verify with " + s.scheme + ": " + s.rule
		}
		list = append(list, Cause{s.id, "the signature header is " + s.whose() + ", " + s.header + ", not the scheme's", fix})
	}
	return list
}
