package lint

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/webhook"
)

// dates are the pairs of dates that one object has: each second one may not
// come before its first.
type dates struct {
	within []string // names that lead from data to the object
	names  []string // start, end, start, end
}

// plan looks at an event's fields for what the rules compare, so that payloads
// of other events cost nothing.
func (e *event) plan(properties []webhook.Property) {
	paths := map[string]bool{}
	for _, p := range properties {
		paths[p.Path] = true
	}
	groups := map[string]int{}
	for _, p := range properties {
		under, ok := strings.CutPrefix(p.Path, "data.")
		parent, name := under[:max(strings.LastIndexByte(under, '.'), 0)], last(under)
		i := strings.LastIndex(strings.ToLower(name), "start")
		if !ok || p.Format != "date" || i < 0 || strings.Contains(under, "[]") {
			continue
		}
		word := "end"
		if name[i] == 'S' {
			word = "End"
		}
		end := name[:i] + word + name[i+len("start"):]
		if !paths[strings.TrimSuffix(p.Path, name)+end] {
			continue
		}
		if _, known := groups[parent]; !known {
			groups[parent] = len(e.dates)
			e.dates = append(e.dates, dates{within: strings.FieldsFunc(parent, func(r rune) bool { return r == '.' })})
		}
		group := &e.dates[groups[parent]]
		if group.names = append(group.names, name, end); len(group.names) > maxDates {
			group.names = group.names[:maxDates]
		}
	}
	e.hours = paths["data.entries[].hours"]
	e.lines = paths["data.line_items[].quantity"] || paths["data.total_count"]
}

const maxDates = 16

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// rules says what no schema can, of a payload that is JSON.
func (c *Checker) rules(e *event) {
	if e.bare {
		at := c.env.root.at
		c.add(at, at+1, "", "undocumented-payload", "the documents name "+e.definition.Type+" and show no payload: only the envelope was checked")
	}
	if !c.env.data.exists() {
		return
	}
	for i := range e.dates {
		c.ends(&e.dates[i])
	}
	if e.hours {
		c.timesheet()
	}
	if e.lines {
		c.order()
	}
}

// ends holds each end date against its start.
func (c *Checker) ends(d *dates) {
	var found [maxDates]span
	fields(c.raw, within(c.raw, c.env.data, d.within), d.names, found[:])
	for i := 0; i+1 < len(d.names); i += 2 {
		start, ok1 := c.dateAt(found[i])
		end, ok2 := c.dateAt(found[i+1])
		if ok1 && ok2 && bytes.Compare(end, start) < 0 {
			pointer := "/" + strings.Join(slices.Concat([]string{"data"}, d.within, d.names[i+1:i+2]), "/")
			c.say(found[i+1], pointer, "end-before-start", fmt.Sprintf("%s %s is before %s %s", d.names[i+1], end, d.names[i], start))
		}
	}
}

// dateAt returns the text at a place if it is written as dates are.
func (c *Checker) dateAt(s span) ([]byte, bool) {
	if !isText(c.raw, s) {
		return nil, false
	}
	text := textAt(c.raw, s)
	ok := len(text) == len("2006-01-02")
	for i, b := range text {
		ok = ok && (i == 4 || i == 7) == (b == '-') && (b == '-' || b >= '0' && b <= '9')
	}
	return text, ok
}

// say adds a finding at a place.
func (c *Checker) say(at span, pointer, rule, message string) {
	c.add(at.at, at.end, pointer, rule, message)
}

func (c *Checker) text(s span) string { return string(c.raw[s.at:s.end]) }

// timesheet holds the entries against the day and the total.
func (c *Checker) timesheet() {
	var sheet [3]span
	fields(c.raw, c.env.data, []string{"timesheet_date", "entries", "total_hours"}, sheet[:])
	day, dated := c.dateAt(sheet[0])
	sum, whole := 0.0, true
	items := partsOf(c.raw, sheet[1])
	n := 0
	for ; !items.keyed; n++ {
		item, ok := items.next()
		if !ok {
			break
		}
		var entry [2]span
		fields(c.raw, item.value, []string{"entry_date", "hours"}, entry[:])
		if date, ok := c.dateAt(entry[0]); ok && dated && !bytes.Equal(date, day) {
			c.say(entry[0], fmt.Sprintf("/data/entries/%d/entry_date", n), "entry-date",
				fmt.Sprintf("entry_date %s differs from timesheet_date %s", date, day))
		}
		hours, ok := numberAt(c.raw, entry[1])
		sum += hours
		whole = whole && ok
	}
	if total, ok := numberAt(c.raw, sheet[2]); ok && whole && n > 0 && differ(sum, total) {
		c.say(sheet[2], "/data/total_hours", "hours-sum", fmt.Sprintf("total_hours is %s, the entries add up to %s", c.text(sheet[2]), figure(sum)))
	}
}

// order holds lines, subtotal, tax and total against each other, and a count
// against what it counts.
func (c *Checker) order() {
	var f [6]span
	fields(c.raw, c.env.data, []string{"line_items", "subtotal", "tax", "total_amount", "timesheets", "total_count"}, f[:])
	sum, whole := c.orderLines(f[0])
	subtotal, ok := numberAt(c.raw, f[1])
	if ok && whole && differ(sum, subtotal) {
		c.say(f[1], "/data/subtotal", "totals-sum", fmt.Sprintf("subtotal is %s, the lines add up to %s", c.text(f[1]), figure(sum)))
	}
	tax, ok1 := numberAt(c.raw, f[2])
	total, ok2 := numberAt(c.raw, f[3])
	if ok && ok1 && ok2 && differ(subtotal+tax, total) {
		c.say(f[3], "/data/total_amount", "totals-sum", fmt.Sprintf("total_amount is %s, subtotal and tax add up to %s", c.text(f[3]), figure(subtotal+tax)))
	}
	count, ok := numberAt(c.raw, f[5])
	if !ok || !f[4].exists() || c.raw[f[4].at] != '[' {
		return
	}
	n := 0
	for items := partsOf(c.raw, f[4]); ; n++ {
		if _, more := items.next(); !more {
			break
		}
	}
	if differ(float64(n), count) {
		c.say(f[5], "/data/total_count", "totals-sum", fmt.Sprintf("total_count is %s, and %d timesheets are there", c.text(f[5]), n))
	}
}

// orderLines adds the lines up; whole says that each has a total.
func (c *Checker) orderLines(list span) (sum float64, whole bool) {
	items := partsOf(c.raw, list)
	for n := 0; !items.keyed; n++ {
		item, ok := items.next()
		if !ok {
			break
		}
		var line [3]span
		fields(c.raw, item.value, []string{"quantity", "unit_price", "total"}, line[:])
		quantity, ok1 := numberAt(c.raw, line[0])
		price, ok2 := numberAt(c.raw, line[1])
		total, ok3 := numberAt(c.raw, line[2])
		if ok1 && ok2 && ok3 && differ(quantity*price, total) {
			c.say(line[2], fmt.Sprintf("/data/line_items/%d/total", n), "totals-sum",
				fmt.Sprintf("total is %s, quantity × unit_price is %s", c.text(line[2]), figure(quantity*price)))
		}
		sum += total
		whole = ok3 && (n == 0 || whole)
	}
	return sum, whole
}

// differ allows for the last digit of a currency and for binary fractions.
func differ(a, b float64) bool { return math.Abs(a-b) > 0.005+1e-9+1e-12*math.Abs(b) }

func figure(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }
