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
	Indent string
}

// Cell is a text and how to paint it; a nil Paint leaves it plain.
type Cell struct {
	Text  string
	Paint func(string) string
}

// Row adds a row of cells.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// Texts adds a row of plain cells.
func (t *Table) Texts(texts ...string) {
	cells := make([]Cell, len(texts))
	for i, text := range texts {
		cells[i].Text = text
	}
	t.Row(cells...)
}

// Write writes the rows. Nothing trails the last cell of a row.
func (t *Table) Write(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i := range row {
			row[i].Text = Clean(row[i].Text)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString(t.Indent)
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
	_, err := io.WriteString(w, b.String())
	return err
}
