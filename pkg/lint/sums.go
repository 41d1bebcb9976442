package lint

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wskdev/wsk/pkg/webhook"
)

// pair is two dates of which the second may not come before the first.
type pair struct{ start, end string }

// plan looks at an event's fields for what the rules compare, so that payloads
// of other events cost nothing.
func (e *event) plan(fields []webhook.Property) {
	paths := map[string]bool{}
	for _, f := range fields {
		paths[f.Path] = true
	}
	for _, f := range fields {
		i := strings.LastIndex(strings.ToLower(f.Path), "start")
		if f.Format != "date" || i < 0 || strings.Contains(f.Path, "[]") {
			continue
		}
		word := "end"
		if f.Path[i] == 'S' {
			word = "End"
		}
		if end := f.Path[:i] + word + f.Path[i+len("start"):]; paths[end] {
			e.pairs = append(e.pairs, pair{f.Path, end})
		}
	}
	e.hours = paths["data.entries[].hours"]
	e.lines = paths["data.line_items[].quantity"] || paths["data.total_count"]
}

// rules says what no schema can.
func (c *Checker) rules(e *event, raw []byte) {
	if e.bare {
		c.add(0, 1, "", "undocumented-payload", "the documents name "+e.definition.Type+" and show no payload: only the envelope was checked")
	}
	for _, p := range e.pairs {
		start, end := gjson.GetBytes(raw, p.start), gjson.GetBytes(raw, p.end)
		if start.Type == gjson.String && end.Type == gjson.String && len(start.Str) == 10 && len(end.Str) == 10 && end.Str < start.Str {
			c.say(end, pointerOf(p.end), "end-before-start", fmt.Sprintf("%s %s is before %s %s", last(p.end), end.Str, last(p.start), start.Str))
		}
	}
	if e.hours {
		c.timesheet(gjson.GetBytes(raw, "data"))
	}
	if e.lines {
		c.order(gjson.GetBytes(raw, "data"))
	}
}

func pointerOf(name string) string { return "/" + strings.ReplaceAll(name, ".", "/") }

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// say adds a finding at a value that gjson found.
func (c *Checker) say(at gjson.Result, pointer, rule, message string) {
	c.add(at.Index, at.Index+len(at.Raw), pointer, rule, message)
}

// timesheet holds the entries against the day and the total.
func (c *Checker) timesheet(data gjson.Result) {
	day, sum, counted := data.Get("timesheet_date"), 0.0, 0
	for i, entry := range data.Get("entries").Array() {
		date := entry.Get("entry_date")
		if day.Type == gjson.String && date.Type == gjson.String && date.Str != day.Str {
			c.say(date, fmt.Sprintf("/data/entries/%d/entry_date", i), "entry-date",
				fmt.Sprintf("entry_date %s differs from timesheet_date %s", date.Str, day.Str))
		}
		if hours := entry.Get("hours"); hours.Type == gjson.Number {
			sum += hours.Num
			counted++
		}
	}
	if total := data.Get("total_hours"); total.Type == gjson.Number && counted > 0 && differ(sum, total.Num) {
		c.say(total, "/data/total_hours", "hours-sum", fmt.Sprintf("total_hours is %s, the entries add up to %s", total.Raw, figure(sum)))
	}
}

// order holds lines, subtotal, tax and total against each other.
func (c *Checker) order(data gjson.Result) {
	sum, counted := 0.0, 0
	for i, line := range data.Get("line_items").Array() {
		quantity, price, total := line.Get("quantity"), line.Get("unit_price"), line.Get("total")
		if areNumbers(quantity, price, total) && differ(quantity.Num*price.Num, total.Num) {
			c.say(total, fmt.Sprintf("/data/line_items/%d/total", i), "totals-sum",
				fmt.Sprintf("total is %s, quantity × unit_price is %s", total.Raw, figure(quantity.Num*price.Num)))
		}
		if areNumbers(total) {
			sum += total.Num
			counted++
		}
	}
	subtotal, tax, total := data.Get("subtotal"), data.Get("tax"), data.Get("total_amount")
	if areNumbers(subtotal) && counted > 0 && differ(sum, subtotal.Num) {
		c.say(subtotal, "/data/subtotal", "totals-sum", fmt.Sprintf("subtotal is %s, the lines add up to %s", subtotal.Raw, figure(sum)))
	}
	if areNumbers(subtotal, tax, total) && differ(subtotal.Num+tax.Num, total.Num) {
		c.say(total, "/data/total_amount", "totals-sum", fmt.Sprintf("total_amount is %s, subtotal and tax add up to %s", total.Raw, figure(subtotal.Num+tax.Num)))
	}
	sheets, count := data.Get("timesheets"), data.Get("total_count")
	if n := len(sheets.Array()); sheets.IsArray() && areNumbers(count) && differ(float64(n), count.Num) {
		c.say(count, "/data/total_count", "totals-sum", fmt.Sprintf("total_count is %s, and %d timesheets are there", count.Raw, n))
	}
}

func areNumbers(values ...gjson.Result) bool {
	return !slices.ContainsFunc(values, func(v gjson.Result) bool { return v.Type != gjson.Number })
}

// differ allows for the last digit of a currency and for binary fractions.
func differ(a, b float64) bool { return math.Abs(a-b) > 0.005 }

func figure(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }
