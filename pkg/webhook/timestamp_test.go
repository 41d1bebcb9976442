package webhook_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/webhook"
)

// stamps are timestamp headers, and whether they are Unix seconds. Rows 5 of
// the threats and what ParseInt would take by mistake.
var stamps = map[string]bool{
	"0": true, "1": true, stamp: true, "4611686018427387904": true, "9223372036854775807": true,
	"": false, "+1772464800": false, "01772464800": false, "00": false, "-1": false, "-0": false, ".5": false,
	"1772464800.5": false, "1772464800.": false, "9223372036854775808": false, "18446744073709551616": false,
	"now": false, "1e9": false, "0x69a5": false, "1_772_464_800": false, "2026-03-02T15:20:00Z": false,
	"١٧٧٢٤٦٤٨٠٠": false, "１７７２４６４８００": false, " 1772464800": false, "1772464800 ": false, "1772464800\n": false, "17724 64800": false,
	"1772464800\x00": false, "1772464800,1772464800": false,
}

func TestATimestampIsDigitsAlone(t *testing.T) {
	t.Parallel()
	for text, good := range stamps {
		at, ok := webhook.ParseTimestamp(text)
		if ok != good || ok && fmt.Sprint(at.Unix()) != text {
			t.Errorf("ParseTimestamp(%q) = %v, %v; want %v", text, at, ok, good)
		}
	}
}

// TestAMalformedTimestampIsRefused holds row 5, with the signature over the
// timestamp as it stands, so that only its shape is at fault.
func TestAMalformedTimestampIsRefused(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for text, good := range stamps {
		if good || text == "" {
			continue
		}
		h := headersOf(t, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: order, Timestamp: text}, secret)
		for _, tolerance := range []time.Duration{0, webhook.AnyAge} {
			_, err := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: tolerance}.Verify(h, order, now())
			if reasonOf(err) != webhook.TimestampMalformed || webhook.StatusOf(err) != http.StatusBadRequest {
				t.Errorf("%q with tolerance %v: %v, want it malformed", text, tolerance, err)
			}
		}
		h.Set(webhook.HeaderSignature, strings.Repeat("0", 64))
		wantReason(t, webhook.Verify(h, order, now(), secret), webhook.SignatureMismatch) // the signature is looked at first
	}
}

// TestTheWindowHasSharpEdges holds row 4.
func TestTheWindowHasSharpEdges(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for name, test := range map[string]struct {
		tolerance time.Duration
		age       int64 // seconds from signing to receipt
		want      webhook.Reason
	}{
		"just signed":                           {0, 0, ""},
		"300 s old":                             {0, 300, ""},
		"301 s old":                             {0, 301, webhook.TimestampTooOld},
		"300 s ahead":                           {0, -300, ""},
		"301 s ahead":                           {0, -301, webhook.TimestampTooNew},
		"a tolerance of its own, at its edge":   {30 * time.Second, 30, ""},
		"a tolerance of its own, past its edge": {30 * time.Second, 31, webhook.TimestampTooOld},
		"a tolerance of its own, ahead":         {30 * time.Second, -31, webhook.TimestampTooNew},
		"a wide tolerance":                      {time.Hour, 3600, ""},
		"a tolerance under a second takes none": {time.Millisecond, 1, webhook.TimestampTooOld},
		"a tolerance under a second takes now":  {time.Millisecond, 0, ""},
		"half a second is not rounded up":       {1500 * time.Millisecond, 2, webhook.TimestampTooOld},
		"any age, in the past":                  {webhook.AnyAge, 1e9, ""},
		"any age, in the future":                {webhook.AnyAge, -1e9, ""},
		"another negative tolerance is no pass": {-5 * time.Minute, 0, webhook.TimestampTooOld},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: test.tolerance}
			proof, err := v.Verify(signedOrder(t), order, time.Unix(signedAt+test.age, 0))
			wantReason(t, err, test.want)
			if proof.Timestamp.Unix() != signedAt {
				t.Errorf("time of signing %v, want %v", proof.Timestamp, now())
			}
			if test.want != "" && webhook.StatusOf(err) != http.StatusBadRequest {
				t.Errorf("status %d, want 400", webhook.StatusOf(err))
			}
		})
	}
}

func TestPartsOfASecondDoNotMoveTheWindow(t *testing.T) {
	t.Parallel()
	late := time.Unix(signedAt+300, 999_999_999)
	wantReason(t, webhook.Verify(signedOrder(t), order, late, keyFor(t, webhook.TimestampBody)), "")
}

// TestFarTimestampsDoNotOverflow signs the ends of int64 and reads them by
// clocks that are set wrong.
func TestFarTimestampsDoNotOverflow(t *testing.T) {
	t.Parallel()
	secret := keyFor(t, webhook.TimestampBody)
	for _, at := range []int64{0, 1 << 62, math.MaxInt64} {
		text := fmt.Sprint(at)
		h := headersOf(t, webhook.SchemeFor(webhook.WorkSkedge), webhook.Message{Body: order, Timestamp: text}, secret)
		for _, clock := range []time.Time{now(), {}, time.Unix(math.MaxInt64, 0), time.Unix(-2, 0)} {
			err := webhook.Verify(h, order, clock, secret)
			inside := clock.Unix() == at || clock.Unix() == -2 && at == 0
			if r := reasonOf(err); inside != (err == nil) || err != nil && r != webhook.TimestampTooOld && r != webhook.TimestampTooNew {
				t.Errorf("signed at %d, read at %d: %v", at, clock.Unix(), err)
			}
		}
		proof, err := webhook.Verifier{Secrets: []webhook.Secret{secret}, Tolerance: webhook.AnyAge}.Verify(h, order, now())
		if err != nil || proof.Timestamp.Unix() != at {
			t.Errorf("any age, %d: %v, %v", at, proof.Timestamp.Unix(), err)
		}
	}
}
