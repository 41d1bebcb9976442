// Package diagnose says why the signature of a webhook does not match.
//
// In comes a refused request with what the receiver knows of it: the scheme,
// the body, the headers, the secrets. Out goes one [Finding]: a sentence that
// says what happened and one that says how to mend it. Nothing is guessed
// where it can be computed: the named ways in which people get a signature
// wrong are tried one by one, then two at a time, until a digest comes out
// that equals the one in the header. [Causes] lists the ways.
//
//	refused := diagnose.Case{
//		Scheme: webhook.DefaultScheme(), Signature: signature, Header: headers, Secrets: secrets,
//		Message: webhook.Message{Body: body, Timestamp: timestamp},
//	}
//	if f, found := diagnose.Explain(refused); found {
//		fmt.Printf("%s\n%s\n", f.Summary, f.Fix)
//	}
//
// The package is for people at a terminal and for logs. It must not decide
// whether a request is taken: webhook.Verify does that. No text of a finding
// holds a secret, an expected signature or a part of either.
package diagnose
