package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/internal/webhooktest"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// The variables that make the test binary a receiver.
const (
	receiverRole   = "WSK_TEST_RECEIVER"
	receiverFolder = "WSK_TEST_FOLDER" // of the journal, and of the file of what was handled
	receiverNumber = "WSK_TEST_NUMBER" // each has a queue of its own
)

// The roles of a receiver.
const (
	inHandler   = "handled before the answer"
	inForwarder = "acknowledged first"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(receiverRole); role != "" {
		in, out, problems := os.Stdin, os.Stdout, os.Stderr //nolint:forbidigo // this is the edge of a process
		if err := runReceiver(role, os.Getenv(receiverFolder), in, out); err != nil {
			_, _ = fmt.Fprintln(problems, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runReceiver serves on a port of its own, which it writes to out, until in ends.
func runReceiver(role, folder string, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	j, err := journal.Open(ctx, filepath.Join(folder, "journal.db"), journal.Options{})
	if err != nil {
		return err
	}
	secret, err := webhook.NewSecret("s")
	if err != nil {
		return err
	}
	c := receive.Config{Secrets: []webhook.Secret{secret}, Store: j, App: handleIn(folder)}
	if role == inForwarder {
		queue, err := j.Queue(ctx, "app "+os.Getenv(receiverNumber))
		if err != nil {
			return err
		}
		forwarder, err := receive.NewForwarder(receive.ForwarderConfig{Queue: queue, App: handleIn(folder), Retries: 5})
		if err != nil {
			return err
		}
		defer func() { // when the server has ended: what is due is handled
			grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel() // nobody ends a receiver whose test has ended
			forwarder.Shutdown(grace)
		}()
		c.Store, c.App = forwarder, nil
	}
	handler, err := receive.New(c)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	go func() {
		_, _ = in.Read(make([]byte, 1))
		stop()
	}()
	return receive.Serve(ctx, listener, handler)
}

// handleIn returns an App that appends the event id to a file, whose lines are its effect.
func handleIn(folder string) receive.App {
	return func(_ context.Context, e *webhook.Event, _ *webhook.Record) webhook.Response {
		f, err := os.OpenFile(filepath.Join(folder, "handled"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintln(f, e.ID)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return receive.Status(http.StatusServiceUnavailable)
		}
		<-time.After(rand.N(20 * time.Millisecond)) // so that some kills hit between the effect and the answer
		return receive.OK()
	}
}

// processes are two receivers in processes of their own, on one journal.
type processes struct {
	role, folder string
	posts        atomic.Int64 // how many requests were sent

	restarts sync.Mutex // is held during one
	mu       sync.Mutex
	running  [2]*process
}

// process is a receiver, which ends when its input does.
type process struct {
	cmd      *exec.Cmd
	stdin    io.Closer
	problems *bytes.Buffer // its stderr, once it has ended
	url      string
}

func newProcesses(t *testing.T, role string) *processes {
	t.Helper()
	p := &processes{role: role, folder: t.TempDir()}
	for n := range p.running {
		one, err := p.start(n)
		if err != nil {
			t.Fatal(err)
		}
		p.running[n] = one
	}
	t.Cleanup(func() {
		for _, one := range p.running {
			_ = one.cmd.Process.Kill()
			_ = one.cmd.Wait()
		}
	})
	return p
}

// start starts the nth process, and returns once it listens.
func (p *processes) start(n int) (*process, error) {
	cmd := exec.Command(os.Args[0]) // it ends by a kill, or with its input
	cmd.Env = append(os.Environ(), receiverRole+"="+p.role, receiverFolder+"="+p.folder, receiverNumber+"="+strconv.Itoa(n))
	problems := &bytes.Buffer{}
	cmd.Stderr = problems
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("receiver %d has not started: %w: %s", n, errors.Join(err, cmd.Wait()), problems)
	}
	return &process{cmd, stdin, problems, "http://" + strings.TrimSpace(address)}, nil
}

// url returns where the nth process listens now.
func (p *processes) url(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[n%2].url
}

// restart kills the nth process with whatever it is at, and starts it again. The requests
// to the other go on meanwhile.
func (p *processes) restart(n int) error {
	p.restarts.Lock()
	defer p.restarts.Unlock()
	p.mu.Lock()
	killed := p.running[n]
	p.mu.Unlock()
	_ = killed.cmd.Process.Kill()
	_ = killed.cmd.Wait() // its error is the kill
	again, err := p.start(n)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[n] = again
	return nil
}

// stop lets the processes end what they are at.
func (p *processes) stop(t *testing.T) {
	t.Helper()
	for _, one := range p.running {
		_ = one.stdin.Close()
		if err := one.cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, one.problems)
		}
	}
}

// deliver sends each of 4 events 16 times at once, in turn to both processes, and each
// again until it is answered with 200. Some of the first 64 requests kill a process.
func (p *processes) deliver(t *testing.T, ids []string, kills int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	killers := map[int64]bool{}
	for len(killers) < kills {
		killers[p.posts.Load()+1+rand.Int64N(64)] = true
	}
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			for try := 0; t.Context().Err() == nil; try++ {
				if killers[p.posts.Add(1)] { // while the others are on their way
					wg.Go(func() {
						if err := p.restart(n % 2); err != nil {
							t.Error(err)
						}
					})
				}
				switch status := post(client, p.url(n/4+try), ids[n%4]); status {
				case http.StatusOK:
					return
				case 0, http.StatusServiceUnavailable: // the process was killed, or another has the delivery
					<-time.After(10 * time.Millisecond) // the processes have a clock of their own
				default:
					t.Errorf("answered with %d", status)
					return
				}
			}
		})
	}
	wg.Wait()
}

