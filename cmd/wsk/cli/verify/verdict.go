package verify

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/diagnose"
	"github.com/wskdev/wsk/pkg/webhook"
)

// result is what is said about a subject.
type result struct {
	Record    string             `json:"record,omitempty"`
	Verified  bool               `json:"verified"`
	Scheme    string             `json:"scheme"`
	Secret    int                `json:"secret,omitempty"`    // which one matched, from 1
	Timestamp string             `json:"timestamp,omitempty"` // RFC 3339
	Age       *int64             `json:"age_seconds,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Detail    string             `json:"detail,omitempty"`
	Diagnosis *webhook.Diagnosis `json:"diagnosis,omitempty"`
	of        int                // secrets in all
}

// verdictOn verifies one request, and finds out why when it does not hold.
func verdictOn(v webhook.Verifier, s *subject, now time.Time) (result, error) {
	r := result{Record: s.id, Scheme: v.Scheme.Name(), of: len(v.Secrets)}
	proof, err := v.Verify(s.request.Header.HTTP(), s.request.Body, now)
	if !proof.Timestamp.IsZero() {
		age := now.Unix() - proof.Timestamp.Unix()
		r.Timestamp, r.Age = proof.Timestamp.UTC().Format(time.RFC3339), &age
	}
	var refusal *webhook.Refusal
	switch {
	case err == nil:
		r.Verified, r.Secret = true, proof.Secret+1
		return r, nil
	case !errors.As(err, &refusal):
		return r, err
	}
	r.Reason, r.Detail = string(refusal.Reason), refusal.Detail
	r.Diagnosis = diagnose.Refusal(v, s.request, refusal.Reason)
	return r, nil
}

// write says it, as text or as a line of JSON.
func (r result) write(w io.Writer, p ui.Palette, columns int, text bool) error {
	if !text {
		return command.WriteJSON(w, r)
	}
	head := p.Mark(r.Verified) + " "
	if r.Record != "" {
		head += p.Quiet(ui.Clean(r.Record)) + "  "
	}
	if r.Verified {
		_, err := fmt.Fprintln(w, head+p.Good("the signature is good")+p.Quiet(r.proof()))
		return err
	}
	_, err := fmt.Fprintf(w, "%s%s: %s\n", head, p.Bad(r.Reason), ui.Clean(r.Detail))
	return errors.Join(err, command.WriteDiagnosis(w, p, columns, r.Diagnosis))
}

func (r result) proof() string {
	text := "  scheme " + r.Scheme
	if r.of > 1 {
		text += fmt.Sprintf(", secret %d of %d", r.Secret, r.of)
	}
	switch {
	case r.Age == nil:
	case *r.Age < 0:
		text += fmt.Sprintf(", signed %s ahead of now", time.Duration(-*r.Age)*time.Second)
	default:
		text += fmt.Sprintf(", signed %s ago", time.Duration(*r.Age)*time.Second)
	}
	return text
}
