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

// dateGroup is the pairs of dates in one object.
type dateGroup struct {
	path  []string // names that lead from data to the object
	pairs []datePair
}

// datePair names two dates of which the end must not be before the start.
type datePair struct{ start, end string }

const maxPairs = 8 // in one object

// plan finds the fields of an event that must agree with others, so that
// payloads of other events cost nothing.
func (e *event) plan(properties []webhook.Property) {
	exists := map[string]bool{}
	for _, p := range properties {
		exists[p.Path] = true
	}
	for _, p := range properties {
		under, inData := strings.CutPrefix(p.Path, "data.")
		if !inData || p.Format != "date" || strings.Contains(under, "[]") {
			continue
		}
		path := strings.Split(under, ".")
		start := path[len(path)-1]
		end := endOf(start)
		if end != "" && exists[strings.TrimSuffix(p.Path, start)+end] {
			e.addDates(path[:len(path)-1], datePair{start, end})
		}
	}
	e.hasTimestamp = e.definition.Form == webhook.Compact && exists["timestamp"]
	e.hasHours = exists["data.entries[].hours"]
	e.isPartial = strings.HasSuffix(e.definition.Type, ".updated")
	e.hasTotals = exists["data.line_items[].quantity"] || exists["data.total_count"]
}

// endOf returns the name of the end that belongs to a start: end_date for
// start_date, jobEndDate for jobStartDate; or "" if name is not that of a start.
func endOf(name string) string {
	i := strings.LastIndex(strings.ToLower(name), "start")
	switch {
	case i < 0:
		return ""
	case name[i] == 'S':
		return name[:i] + "End" + name[i+len("Start"):]
	}
	return name[:i] + "end" + name[i+len("start"):]
}

func (e *event) addDates(path []string, pair datePair) {
	for i := range e.dates {
		if group := &e.dates[i]; slices.Equal(group.path, path) {
			if len(group.pairs) < maxPairs {
				group.pairs = append(group.pairs, pair)
			}
			return
		}
	}
	e.dates = append(e.dates, dateGroup{path, []datePair{pair}})
}

// checkConsistency checks what a schema cannot express. The payload is JSON.
func (c *Checker) checkConsistency(e *event) {
	if e.undocumented {
		at := c.env.root.at
		c.add(span{at, at + 1}, "", "undocumented-payload",
			"the documents name "+e.definition.Type+" but show no payload: only the envelope was checked")
	}
	if e.hasTimestamp && !c.env.members.Timestamp {
		at := c.env.root.at
		c.add(span{at, at + 1}, "", "missing-timestamp", "timestamp is missing; of WorkSkedge's compact events only the test payload has none")
	}
	if !c.env.data.exists() {
		return
	}
	for _, group := range e.dates {
		c.checkDates(group)
	}
	if e.hasHours {
		c.checkTimesheet(e)
	}
	if e.hasTotals {
		c.checkAmounts(e)
		c.checkCount()
	}
}

// checkDates compares each end date with its start.
func (c *Checker) checkDates(group dateGroup) {
	var found [maxPairs]struct{ start, end span }
	walk := c.env.walkData(c.raw, group.path...)
	for {
		part, ok := walk.next()
		if !ok {
			break
		}
		name := textAt(c.raw, part.name)
		for i, pair := range group.pairs {
			switch {
			case string(name) == pair.start && !found[i].start.exists():
				found[i].start = part.value
			case string(name) == pair.end && !found[i].end.exists():
				found[i].end = part.value
			}
		}
	}
	for i, pair := range group.pairs {
		start, ok1 := c.dateAt(found[i].start)
		end, ok2 := c.dateAt(found[i].end)
		if ok1 && ok2 && bytes.Compare(end, start) < 0 {
			pointer := "/" + strings.Join(slices.Concat([]string{"data"}, group.path, []string{pair.end}), "/")
			c.add(found[i].end, pointer, "end-before-start", fmt.Sprintf("%s %s is before %s %s", pair.end, end, pair.start, start))
		}
	}
}

// dateAt returns the string at s if it is written as a date.
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

func (c *Checker) text(s span) string { return string(c.raw[s.at:s.end]) }

