// Package ui formats text for people: colour, alignment, and the escaping of
// untrusted text. It reads no input and has no state.
//
//	p := ui.Palette{Color: env.OutTTY}
//	fmt.Fprintln(out, p.Good("ok"), ui.Clean(untrusted))
package ui
