package diagnose_test

import (
	"fmt"

	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/webhook"
)

// A shell script signed what echo printed, and sent the body without the
// newline.
func ExampleExplain() {
	secret, _ := webhook.NewSecret("your-secret")
	sent := webhook.Message{Body: []byte(`{"event_type":"test.connection"}`), Timestamp: "1700000000"}
	signed := sent
	signed.Body = append([]byte(nil), `{"event_type":"test.connection"}`+"\n"...)
	signature, _ := webhook.SchemeFor(webhook.WorkSkedge).Sign(signed, secret)

	f, found := diagnose.Explain(diagnose.Case{Message: sent, Signature: signature, Secrets: []webhook.Secret{secret}})
	fmt.Println(found, f.Certain, f.ID)
	fmt.Println(f.Summary)
	fmt.Println(f.Fix)
	// Output:
	// true true body.newline_missing
	// the signature is over the body with a newline at its end: the body here has lost it, or the sender signed what echo printed
	// verify the bytes as they came over the wire and trim nothing; a sender in the shell writes printf '%s' or echo -n
}