// checkTimesheet compares the entries of a timesheet with its date and its
// total. The entries of an update are those that it adds or changes, so they
// have no sum.
func (c *Checker) checkTimesheet(e *event) {
	var date, entries, total span
	find(c.env.walkData(c.raw), member{"timesheet_date", &date}, member{"entries", &entries}, member{"total_hours", &total})
	day, hasDay := c.dateAt(date)
	sum, complete := 0.0, true
	items := partsOf(c.raw, entries)
	n := 0
	for ; !items.keyed; n++ {
		item, ok := items.next()
		if !ok {
			break
		}
		var entryDate, hours span
		find(partsOf(c.raw, item.value), member{"entry_date", &entryDate}, member{"hours", &hours})
		if date, ok := c.dateAt(entryDate); ok && hasDay && !bytes.Equal(date, day) {
			c.add(entryDate, fmt.Sprintf("/data/entries/%d/entry_date", n), "entry-date",
				fmt.Sprintf("entry_date %s differs from timesheet_date %s", date, day))
		}
		worked, ok := numberAt(c.raw, hours)
		sum += worked
		complete = complete && ok
	}
	if stated, ok := numberAt(c.raw, total); ok && complete && n > 0 && !e.isPartial && differ(sum, stated) {
		c.add(total, "/data/total_hours", "hours-sum", fmt.Sprintf("total_hours is %s, the entries add up to %s", c.text(total), figure(sum)))
	}
}

// checkAmounts compares the lines, the subtotal, the tax and the total of an
// order.
func (c *Checker) checkAmounts(e *event) {
	var lines, subtotal, tax, total span
	find(c.env.walkData(c.raw), member{"line_items", &lines}, member{"subtotal", &subtotal}, member{"tax", &tax}, member{"total_amount", &total})
	sum, complete := c.sumOfLines(lines)
	subtotalAmount, ok := numberAt(c.raw, subtotal)
	if ok && complete && !e.isPartial && differ(sum, subtotalAmount) {
		c.add(subtotal, "/data/subtotal", "totals-sum", fmt.Sprintf("subtotal is %s, the lines add up to %s", c.text(subtotal), figure(sum)))
	}
	taxAmount, ok1 := numberAt(c.raw, tax)
	totalAmount, ok2 := numberAt(c.raw, total)
	if ok && ok1 && ok2 && differ(subtotalAmount+taxAmount, totalAmount) {
		c.add(total, "/data/total_amount", "totals-sum",
			fmt.Sprintf("total_amount is %s, subtotal and tax add up to %s", c.text(total), figure(subtotalAmount+taxAmount)))
	}
}

// sumOfLines checks each line and adds up their totals. complete reports whether
// there are lines and each has a total.
func (c *Checker) sumOfLines(list span) (sum float64, complete bool) {
	items := partsOf(c.raw, list)
	for n := 0; !items.keyed; n++ {
		item, ok := items.next()
		if !ok {
			break
		}
		var quantity, price, total span
		find(partsOf(c.raw, item.value), member{"quantity", &quantity}, member{"unit_price", &price}, member{"total", &total})
		count, ok1 := numberAt(c.raw, quantity)
		each, ok2 := numberAt(c.raw, price)
		stated, ok3 := numberAt(c.raw, total)
		if ok1 && ok2 && ok3 && differ(count*each, stated) {
			c.add(total, fmt.Sprintf("/data/line_items/%d/total", n), "totals-sum",
				fmt.Sprintf("total is %s, quantity × unit_price is %s", c.text(total), figure(count*each)))
		}
		sum += stated
		complete = ok3 && (n == 0 || complete)
	}
	return sum, complete
}

// checkCount compares total_count with the number of timesheets.
func (c *Checker) checkCount() {
	var list, total span
	find(c.env.walkData(c.raw), member{"timesheets", &list}, member{"total_count", &total})
	stated, ok := numberAt(c.raw, total)
	if !ok || !list.exists() || c.raw[list.at] != '[' {
		return
	}
	n := 0
	for items := partsOf(c.raw, list); ; n++ {
		if _, more := items.next(); !more {
			break
		}
	}
	if differ(float64(n), stated) {
		c.add(total, "/data/total_count", "totals-sum", fmt.Sprintf("total_count is %s, timesheets has %d", c.text(total), n))
	}
}

// differ allows for the last digit of a currency and for binary fractions.
func differ(a, b float64) bool { return math.Abs(a-b) > 0.005+1e-9+1e-12*math.Abs(b) }

func figure(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }
