package diagnose

import "github.com/wskdev/wsk/pkg/webhook"

// Case is a refused request and what the receiver knows.
type Case struct {
	Scheme    webhook.Scheme   // the scheme that was expected; the zero Scheme is the default one
	Message   webhook.Message  // body as received, timestamp, id, URL
	Signature string           // the signature header's value as presented, "" when missing
	Header    webhook.Header   // all headers as received; may be nil
	Secrets   []webhook.Secret // those that are valid now
	Previous  []webhook.Secret // those that are no longer valid, if known
}

// Finding is one explanation.
type Finding struct {
	ID      string   // stable, for programs: "body.newline_added"; [Causes] lists them
	Summary string   // one sentence: what happened, without a trailing period
	Fix     string   // one sentence: how to mend it, without a trailing period
	Certain bool     // true: a recomputed digest equals the presented one, or begins with it where that is cut short; false: a guess from a shape or a header's name
	IDs     []string // every cause where there is more than one, ID the first; nil where ID is the only one
}

// Explain returns the best explanation. It reports false when none of the
// known ways leads to the presented signature, and when the signature is right.
//
// The work is bounded: at most 4,000 digests over at most 1.5 GiB, so that a
// payload of some kilobytes takes milliseconds and one of 100 MB a few
// seconds. Bodies past 256 KiB are not tried in pairs, those past 8 MiB are
// not rewritten.
func Explain(c Case) (Finding, bool) {
	h, found := explain(c, newBudget())
	if !found {
		return Finding{}, false
	}
	return h.finding(), true
}

// explain is Explain with the computation that led there, for the tests.
func explain(c Case, left *budget) (*hit, bool) {
	if !c.complete() {
		return nil, false
	}
	h := c.cause(left)
	return h, h != nil && len(h.steps) > 0
}

func (c *Case) cause(left *budget) *hit {
	if c.Signature == "" {
		return explainMissing(c, left)
	}
	presented := readings(&c.Scheme, c.Signature)
	if h := newSearch(c, presented, left).run(); h != nil {
		return h
	}
	if h := otherSender(c, left); h != nil && h.certain {
		return h
	}
	return guess(c, presented)
}

// explainMissing looks for the signature under other names.
func explainMissing(c *Case, left *budget) *hit {
	sender := otherSender(c, left)
	if sender != nil && sender.certain {
		return sender
	}
	if h := newSearch(c, misnamed(c), left).run(); h != nil {
		return h
	}
	return sender
}

// complete fills in from the headers what the case leaves open, and reports whether there is
// anything to work on.
func (c *Case) complete() bool {
	if c.Scheme.IsZero() {
		c.Scheme = webhook.SchemeFor(webhook.WorkSkedge)
	}
	scheme := c.Scheme
	if c.Signature == "" {
		c.Signature = c.Header.Get(scheme.SignatureHeader())
	}
	if c.Message.Timestamp == "" && scheme.TimestampHeader() != "" {
		c.Message.Timestamp = c.Header.Get(scheme.TimestampHeader())
	}
	for _, name := range []string{scheme.IDHeader(), webhook.HeaderID} {
		if c.Message.ID == "" && name != "" {
			c.Message.ID = c.Header.Get(name)
		}
	}
	c.Secrets, c.Previous = given(c.Secrets), given(c.Previous)
	return true
}

// given leaves out secrets that are none.
func given(secrets []webhook.Secret) []webhook.Secret {
	var list []webhook.Secret
	for _, s := range secrets {
		if !s.IsZero() {
			list = append(list, s)
		}
	}
	return list
}
