package command

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// ExplainSignature shows the exact bytes that are signed, the result, and the
// openssl line that gives the same. The secret stays in a variable.
func ExplainSignature(w io.Writer, p ui.Palette, s *webhook.Scheme, m webhook.Message, secret webhook.Secret) error {
	signature, err := s.Sign(m, secret)
	if err != nil {
		return err
	}
	content := s.Content(m)
	sum := sha256.Sum256(content)
	rows := [][2]ui.Cell{{{Text: "scheme"}, {Text: s.Name + ": " + encodingName(s) + " HMAC-SHA256 of " + s.Covers}}}
	if s.TimestampHeader != "" {
		rows = append(rows, [2]ui.Cell{{Text: "timestamp"}, {Text: m.Timestamp}})
	}
	rows = append(rows,
		[2]ui.Cell{{Text: "signed"}, {Text: fmt.Sprintf("%s, SHA-256 %s", ui.Plural(len(content), "byte"), hex.EncodeToString(sum[:8])+"…")}},
		[2]ui.Cell{{Text: s.SignatureHeader}, {Text: signature, Paint: p.Name}})
	t := ui.Table{}
	for _, row := range rows {
		row[0].Paint = p.Quiet
		t.Row(row[:]...)
	}
	if err := t.Write(w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s\n%s\n\n%s\n%s\n",
		p.Quiet("The signed bytes, from the first to the last:"), ui.CleanLines(string(content)),
		p.Quiet("The same with openssl, the secret in $WEBHOOK_SECRET:"), opensslLine(s, content))
	return err
}

func encodingName(s *webhook.Scheme) string {
	if s.Encoding == "hex" {
		return "lowercase hex"
	}
	return s.Encoding
}

func opensslLine(s *webhook.Scheme, content []byte) string {
	key := `-hmac "$WEBHOOK_SECRET"`
	if s.Name == webhook.StandardWebhooks {
		key = `-mac HMAC -macopt hexkey:"$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')"`
	}
	line := ui.Printf(string(content)) + " |\n  openssl dgst -sha256 " + key
	if s.Encoding == "base64" {
		return line + " -binary | base64"
	}
	return line + " | sed 's/^.* //'"
}
