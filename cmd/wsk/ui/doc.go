// Package ui makes text for people: colour, alignment, and the escaping of
// what came from outside. It decides nothing and reads nothing.
//
//	p := ui.Palette{Color: env.OutTTY}
//	fmt.Fprintln(out, p.Good("ok"), ui.Clean(untrusted))
package ui
