package send

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// batchResult is what --json and the last line of --format ndjson hold. The
// counts are of all runs.
type batchResult struct {
	Type         string         `json:"type"`
	File         string         `json:"file"`
	Target       string         `json:"target"`
	Lines        int            `json:"lines"`
	Accepted     int            `json:"accepted"`
	Refused      int            `json:"refused"`
	Unknown      int            `json:"unknown"`
	Pending      int            `json:"pending"`
	ThisRun      batchCounts    `json:"this_run"`
	UnknownLines []int          `json:"unknown_lines"`
	RefusedLines []batch.Answer `json:"refused_lines"`
	FailedTo     string         `json:"failed_to"`
	Stopped      batch.Reason   `json:"stopped,omitempty"`
	DurationMS   float64        `json:"duration_ms"`
}

type batchCounts struct {
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
}

// maxListed is how many line numbers are shown to people.
const maxListed = 20

// end writes the result and turns it into the error that decides the exit
// code.
func (b *batchRun) end(err error, before batch.Summary) error {
	s := b.file.Summary()
	var stopped *batch.StopError
	errors.As(err, &stopped)
	var fault error
	switch b.o.output.Format {
	case "text":
		fault = b.table(s, before)
	default:
		r := batchResult{
			Type: "batch", File: b.o.batch.file, Target: b.target(),
			Lines: s.Lines, Accepted: s.Accepted, Refused: s.Refused, Unknown: s.Unknown, Pending: s.Pending,
			ThisRun:      batchCounts{s.Accepted - before.Accepted, s.Refused - before.Refused},
			UnknownLines: b.file.Unknown(), RefusedLines: b.file.Refused(), FailedTo: b.o.batch.failedTo,
			DurationMS: float64(b.env.Now().Sub(b.began)) / float64(time.Millisecond),
		}
		if stopped != nil {
			r.Stopped = stopped.Reason
		}
		if b.o.output.Format == "ndjson" {
			r.Type = "summary"
		}
		fault = command.WriteJSON(b.env.Out, r)
	}
	return errors.Join(b.judge(err, stopped, s), fault)
}

// table writes the counts for people.
func (b *batchRun) table(s, before batch.Summary) error {
	t := ui.Table{}
	row := func(name string, n, earlier int, paint func(string) string, more string) {
		if earlier > 0 && n != earlier {
			more = fmt.Sprintf("%s in this run", ui.Thousands(n-earlier))
		}
		if n == 0 {
			paint = b.palette.Quiet
		}
		cells := []ui.Cell{{Text: name, Paint: b.palette.Quiet}, {Text: ui.Thousands(n), Paint: paint}}
		if more != "" {
			cells = append(cells, ui.Cell{Text: more, Paint: b.palette.Quiet})
		}
		t.Row(cells...)
	}
	row("lines", s.Lines, 0, nil, "")
	row("accepted", s.Accepted, before.Accepted, b.palette.Good, "")
	row("refused", s.Refused, before.Refused, b.palette.Bad, "")
	row("unknown", s.Unknown, 0, b.palette.Warn, lineList(b.file.Unknown()))
	row("not sent", s.Pending, 0, b.palette.Warn, "")
	if name := b.o.batch.failedTo; name != "" {
		t.Row(ui.Cell{Text: "refused lines in", Paint: b.palette.Quiet}, ui.Cell{Text: name})
	}
	return t.Write(b.env.Out)
}

// lineList names the first of some lines.
func lineList(numbers []int) string {
	if len(numbers) == 0 {
		return ""
	}
	var words []string
	for _, n := range numbers[:min(len(numbers), maxListed)] {
		words = append(words, strconv.Itoa(n))
	}
	text := "lines " + strings.Join(words, ", ")
	if len(numbers) == 1 {
		text = "line " + words[0]
	}
	if more := len(numbers) - len(words); more > 0 {
		text += fmt.Sprintf(" and %s more", ui.Thousands(more))
	}
	return text
}

// judge turns what became of the lines into the error that decides the exit
// code, with the next step.
func (b *batchRun) judge(err error, stopped *batch.StopError, s batch.Summary) error {
	resume := fmt.Sprintf("%s of %s lines are answered; the same command with --resume sends the rest", ui.Thousands(s.Accepted+s.Refused), ui.Thousands(s.Lines))
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(b.env.Err, "wsk: "+resume)
		return err
	case stopped != nil && stopped.Reason == batch.Unauthorized:
		return command.No(fmt.Errorf("%w, so the batch was stopped, and these lines count as not sent: is it the key or the secret?\n  %s\n  %s",
			stopped, command.Hint(&stopped.Record), resume))
	case stopped != nil:
		return command.NoResponse(fmt.Errorf("%s: %w\n  %s", b.target(), stopped, resume))
	case errors.Is(err, batch.ErrChanged):
		return fmt.Errorf("%s: %w, and no more of it is sent: bring it back, then --resume goes on", b.o.batch.file, err)
	case err != nil:
		return fmt.Errorf("%w\n  %s", err, resume)
	case s.Unknown > 0:
		return command.NoResponse(fmt.Errorf("of %s it is not known whether they were taken: see whether they are there, then --resume --retry-unknown sends them again",
			ui.Plural(s.Unknown, "line")))
	case s.Refused > 0:
		return command.No(fmt.Errorf("%s refused", linesWere(s.Refused)))
	}
	return nil
}

func linesWere(n int) string {
	if n == 1 {
		return "1 line was"
	}
	return ui.Thousands(n) + " lines were"
}

// spanText writes a length of time by its two largest units.
func spanText(d time.Duration) string {
	s := int((d + time.Second - 1) / time.Second)
	switch {
	case s >= 3600:
		return fmt.Sprintf("%dh %dm", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%dm %ds", s/60, s%60)
	}
	return fmt.Sprintf("%ds", s)
}
