// Package batch implements wsk send --batch: it lints the lines of a file, sends
// those that have no answer yet, and shows the outcome of all of them.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/payload"
	"github.com/wskdev/wsk/pkg/report"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Flags are the flags that only send --batch has.
type Flags struct {
	File string // "" without --batch

	rate     string
	failedTo string
	resume   bool
	restart  bool
}

// Add declares the flags.
func (b *Flags) Add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&b.File, "batch", "", "send each line of `FILE`, NDJSON, or each element of a JSON array: an envelope, a record, or with EVENT the data object")
	f.BoolVar(&b.resume, "resume", false, "with --batch: send the lines that have no answer yet")
	f.BoolVar(&b.restart, "restart", false, "with --batch: send every line, also those that have an answer")
	f.StringVar(&b.rate, "rate", "", "with --batch: at most `N/s`, N/m or N/h instead of the documented 50 a minute and 1,000 an hour")
	f.StringVar(&b.failedTo, "failed-to", "", "with --batch: write the refused lines to `FILE`, unchanged")
}

// Args checks the arguments of the command. With --batch EVENT is optional, since
// each line can name its own.
func (b *Flags) Args(cmd *cobra.Command, args []string) error {
	if !cmd.Flags().Changed("batch") || len(args) > 1 {
		return command.ExactArgs(1, "EVENT")(cmd, args)
	}
	return nil
}

// Check refuses flags that contradict --batch, and without --batch those that
// need it.
func (b *Flags) Check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if !given("batch") {
		for _, name := range []string{"resume", "restart", "rate", "failed-to"} {
			if given(name) {
				return fmt.Errorf("--%s needs --batch FILE", name)
			}
		}
		return nil
	}
	for _, name := range []string{"file", "set", "set-string", "unset", "force"} {
		if given(name) {
			return fmt.Errorf("--batch and --%s contradict each other: the payloads are the lines of the batch", name)
		}
	}
	for _, name := range []string{"dry-run", "curl", "explain"} {
		if given(name) {
			return fmt.Errorf("--batch and --%s contradict each other: wsk send EVENT --%s shows one request", name, name)
		}
	}
	switch {
	case given("no-journal"):
		return errors.New("--batch and --no-journal contradict each other: the journal keeps a line from being sent twice")
	case b.resume && b.restart:
		return errors.New("--resume and --restart contradict each other: the former sends the rest, the latter every line")
	case b.File == "-":
		return errors.New("--batch does not accept stdin: a batch must be readable again to be resumed; write it to a file")
	}
	return nil
}

// limits returns the documented limits, or that of --rate.
func (b *Flags) limits() ([]deliver.Limit, error) {
	if b.rate == "" {
		return deliver.WorkSkedgeLimits(), nil
	}
	l, err := batch.ParseRate(b.rate)
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	return []deliver.Limit{l}, nil
}

// Job is a batch to send, as the flags of wsk send describe it.
type Job struct {
	Flags   *Flags
	Event   string // every line is of this event; "" if each line names its own
	Catalog *webhook.Catalog
	Source  string // the source member of an envelope around a line
	NoLint  bool

	Delivery deliver.Delivery // without the event
	Client   deliver.Client
	Policy   deliver.Policy
	Journal  *command.Journal

	Format  string
	Palette ui.Palette
}

// Run lints every line, sends those that have no answer yet, and writes the outcome
// of all of them.
func Run(ctx context.Context, env *command.Env, job *Job) error {
	b := &run{Job: job, env: env, began: env.Now()}
	if err := b.prepare(); err != nil {
		return err
	}
	source, err := b.open(ctx)
	if err != nil {
		return err
	}
	b.source = source
	defer func() { _ = source.Close() }() // it was only read
	if err := b.lint(ctx); err != nil {
		return err
	}
	j, err := b.Journal.Open(ctx, env, false)
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // what was written is on disk
	release, err := b.file.Lock(ctx, j, b.Delivery.URL)
	switch {
	case errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("%s is being sent by another process", b.Flags.File)
	case err != nil:
		return err
	}
	defer func() { _ = release() }() // the end of the process releases it, too
	if err := b.openLedger(ctx, j); err != nil {
		return err
	}
	before := b.file.Summary()
	err = b.send(ctx, j)
	failed := b.writeRefused(context.WithoutCancel(ctx))
	err = b.end(err, before)
	if failed != nil && ctx.Err() == nil { // else a script would read an old file
		if err != nil {
			fmt.Fprintln(env.Err, "wsk: "+ui.CleanLines(command.Message(err)))
		}
		return failed
	}
	return errors.Join(err, failed)
}

