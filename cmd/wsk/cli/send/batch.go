package send

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/internal/batch"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// batchFlags are the flags of send --batch alone.
type batchFlags struct {
	file     string
	rate     string
	failedTo string
	resume   bool
	restart  bool
}

func (b *batchFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&b.file, "batch", "", "send each line of `FILE`, NDJSON: a whole envelope, a record, or with EVENT the data object alone")
	f.BoolVar(&b.resume, "resume", false, "with --batch: send the lines that have no answer yet")
	f.BoolVar(&b.restart, "restart", false, "with --batch: send every line, those that have an answer too")
	f.StringVar(&b.rate, "rate", "", "with --batch: at most `N/s`, N/m or N/h, in place of the documented 50 a minute and 1,000 an hour")
	f.StringVar(&b.failedTo, "failed-to", "", "with --batch: write the refused lines to `FILE`, as they are")
}

// args lets EVENT be left out where each line names its own.
func (b *batchFlags) args(cmd *cobra.Command, args []string) error {
	if !cmd.Flags().Changed("batch") || len(args) > 1 {
		return command.ExactArgs(1, "EVENT")(cmd, args)
	}
	return nil
}

// check refuses what cannot go with --batch, and what goes with it alone.
func (b *batchFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if !given("batch") {
		for _, name := range []string{"resume", "restart", "rate", "failed-to"} {
			if given(name) {
				return fmt.Errorf("--%s goes with --batch FILE", name)
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
		return errors.New("--batch and --no-journal contradict each other: the journal is what keeps a line from being sent twice")
	case b.resume && b.restart:
		return errors.New("--resume and --restart contradict each other: the one sends the rest, the other every line")
	case b.file == "-":
		return errors.New("--batch does not take stdin: a batch must be readable again to be resumed; write it to a file")
	case b.file == "":
		return errors.New("--batch: the name of the file is empty: is a variable not set?")
	}
	return nil
}

// limits are the documented ones, or --rate.
func (b *batchFlags) limits() ([]journal.Limit, error) {
	if b.rate == "" {
		return batch.Documented(), nil
	}
	l, err := batch.ParseRate(b.rate)
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	return []journal.Limit{l}, nil
}

// sendBatch lints every line, sends those that have no answer yet, and writes
// what became of them all.
func sendBatch(ctx context.Context, env *command.Env, cfg *config.Config, o *options, args []string) error {
	b := &batchRun{env: env, o: o, began: env.Now()}
	if err := b.prepare(cfg, args); err != nil {
		return err
	}
	source, err := b.open()
	if err != nil {
		return err
	}
	b.source = source
	defer func() { _ = source.Close() }() // it was only read
	if err := b.survey(ctx); err != nil {
		return err
	}
	j, err := o.journal.Open(ctx, env, false)
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // what was put is on disk
	release, err := b.lock(ctx, j)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // it ends with the process, too
	if err := b.openLedger(ctx, j); err != nil {
		return err
	}
	before := b.file.Summary()
	err = b.run(ctx, j)
	failed := b.writeRefused(context.WithoutCancel(ctx))
	err = b.end(err, before)
	if failed != nil && ctx.Err() == nil { // a script would read an old file
		if err != nil {
			fmt.Fprintln(env.Err, "wsk: "+ui.CleanLines(command.Message(err)))
		}
		return failed
	}
	return errors.Join(err, failed)
}

// batchRun is one run of send --batch.
type batchRun struct {
	env        *command.Env
	o          *options
	palette    ui.Palette
	linter     *batchLinter
	definition *webhook.Definition // of EVENT; nil: each line names its own
	delivery   *deliver.Delivery   // but for the event
	limits     []journal.Limit
	retries    int
	began      time.Time

	source *os.File
	file   *batch.File
	ledger *journal.Batch
	view   *batchView
}

// prepare settles everything but the lines.
func (b *batchRun) prepare(cfg *config.Config, args []string) error {
	own, files, err := b.o.settings.Catalog(b.env, cfg)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		d, err := own.Lookup(webhook.WorkSkedge, webhook.Inbound, args[0])
		if err != nil {
			return err
		}
		b.definition = &d
	}
	if b.delivery, err = b.o.delivery(b.env, cfg); err != nil {
		return err
	}
	if b.limits, err = b.o.batch.limits(); err != nil {
		return err
	}
	if b.retries, err = command.Retries(cfg); err != nil {
		return err
	}
	if b.palette, err = command.Palette(b.env, cfg, b.env.OutTTY); err != nil {
		return err
	}
	b.linter = newBatchLinter(b.env, b.o, files, b.definition, cfg.Origin.Text)
	return nil
}

// open opens the file, which must be one that can be read again, and sees to
// it that the refused lines can be written when the time comes.
func (b *batchRun) open() (*os.File, error) {
	name := b.o.batch.file
	file, err := b.env.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = command.ReadingError(name, err)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is no regular file: a batch must be readable again to be resumed", name)
	default:
		err = b.checkFailedTo(info)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// target is the URL as it may be shown.
func (b *batchRun) target() string { return webhook.RedactURL(b.delivery.URL) }

// run sends what has no answer yet.
func (b *batchRun) run(ctx context.Context, j *journal.Journal) error {
	env := b.env
	pacer := &batch.Pacer{
		Journal: j, Key: slotKey(b.delivery), Limits: b.limits, Within: within(b.delivery),
		Now: env.Now, Elapsed: func() time.Duration { return env.Now().Sub(b.began) },
	}
	b.view = newBatchView(env, b.palette, b.o.output.Format, b.file, pacer)
	defer b.view.end()
	pacer.Wait = b.view.wait
	stop := context.AfterFunc(ctx, b.view.interrupted)
	defer stop()
	sender := batch.Sender{
		File: b.file, Source: b.source, Ledger: b.ledger, Pacer: pacer, Make: b.make,
		Retries: b.retries, RetryUnknown: b.o.retryUnknown, Jitter: env.Jitter, Each: b.view.step,
		Client: deliver.Client{Transport: b.view.watch(env.Transport), Now: env.Now, NewID: env.RecordID, UserAgent: command.UserAgent()},
	}
	err := sender.Run(ctx)
	if err == nil {
		err = b.view.fault
	}
	return err
}

// make makes the delivery of a line whose turn has come.
func (b *batchRun) make(l batch.Line) (deliver.Delivery, error) {
	d := *b.delivery
	var err error
	d.Event, _, err = b.linter.event(l.Text(), b.env.Now())
	if d.WebhookID != "" {
		d.WebhookID = "msg_" + b.env.NewID()
	}
	return d, err
}

// within is how long a request of a delivery can be on its way.
func within(d *deliver.Delivery) time.Duration {
	if d.Timeout <= 0 {
		return deliver.DefaultTimeout
	}
	return d.Timeout
}

// slotKey names whose rate limits a delivery counts against.
func slotKey(d *deliver.Delivery) string {
	key := d.Header.Get(webhook.HeaderAPIKey)
	if d.Override.Has(webhook.HeaderAPIKey) {
		key = d.Override.Get(webhook.HeaderAPIKey)
	}
	host := ""
	if u, err := url.Parse(d.URL); err == nil {
		host = u.Host
	}
	return batch.Key(key, host)
}
