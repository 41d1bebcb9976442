//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	senders     = 8                     // of deliveries to the listener, and half as many of events to the sandbox
	pause       = 20 * time.Millisecond // after each
	failEvery   = 50                    // the app answers one in so many with 503
	secretText  = "soak"
	apiKey      = "key"
	concurrency = 16 // of listen's forwarder: how many a kill can leave undecided
)

// world is the servers and those around them.
type world struct {
	wsk, dir      string
	env           []string
	app           *httptest.Server
	listener, box *server
	client        deliver.Client
	secret        webhook.Secret
	numbers       atomic.Int64

	mu      sync.Mutex
	handed  map[string]int // how often the app accepted a delivery, by its id
	told    map[string]int // how often the subscriber was told of a vendor, by its name
	asked   int            // how often the app was asked
	refused int            // and answered with 503

	kills, full atomic.Int64 // of the turn: the listener's kills, the answers of 503 by a server
	began       time.Time    // of the turn
}

func newWorld(_ context.Context, wsk, dir string) (*world, error) {
	w := &world{
		wsk: wsk, dir: dir, env: []string{"HOME=" + dir, "NO_COLOR=1", "WSK_JOURNAL=" + filepath.Join(dir, "journal.db")},
		client: deliver.Client{Transport: deliver.NewTransport(), Now: time.Now},
		handed: map[string]int{}, told: map[string]int{},
	}
	var err error
	if w.secret, err = webhook.NewSecret(secretText); err != nil {
		return nil, err
	}
	w.client.NewID = func() string { return fmt.Sprintf("rec_%d", w.numbers.Add(1)) }
	w.app = httptest.NewServer(http.HandlerFunc(w.answer))
	w.listener = &server{wsk: wsk, env: w.env, args: []string{
		"listen", "--json", "--port", "PORT", "--secret", secretText, "--forward-to", w.app.URL, "--forward-retries", "10",
	}}
	w.box = &server{wsk: wsk, env: w.env, args: []string{
		"sandbox", "--json", "--port", "PORT", "--secret", secretText, "--api-key", apiKey, "--no-limits",
		"--data", filepath.Join(dir, "box.db"), "--subscribe", w.app.URL + "/box",
	}}
	if err := errors.Join(w.listener.start(), w.box.start()); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	w.listener.stop(os.Interrupt)
	w.box.stop(os.Interrupt)
	w.app.Close()
}

var name = regexp.MustCompile(`"vendor_name":"(vendor-[0-9]+)"`)

// answer is the app behind the listener, and the subscriber of the sandbox.
func (w *world) answer(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.URL.Path == "/box" {
		if found := name.FindSubmatch(body); found != nil {
			w.told[string(found[1])]++
		}
		return
	}
	if w.asked++; w.asked%failEvery == 0 {
		w.refused++
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.handed[r.Header.Get(webhook.HeaderID)]++
}

// load sends from several senders until ctx ends, and returns what was answered with
// 200. An answer other than 200 or 5xx is a fault.
func (w *world) load(ctx context.Context) (deliveries, events []string, faults []error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	work := func(n int, next func() (id string, d func() deliver.Delivery), again bool, to *[]string) {
		for range n {
			wait.Go(func() {
				for ctx.Err() == nil {
					id, d := next()
					ok, err := w.send(ctx, d, again)
					mu.Lock()
					if ok {
						*to = append(*to, id)
					}
					if err != nil {
						faults = append(faults, fmt.Errorf("%s: %w", id, err))
					}
					mu.Unlock()
					sleep(ctx, pause)
				}
			})
		}
	}
	work(senders, w.delivery, true, &deliveries)
	work(senders/2, w.event, false, &events)
	wait.Go(func() { w.flood(ctx) })
	wait.Wait()
	return deliveries, events, faults
}

// send makes an attempt and reports whether it was answered with 200. With again it
// makes more until it was, as a sender does that does not know.
func (w *world) send(ctx context.Context, delivery func() deliver.Delivery, again bool) (ok bool, err error) {
	for {
		d := delivery()
		d.Secret, d.Timeout = w.secret, 20*time.Second
		record, err := w.client.Attempt(context.WithoutCancel(ctx), d, 0)
		switch status := record.Status(); {
		case err != nil:
			return false, err
		case status == http.StatusOK:
			return true, nil
		case status >= 500:
			w.full.Add(1)
		case status != 0:
			return false, fmt.Errorf("it was answered with %d: %s", status, record.Response.Body)
		}
		if !again || ctx.Err() != nil {
			return false, nil
		}
		sleep(ctx, pause)
	}
}

// delivery returns a new delivery to the listener.
func (w *world) delivery() (id string, d func() deliver.Delivery) {
	id = fmt.Sprintf("whk_%d", w.numbers.Add(1))
	raw := fmt.Appendf(nil, `{"event_type":"work_order.created","event_id":%q,"timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{"notes":%q}}`, id, strings.Repeat("x", 600))
	return id, func() deliver.Delivery {
		return deliver.Delivery{URL: w.listener.address(), Event: webhook.Event{Raw: raw}, WebhookID: id}
	}
}

// event returns a new event for the sandbox, which makes a vendor.
func (w *world) event() (name string, d func() deliver.Delivery) {
	name = fmt.Sprintf("vendor-%d", w.numbers.Add(1))
	raw := fmt.Appendf(nil, `{"event_type":"vendor.created","timestamp":"2026-01-15T14:30:00Z","source":"soak","data":{"vendor_name":%q}}`, name)
	return name, func() deliver.Delivery {
		return deliver.Delivery{URL: w.box.address(), Event: webhook.Event{Raw: raw}, Header: deliver.Inbound(apiKey, "custom")}
	}
}

// flood sends requests that the listener refuses.
func (w *world) flood(ctx context.Context) {
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.listener.address(), strings.NewReader(strings.Repeat("x", 5000)))
		if err == nil {
			var answer *http.Response
			if answer, err = w.client.Transport.RoundTrip(r); err == nil {
				_ = answer.Body.Close()
			}
		}
		sleep(ctx, 2*pause)
	}
}

