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
	c.EnableColor() // the caller has decided, so do not inspect the terminal
	return c.Sprint(s)
}

// Good paints a success.
func (p Palette) Good(s string) string { return p.paint(s, color.FgGreen) }

// Bad paints a failure.
func (p Palette) Bad(s string) string { return p.paint(s, color.FgRed) }

// Warn paints what deserves a look.
func (p Palette) Warn(s string) string { return p.paint(s, color.FgYellow) }

// Name paints what the reader looks for.
func (p Palette) Name(s string) string { return p.paint(s, color.Bold) }

// Quiet paints details.
func (p Palette) Quiet(s string) string { return p.paint(s, color.Faint) }

// Mark returns the sign for yes or no at the start of a line.
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