// post delivers an event, and returns the status; 0 without an answer.
func post(client *http.Client, url, id string) int {
	body := fmt.Sprintf(`{"event_id":%q,"event_type":"work_order.created","company_id":"co_1","data":{}}`, id)
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header.Set(webhook.HeaderTimestamp, stamp)
	request.Header.Set(webhook.HeaderSignature, webhooktest.HexHMAC("s", stamp+"."+body))
	request.Header.Set(webhook.HeaderID, id)
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// handled counts the effects of the app, by event.
func (p *processes) handled(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.folder, "handled"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}

// accepted counts the records of deliveries that were accepted and answered with 200.
func (p *processes) accepted(t *testing.T) map[string]int {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(p.folder, "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	counts := map[string]int{}
	for r, err := range j.Records(t.Context(), journal.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict.Outcome == webhook.Accepted && r.Response != nil && r.Response.Status == http.StatusOK {
			counts[r.WebhookID]++
		}
	}
	return counts
}

// TestProcesses delivers 64 requests over 4 events to two processes on one journal, which
// are killed meanwhile. Each event is in the journal once, and its effect occurs once, and
// once more at most for a kill between it and the commit that says so.
func TestProcesses(t *testing.T) {
	t.Parallel()
	for _, role := range []string{inHandler, inForwarder} {
		for _, kills := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s, %d kills a round", role, kills), func(t *testing.T) {
				t.Parallel()
				const rounds = 5
				p := newProcesses(t, role)
				id := func(round, n int) string { return fmt.Sprintf("evt_%d_%d", round, n) }
				for round := range rounds {
					p.deliver(t, []string{id(round, 0), id(round, 1), id(round, 2), id(round, 3)}, kills)
				}
				p.stop(t)
				handled, accepted, twice := p.handled(t), p.accepted(t), 0
				for round := range rounds {
					most := 1 + kills
					if role == inForwarder {
						most = 1 + kills*rounds // an event may wait for rounds
					}
					for n := range 4 {
						id := id(round, n)
						if handled[id] < 1 || handled[id] > most || accepted[id] != 1 {
							t.Errorf("%s was handled %d times, want 1 to %d, and is %d times in the journal, want once", id, handled[id], most, accepted[id])
						}
						twice += max(handled[id]-1, 0)
					}
				}
				t.Logf("%d events, %d kills, %d handled again", 4*rounds, kills*rounds, twice)
			})
		}
	}
}