// run is one run of send --batch.
type run struct {
	*Job

	env    *command.Env
	linter batch.Linter
	limits []deliver.Limit
	began  time.Time

	source *os.File
	file   *batch.File
	ledger *journal.Batch
	view   *view
}

// prepare makes what lints and wraps the lines, and reads --rate.
func (b *run) prepare() (err error) {
	if b.Event != "" {
		definition, err := b.Catalog.Lookup(webhook.WorkSkedge, webhook.Inbound, b.Event)
		if err != nil {
			return command.SuggestForm(b.Catalog, b.Event, err)
		}
		b.linter.Wrap = func(line []byte) ([]byte, error) {
			return payload.Wrap(definition, line, payload.Head{Time: b.env.Now(), Source: b.Source})
		}
	}
	if !b.NoLint {
		linter, err := lint.New(lint.Config{Platform: webhook.WorkSkedge, Form: webhook.Inbound, Catalog: b.Catalog})
		if err != nil {
			return err
		}
		b.linter.Checker = linter.NewChecker()
	}
	b.limits, err = b.Flags.limits()
	return err
}

// open opens the file, which must be one that can be read again, and makes sure
// that the refused lines can be written at the end.
func (b *run) open(ctx context.Context) (*os.File, error) {
	name := b.Flags.File
	info, err := os.Stat(b.env.Path(name))
	switch {
	case err != nil:
		return nil, command.ReadingError(name, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file: a batch must be readable again to be resumed", name)
	}
	if err := b.checkFailedTo(info); err != nil {
		return nil, err
	}
	return b.env.Open(ctx, name)
}

// checkFailedTo makes sure, before hours go by, that the refused lines can be
// written: to another file than the batch, in a folder that allows it.
func (b *run) checkFailedTo(source fs.FileInfo) error {
	name := b.Flags.failedTo
	if name == "" {
		return nil
	}
	info, err := os.Stat(b.env.Path(name))
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("--failed-to %s: it is a folder: name a file in it", name)
	case err == nil && os.SameFile(info, source):
		return fmt.Errorf("--failed-to %s: it is the batch itself: name another file", name)
	}
	file, err := os.CreateTemp(filepath.Dir(b.env.Path(name)), ".wsk-failed-*")
	if err != nil {
		return command.WritingError(name, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// writeRefused writes the refused lines, all of them or no file. Without any
// the file is empty, so that a script can rely on it.
func (b *run) writeRefused(ctx context.Context) error {
	name := b.Flags.failedTo
	if name == "" {
		return nil
	}
	return command.WriteFile(b.env, name, func(w io.Writer) error { return b.file.WriteRefused(ctx, b.source, w) })
}

// lint reads the file once and shows everything that is wrong with it, before
// anything is sent.
func (b *run) lint(ctx context.Context) error {
	name := b.Flags.File
	size := int64(-1)
	if info, err := b.source.Stat(); err == nil {
		size = info.Size()
	}
	progress := command.NewReadProgress(b.env, name, size)
	faults := 0
	show := func(f report.Finding) {
		progress.Done()
		if f.Severity == report.Error {
			faults++
		}
		fmt.Fprintf(b.env.Err, "%s:%d:%d: %s: %s (%s)\n", ui.Clean(name), f.Line, f.Column, f.Severity, ui.Clean(f.Message), f.Rule)
	}
	var err error
	b.file, err = batch.Read(ctx, io.TeeReader(b.source, countingWriter(progress.Add)), func(l batch.Line) bool {
		findings, isEvent := b.linter.Check(l)
		for _, f := range findings {
			show(f)
		}
		return isEvent
	})
	if broken := new(webhook.SyntaxError); errors.As(err, &broken) {
		show(report.Finding{Line: broken.Line, Column: broken.Column, Severity: report.Error, Rule: "syntax", Message: broken.Reason})
		err = nil
	}
	progress.Done()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return command.ReadingError(name, err)
	case faults > 0 && b.NoLint:
		return command.No(fmt.Errorf("%s in %s, so nothing was sent: these lines are not events", ui.Plural(faults, "error"), name))
	case faults > 0:
		return command.No(fmt.Errorf("%s in %s, so nothing was sent; --no-lint sends what only contradicts the catalog", ui.Plural(faults, "error"), name))
	case b.file.Len() == 0:
		return fmt.Errorf("%s contains no event: did the program that wrote it stop early?", name)
	}
	if b.file.IsArray() {
		fmt.Fprintf(b.env.Err, "wsk: %s is a JSON array: line N is its element N\n", ui.Clean(name))
	}
	return nil
}

// countingWriter passes on how many bytes are written.
type countingWriter func(n int)

func (w countingWriter) Write(p []byte) (int, error) {
	w(len(p))
	return len(p), nil
}

// openLedger finds the ledger of the file, or begins one.
func (b *run) openLedger(ctx context.Context, j *journal.Journal) error {
	o := b.Flags
	ledger, earlier, err := b.file.Open(ctx, j, batch.Begin{
		URL: b.Delivery.URL, Name: filepath.Clean(b.env.Path(o.File)), Resume: o.resume, Restart: o.restart, Now: b.env.Now(),
	})
	var begun *batch.BegunError
	switch {
	case errors.As(err, &begun) && begun.Changed:
		return fmt.Errorf("%s, and it has changed since: restore the old file to resume it, or omit --resume to send every line of the new one", begunText(o.File, begun))
	case errors.As(err, &begun):
		return fmt.Errorf("%s; --resume sends the rest, --restart sends every line again", begunText(o.File, begun))
	case err != nil:
		return err
	case earlier != nil:
		fmt.Fprintf(b.env.Err, "wsk: warning: %s; it has changed since, so this is a new batch\n", ui.Clean(begunText(o.File, earlier)))
	}
	b.ledger = ledger
	return nil
}

// begunText describes how far an earlier batch of a file got.
func begunText(file string, e *batch.BegunError) string {
	return fmt.Sprintf("%s was begun on %s: %s of %s lines are answered", file,
		e.Started.UTC().Format(time.DateTime+" UTC"), ui.Thousands(e.Answered), ui.Thousands(e.Lines))
}

// target is the URL as it may be shown.
func (b *run) target() string { return webhook.RedactURL(b.Delivery.URL) }

// send sends the lines that have no answer yet.
func (b *run) send(ctx context.Context, j *journal.Journal) error {
	pacer := &batch.Pacer{Journal: j, Key: batch.Key(b.Delivery), Limits: b.limits, Within: b.Delivery.Timeout, Now: b.env.Now}
	b.view = newView(b.env, b.Palette, b.Format, b.file, pacer)
	defer b.view.end()
	pacer.Wait = b.view.wait
	stop := context.AfterFunc(ctx, b.view.interrupted)
	defer stop()
	client := b.Client
	client.Transport = watched{b.view, client.Transport}
	sender := batch.Sender{
		File: b.file, Source: b.source, Ledger: b.ledger, Pacer: pacer, Client: client, Make: b.make,
		Policy: b.Policy, Each: b.view.step,
	}
	err := sender.Run(ctx)
	if err == nil {
		err = b.view.fault
	}
	return err
}

// make returns the delivery of a line whose turn has come.
func (b *run) make(l batch.Line) (deliver.Delivery, error) {
	d := b.Delivery
	var err error
	d.Event, err = b.linter.Event(l)
	if d.WebhookID != "" {
		d.WebhookID = "msg_" + b.env.NewID()
	}
	return d, err
}
