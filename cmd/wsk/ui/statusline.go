package ui

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// StatusEvery is how often a status line is worth drawing again.
const StatusEvery = 200 * time.Millisecond

// StatusLine is a line of a terminal that is drawn again and again. It is not safe
// for concurrent use.
type StatusLine struct {
	W     io.Writer
	width int
}

// Draw replaces the line by text.
func (l *StatusLine) Draw(text string) {
	width := utf8.RuneCountInString(text)
	fmt.Fprint(l.W, "\r"+text+strings.Repeat(" ", max(0, l.width-width)))
	l.width = width
}

// Clear removes the line, if there is one.
func (l *StatusLine) Clear() {
	if l.width > 0 {
		fmt.Fprint(l.W, "\r"+strings.Repeat(" ", l.width)+"\r")
		l.width = 0
	}
}