// read runs the commands that read the journal.
func (w *world) read(ctx context.Context) error {
	for ctx.Err() == nil {
		for _, command := range []struct {
			line string
			read func(io.Reader) error
		}{
			{"journal list --limit 0 --json", valid},
			{"journal list --limit 0 --failed", discard},
			{"journal export", discard},
			{"journal list --since 10s --format ndjson", discard},
			{"replay --failed --secret " + secretText + " --to " + w.app.URL, discard},
		} {
			if err := run(ctx, w.wsk, w.env, command.read, strings.Fields(command.line)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// valid reads one JSON document.
func valid(r io.Reader) error {
	decoder := json.NewDecoder(r)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// kill kills the servers again and again.
func (w *world) kill(ctx context.Context) error {
	for sleep(ctx, time.Duration(500+rand.IntN(2500))*time.Millisecond) {
		w.kills.Add(1)
		if err := w.listener.restart(); err != nil {
			return err
		}
		if !sleep(ctx, time.Duration(rand.IntN(1000))*time.Millisecond) {
			break
		}
		if err := w.box.restart(); err != nil {
			return err
		}
	}
	return nil
}

// prune deletes the records of the turns before this one.
func (w *world) prune(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := run(ctx, w.wsk, w.env, discard, "journal", "prune", "--older-than", w.since()); err != nil {
			return err
		}
		sleep(ctx, time.Second)
	}
	return nil
}

// since is the time of the turn as wsk reads it.
func (w *world) since() string { return w.began.UTC().Format(time.RFC3339) }

// fillDisk fills the disk for a few seconds at a time, and makes room again.
func (w *world) fillDisk(ctx context.Context) error {
	path := filepath.Join(w.dir, "ballast")
	defer func() { _ = os.Remove(path) }()
	for ctx.Err() == nil {
		if err := fill(path); err != nil {
			return err
		}
		sleep(ctx, 3*time.Second)
		if err := os.Remove(path); err != nil {
			return err
		}
		sleep(ctx, 3*time.Second)
	}
	return nil
}

// fill writes a file until the disk is full.
func fill(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	for block := make([]byte, 1<<20); len(block) > 0 && err == nil; {
		if _, err = file.Write(block); errors.Is(err, syscall.ENOSPC) {
			block, err = block[:len(block)/2], nil
		}
	}
	return errors.Join(err, file.Close())
}

// everything kills, reads and prunes at once.
func (w *world) everything(ctx context.Context) error {
	faults := make([]error, 3)
	var wait sync.WaitGroup
	for i, do := range []func(context.Context) error{w.kill, w.read, w.prune} {
		wait.Go(func() { faults[i] = do(ctx) })
	}
	wait.Wait()
	return errors.Join(faults...)
}

// sleep waits, and reports whether ctx still lasts.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
