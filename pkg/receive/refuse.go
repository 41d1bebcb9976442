package receive

import (
	"errors"
	"net/http"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// unkept answers when a record could not be stored. Why is the receiver's own
// affair.
func unkept(record *webhook.Record, err error) Answer {
	v := record.Verdict
	v.Outcome, v.Reason, v.Detail = webhook.Failed, "journal", err.Error()
	return errorAnswer(http.StatusServiceUnavailable, "The receiver cannot store events now")
}

// refuse answers a failed verification.
func refuse(record *webhook.Record, err error) Answer {
	var refusal *webhook.Refusal
	if !errors.As(err, &refusal) {
		return reject(record, http.StatusInternalServerError, "config", "The receiver is misconfigured", err.Error())
	}
	status, text := webhook.StatusOf(err), "Invalid signature"
	if status != http.StatusUnauthorized {
		text = strings.ToUpper(refusal.Detail[:1]) + refusal.Detail[1:]
	}
	return reject(record, status, string(refusal.Reason), text, refusal.Detail)
}

// reject notes why and makes the answer {"error": text}.
func reject(record *webhook.Record, status int, reason, text, detail string) Answer {
	v := record.Verdict
	v.Outcome, v.Reason, v.Detail = webhook.Refused, reason, detail
	if reason == "conflict" {
		v.Outcome = webhook.Conflict
	}
	return errorAnswer(status, text)
}

func warn(record *webhook.Record, text string) {
	record.Verdict.Warnings = append(record.Verdict.Warnings, text)
}
