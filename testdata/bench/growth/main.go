//go:build linux

// Command growth measures how the time and the memory of each command that reads or
// writes a journal grow with the journal:
//
//	growth [-sizes 1000,10000,100000,1000000] [-only NAME] WSK
//
// It makes a journal of each size, runs the commands of the program WSK on it, and
// prints a table: for each command and size the seconds, the microseconds for each
// record, and the peak of the resident memory. The exit code is 1 unless every
// command keeps its promise on the largest journal: its time for each record is at
// most half more than on the journal before, and its memory at most 16 MB more.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	// steeper is how much more a record may cost on the largest journal than on the
	// one before: its indexes are deeper by a level.
	steeper = 1.5
	// heavier is how much more memory a command may take there, in KiB. The garbage
	// collector lets a heap of constant size vary by this much.
	heavier = 16 << 10
	// failedEvery is which records are those of deliveries that failed.
	failedEvery = 1000
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("growth: ")
	sizes := flag.String("sizes", "1000,10000,100000,1000000", "how many records the journals have")
	only := flag.String("only", "", "measure the commands that contain `TEXT`")
	fill := flag.String("fill", "", "only make a journal of the first size at `PATH`")
	began := flag.Int64("began", 0, "when the first record of that came, in Unix seconds")
	flag.Parse()
	counts, err := parse(*sizes)
	switch {
	case err != nil:
	case *fill != "":
		err = makeJournal(context.Background(), *fill, counts[0], time.Unix(*began, 0))
	case flag.NArg() != 1:
		err = errors.New("give the path of wsk")
	default:
		err = measure(flag.Arg(0), counts, *only)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func parse(sizes string) (counts []int, err error) {
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 10 || len(counts) > 0 && n <= counts[len(counts)-1] {
			return nil, fmt.Errorf("-sizes %s: write numbers from 10, the smallest first", sizes)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// interval is the time between two records.
const interval = 10 * time.Second

// random returns what looks random in the ids of the nth record.
func random(n int) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return hex.EncodeToString(sum[:8])
}

// recordID returns the id of the nth record, which came at a time, as wsk makes it: ids
// grow with time.
func recordID(n int, at time.Time) string {
	return "rec_" + strconv.FormatInt(at.UnixMilli(), 32) + random(n)
}

// webhookID returns the id of the nth delivery. Those come in no order.
func webhookID(n int) string { return "whk_" + random(-n) }

// record returns the nth of a journal's records, from 0: that of a delivery that
// succeeded, or now and then of one that failed.
func record(n int, at time.Time, body []byte) webhook.Record {
	status, outcome := http.StatusOK, webhook.Accepted
	if n%failedEvery == 0 {
		status, outcome = http.StatusServiceUnavailable, webhook.Failed
	}
	return webhook.Record{
		ID: recordID(n, at), Time: at, Direction: webhook.Received,
		Platform: webhook.WorkSkedge, Form: webhook.Outbound, Event: "work_order.created", WebhookID: webhookID(n), Scheme: "timestamp.body",
		Request: webhook.Request{
			Method: http.MethodPost, URL: "/hooks", Body: body,
			Header: webhook.Header{
				{Name: "Content-Type", Value: "application/json"}, {Name: webhook.HeaderEvent, Value: "work_order.created"},
				{Name: webhook.HeaderSignature, Value: fmt.Sprintf("%x", sha256.Sum256(body))}, {Name: webhook.HeaderTimestamp, Value: strconv.FormatInt(at.Unix(), 10)},
			},
		},
		Verdict:  &webhook.Verdict{Outcome: outcome, Verified: true},
		Response: &webhook.Response{Status: status, Body: []byte(`{"received":true}`)}, Duration: 3 * time.Millisecond,
	}
}

// makeJournal makes a journal as a receiver would.
func makeJournal(ctx context.Context, path string, n int, began time.Time) (err error) {
	j, err := journal.Open(ctx, path, journal.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	numbers := make(chan int)
	var senders sync.WaitGroup
	var once sync.Once
	for range 128 {
		senders.Go(func() {
			for i := range numbers {
				at := began.Add(time.Duration(i) * interval)
				body := fmt.Appendf(nil, `{"event_type":"work_order.created","event_id":"evt_%s","company_id":"c_1","data":{"n":%d,"notes":%q}}`, random(i), i, strings.Repeat("x", 600))
				r := record(i, at, body)
				mark := &receive.Mark{ID: r.WebhookID, Signed: sha256.Sum256(body), Body: sha256.Sum256(body), Accepted: true, Time: at}
				if fault := j.Keep(ctx, receive.Receipt{Record: r, Mark: mark}); fault != nil {
					once.Do(func() { err = fault })
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	senders.Wait()
	return err
}

// work is a command to measure.
type work struct {
	name   string
	args   []string
	server bool // it is ready when it writes a line, and is stopped then
}

// works are the commands, in an order that leaves the journal whole until the last.
// In their arguments FILE, COPY and APP stand for an export, another journal and a
// receiver's URL, FIRST and LAST for the ids of records, WEBHOOK for that of a
// delivery, and HALF for the time in the middle.
func works() []work {
	all := []work{
		{name: "listen, until it is ready", server: true},
		{name: "journal path"},
		{name: "journal list"},
		{name: "journal list --limit 0"},
		{name: "journal list --limit 0 --json"},
		{name: "journal list --limit 0 --format ndjson"},
		{name: "journal list --limit 0 --failed"},
		{name: "journal list --limit 0 --since 2h"},
		{name: "journal list --limit 0 --since HALF --json"},
		{name: "journal list --event work_order.updated"},
		{name: "journal show FIRST"},
		{name: "journal show FIR…"},
		{name: "journal show WEBHOOK"},
		{name: "journal export -o FILE"},
		{name: "journal export --json --until HALF"},
		{name: "journal import FILE --journal COPY"},
		{name: "journal import FILE --journal COPY, again"},
		{name: "verify FIRST --secret s --tolerance off"},
		{name: "replay --failed --to APP --secret s --format ndjson"},
		{name: "journal prune --older-than HALF --dry-run"},
		{name: "journal prune --older-than HALF"},
	}
	for i := range all {
		command, _, _ := strings.Cut(all[i].name, ",")
		all[i].args = strings.Fields(command)
	}
	all[0].args = strings.Fields("listen --port 0 --secret s --json")
	return all
}

// cost is what a command took.
type cost struct {
	took time.Duration
	kib  int64
}

func measure(wsk string, counts []int, only string) error {
	wsk, err := filepath.Abs(wsk)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wsk-growth-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer app.Close()
	var chosen []work
	for _, w := range works() {
		if strings.Contains(w.name, only) {
			chosen = append(chosen, w)
		}
	}
	costs := make([][]cost, len(chosen)) // by command and size
	for _, n := range counts {
		place := filepath.Join(dir, strconv.Itoa(n))
		if err := os.Mkdir(place, 0o700); err != nil {
			return err
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		began := time.Now().Add(-time.Hour - time.Duration(n)*interval).Truncate(time.Second)
		log.Printf("making a journal of %d records", n)
		// In another process, whose memory does not count: that of a parent does.
		fill := exec.Command(self, "-sizes", strconv.Itoa(n), "-began", strconv.FormatInt(began.Unix(), 10), "-fill", filepath.Join(place, "journal.db"))
		fill.Stderr = os.Stderr
		if err := fill.Run(); err != nil {
			return fmt.Errorf("making the journal: %w", err)
		}
		words := strings.NewReplacer(
			"FILE", filepath.Join(place, "all.ndjson"), "COPY", filepath.Join(place, "copy.db"), "APP", app.URL,
			"FIRST", recordID(0, began), "FIR…", recordID(0, began)[:16], "WEBHOOK", webhookID(n/2),
			"HALF", began.Add(time.Duration(n/2)*interval).UTC().Format(time.RFC3339),
		)
		for i, w := range chosen {
			args := make([]string, len(w.args))
			for i, arg := range w.args {
				args[i] = words.Replace(arg)
			}
			c, err := run(wsk, place, args, w.server)
			if err != nil {
				return fmt.Errorf("wsk %s: %w", strings.Join(args, " "), err)
			}
			log.Printf("%8d  %-55s %8.2f s  %6.1f MB", n, w.name, c.took.Seconds(), float64(c.kib)*1024/1e6)
			costs[i] = append(costs[i], c)
		}
		if err := os.RemoveAll(place); err != nil {
			return err
		}
	}
	return report(chosen, counts, costs)
}

// run runs wsk and returns what it took. A server is stopped when it has written a
// line, and the time ends then.
func run(wsk, place string, args []string, server bool) (cost, error) {
	cmd := exec.Command(wsk, args...)
	cmd.Dir = place
	cmd.Env = []string{"HOME=" + place, "WSK_JOURNAL=" + filepath.Join(place, "journal.db"), "NO_COLOR=1"}
	var said strings.Builder
	cmd.Stderr = &said
	var out io.Reader
	if server {
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			return cost{}, err
		}
		out = pipe
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	var took time.Duration
	if server {
		_, err := bufio.NewReader(out).ReadString('\n')
		took = time.Since(began)
		if err == nil {
			err = cmd.Process.Signal(os.Interrupt)
		}
		if err != nil {
			_ = cmd.Process.Kill()
			return cost{}, errors.Join(err, cmd.Wait(), errors.New(said.String()))
		}
	}
	err := cmd.Wait()
	if !server {
		took = time.Since(began)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 { // the signatures are not those of the secret
		err = nil
	}
	if err != nil || !ok {
		return cost{}, fmt.Errorf("%w: %s", err, said.String())
	}
	return cost{took, usage.Maxrss}, nil
}

// report prints the table, and returns an error unless all the promises are kept.
func report(chosen []work, counts []int, costs [][]cost) error {
	fmt.Printf("%-50s", "records")
	for _, n := range counts {
		fmt.Printf("  %25d", n)
	}
	fmt.Println()
	var broken []string
	for i, w := range chosen {
		fmt.Printf("%-50s", w.name)
		for k, c := range costs[i] {
			fmt.Printf("  %7.2f s %6.1f µs %4.0f MB", c.took.Seconds(), perRecord(c, counts[k]), float64(c.kib)*1024/1e6)
		}
		if !isLinear(costs[i], counts) {
			fmt.Print("  grows")
			broken = append(broken, w.name)
		}
		fmt.Println()
	}
	if len(broken) > 0 {
		return fmt.Errorf("the time for a record, or the memory, grows with the journal: %s", strings.Join(broken, "; "))
	}
	return nil
}

// perRecord returns the microseconds for each record.
func perRecord(c cost, n int) float64 { return c.took.Seconds() * 1e6 / float64(n) }

// isLinear compares the largest journal with the one before.
func isLinear(costs []cost, counts []int) bool {
	last := len(costs) - 1
	if last == 0 {
		return true
	}
	return perRecord(costs[last], counts[last]) <= steeper*perRecord(costs[last-1], counts[last-1]) && costs[last].kib <= costs[last-1].kib+heavier
}
