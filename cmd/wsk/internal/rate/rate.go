// Package rate parses the flag --rate of the commands that send in bulk.
package rate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is a number of requests in a period.
type Rate struct {
	N   float64 // above zero
	Per time.Duration
}

// Parse reads "500/s", "50/m", "1000/h" or "0.5/s".
func Parse(text string) (Rate, error) {
	number, unit, _ := strings.Cut(text, "/")
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || per == 0 || !(n > 0) || math.IsInf(n, 0) {
		return Rate{}, fmt.Errorf("rate %q: write N/s, N/m or N/h, such as 50/m or 0.5/s", text)
	}
	return Rate{n, per}, nil
}

// PerSecond returns the number of requests a second.
func (r Rate) PerSecond() float64 { return r.N / r.Per.Seconds() }
