package ui

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Table writes rows with aligned columns, two spaces apart. Cells are cleaned
// before they are measured and painted after, so neither colour nor an escape
// shifts a column.
type Table struct {
	rows   [][]Cell
	widths []int // of the columns, by the rows so far
	Indent string
	Width  int  // of the terminal, for the last cell of a full row; 0: no limit
	Wrap   bool // the last cell is broken into lines rather than cut
}

// minLast is the least room that a last cell is fitted into, in characters.
const minLast = 16

// Cell is a text and how to paint it; a nil Paint leaves it plain.
type Cell struct {
	Text  string
	Paint func(string) string
}

// Row adds a row of cells.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// Field adds a row of a name and a value.
func (t *Table) Field(p Palette, name, value string) {
	t.Row(Cell{Text: name, Paint: p.Quiet}, Cell{Text: value})
}

// fit shortens or wraps a last cell that begins at a column to the width.
func (t *Table) fit(last *Cell, column int) {
	switch room := t.Width - column; {
	case t.Width <= 0 || room < minLast:
	case t.Wrap:
		last.Text = Wrap(last.Text, strings.Repeat(" ", column), t.Width)
	default:
		last.Text = Short(last.Text, room)
	}
}

// Write writes the rows since the last call. No spaces follow the last cell of a row.
// A long table can be written in blocks: its columns get wider from the block on that
// needs it.
func (t *Table) Write(w io.Writer) error {
	widths := t.widths
	for _, row := range t.rows {
		for i := range row {
			row[i].Text = Clean(row[i].Text)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	t.widths = widths
	before := utf8.RuneCountInString(t.Indent)
	for _, width := range widths[:max(len(widths)-1, 0)] {
		before += width + 2
	}
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString(t.Indent)
		if len(row) == len(widths) {
			t.fit(&row[len(row)-1], before)
		}
		for i, cell := range row {
			text := cell.Text
			if cell.Paint != nil {
				text = cell.Paint(text)
			}
			b.WriteString(text)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.Text)+2))
			}
		}
		b.WriteByte('\n')
	}
	t.rows = t.rows[:0]
	_, err := io.WriteString(w, b.String())
	return err
}
