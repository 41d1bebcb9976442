package render

import (
	"sync"
	"time"
)

// Fit is how a template suits one event.
type Fit struct {
	Event    string    `json:"event"`
	Title    string    `json:"title"`
	OK       bool      `json:"ok"`
	Problems []Finding `json:"problems"` // the errors
}

// Matrix tries a template with every event of Work Market and its sample
// values, in the catalog's order.
func (t Template) Matrix(now time.Time) []Fit {
	var fits []Fit
	shared := sync.OnceValue(owners)
	for _, d := range Events() {
		t.Event = d.Type
		fit := Fit{Event: d.Type, Title: Title(d), Problems: []Finding{}}
		samples, err := Samples(d.Type)
		if err != nil {
			fit.Problems = append(fit.Problems, Finding{Line: 1, Column: 1, Severity: Error, Rule: "template-event", Message: err.Error()})
		}
		_, findings := t.render(samples, now, shared)
		for _, f := range findings {
			if f.Severity == Error {
				fit.Problems = append(fit.Problems, f)
			}
		}
		fit.OK = len(fit.Problems) == 0
		fits = append(fits, fit)
	}
	return fits
}
