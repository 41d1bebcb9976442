package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	testSecret = "s3cr3t/Key+2024$HOME"
	testStamp  = "1700000000"
	testID     = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"
	testURL    = "https://example.com/hooks/workskedge?tenant=7"
	testBody   = `{"event_type":"work_order.created","timestamp":"2023-11-14T22:13:19Z","source":"custom","data":{"id":"wo/1","title":"café \u00fc <b>","rate":5000.00}}`
)

// way is one way to get a signature wrong: what the sender signed, with what,
// and how it was presented. The zero value of each field is what is right.
type way struct {
	name    string
	want    []string              // the causes that must be found
	change  func(c *Case)         // changes what the receiver has
	body    string                // what the sender took for the body
	content func(c Case) string   // all that the sender signed
	key     string                // what the sender took for the secret
	noKey   bool                  // an empty one
	hash    string                // openssl's name
	plain   bool                  // a hash without a key
	write   func(d []byte) string // how the digest is written
	place   func(c *Case, signature string)
}

func (w way) build() (Case, []byte) {
	c := Case{
		Scheme:  webhook.SchemeFor(webhook.WorkSkedge),
		Message: webhook.Message{Body: []byte(testBody), Timestamp: testStamp, ID: testID, URL: testURL},
		Secrets: []webhook.Secret{secretOf(testSecret)},
	}
	if w.change != nil {
		w.change(&c)
	}
	sent := c
	if w.body != "" {
		sent.Message.Body = []byte(w.body)
	}
	if w.content != nil {
		return c, []byte(w.content(sent))
	}
	return c, sent.Scheme.Content(sent.Message)
}

func secretOf(text string) webhook.Secret {
	s, err := webhook.NewSecret(text)
	if err != nil {
		panic(err)
	}
	return s
}

// signWays has openssl make the digest of every way, one run for each key and
// hash.
func signWays(t testing.TB, ways []way) []Case {
	t.Helper()
	type run struct {
		key, hash    string
		noKey, plain bool
	}
	cases := make([]Case, len(ways))
	contents := map[run][][]byte{}
	places := map[run][]int{}
	for i, w := range ways {
		c, content := w.build()
		cases[i] = c
		r := run{w.key, w.hash, w.noKey, w.plain}
		if r.key == "" && !w.noKey {
			r.key = testSecret
		}
		if r.hash == "" {
			r.hash = "sha256"
		}
		contents[r] = append(contents[r], content)
		places[r] = append(places[r], i)
	}
	for r, list := range contents {
		var digests [][]byte
		switch {
		case r.plain:
			digests = opensslDigests(t, list, "-"+r.hash)
		case r.noKey:
			digests = opensslDigests(t, list, "-"+r.hash, "-hmac", "")
		default:
			digests = opensslHMAC(t, r.hash, []byte(r.key), list...)
		}
		for n, i := range places[r] {
			signature := hex.EncodeToString(digests[n])
			if ways[i].write != nil {
				signature = ways[i].write(digests[n])
			}
			if ways[i].place != nil {
				ways[i].place(&cases[i], signature)
			} else {
				cases[i].Signature = signature
			}
		}
	}
	return cases
}

// allWays is every table of this package's tests.
func allWays() []way {
	return slices.Concat(bodyWays(), contentWays(), secretWays(), encodingWays(), digestWays(), senderWays(), pairWays())
}

func TestEachWayIsExplained(t *testing.T) {
	ways := allWays()
	for i, c := range signWays(t, ways) {
		t.Run(ways[i].name, func(t *testing.T) {
			f, found := Explain(c)
			if !found {
				t.Fatalf("nothing found, want %v", ways[i].want)
			}
			got := f.IDs
			if got == nil {
				got = []string{f.ID}
			}
			if !slices.Equal(got, ways[i].want) || !f.Certain {
				t.Errorf("got %v, certain %v, want %v\n%s\n%s", got, f.Certain, ways[i].want, f.Summary, f.Fix)
			}
			t.Logf("%s\n%s", f.Summary, f.Fix)
			checkText(t, c, f)
		})
	}
}

// checkText holds a finding to the house's rules on what is said to people.
func checkText(t *testing.T, c Case, f Finding) {
	t.Helper()
	for _, text := range []string{f.Summary, f.Fix} {
		if text == "" || strings.HasSuffix(text, ".") || strings.ContainsAny(text, "\r\n") || strings.Contains(text, "%!") {
			t.Errorf("not one sentence without a period: %q", text)
		}
		for _, s := range slices.Concat(c.Secrets, c.Previous) {
			if strings.Contains(text, strings.TrimSpace(s.Reveal())) {
				t.Errorf("the secret is in %q", text)
			}
		}
		if len(c.Signature) > 8 && strings.Contains(text, c.Signature[:8]) {
			t.Errorf("the signature is in %q", text)
		}
	}
	for _, s := range c.Secrets {
		right, err := c.Scheme.Sign(c.Message, s)
		if err == nil && strings.Contains(f.Summary+f.Fix, right[:8]) {
			t.Error("the right signature is in the text")
		}
	}
}

func TestEveryCauseHasAWay(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range allWays() {
		for _, id := range w.want {
			seen[id] = true
		}
	}
	known := map[string]bool{"encoding.placeholder": true} // never certain, see TestAShapeIsAGuess
	for _, tool := range tools() {
		seen[tool.id] = true // see TestEachToolsSignatureIsExplained
	}
	for _, cause := range Causes() {
		if known[cause.ID] && cause.ID != "encoding.placeholder" {
			t.Errorf("%s is there twice", cause.ID)
		}
		known[cause.ID] = true
		if !seen[cause.ID] && cause.ID != "encoding.placeholder" {
			t.Errorf("%s has no test", cause.ID)
		}
		if cause.Help == "" || cause.Fix == "" {
			t.Errorf("%s has no text", cause.ID)
		}
	}
	for id := range seen {
		if !known[id] {
			t.Errorf("%s is not in the table", id)
		}
	}
}

func base64Of(d []byte) string { return base64.StdEncoding.EncodeToString(d) }
