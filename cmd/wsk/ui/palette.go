package ui

import "github.com/fatih/color"

// Palette gives text its meaning by colour, or leaves it alone when Color is
// false.
type Palette struct{ Color bool }

func (p Palette) paint(s string, attribute color.Attribute) string {
	if !p.Color || s == "" {
		return s
	}
	c := color.New(attribute)
	c.EnableColor() // the decision was made by the caller, not by a look at a terminal
	return c.Sprint(s)
}

// Good is for what holds.
func (p Palette) Good(s string) string { return p.paint(s, color.FgGreen) }

// Bad is for what does not.
func (p Palette) Bad(s string) string { return p.paint(s, color.FgRed) }

// Warn is for what deserves a look.
func (p Palette) Warn(s string) string { return p.paint(s, color.FgYellow) }

// Name is for what the reader looks for.
func (p Palette) Name(s string) string { return p.paint(s, color.Bold) }

// Quiet is for what the eye may skip.
func (p Palette) Quiet(s string) string { return p.paint(s, color.Faint) }

// Mark is a sign for yes or no at the start of a line.
func (p Palette) Mark(ok bool) string {
	if ok {
		return p.Good("✓")
	}
	return p.Bad("✗")
}

// Status paints an HTTP status by its class.
func (p Palette) Status(code int, s string) string {
	switch code / 100 {
	case 2:
		return p.Good(s)
	case 3, 4:
		return p.Warn(s)
	}
	return p.Bad(s)
}
