// Command flood measures how long a receiver lets good senders wait, alone and
// beside a flood of large requests that it refuses. Good requests are signed and
// sent at a steady rate; those of the flood have a wrong signature and a body of
// 1 MiB, on a few connections, as fast as they are answered. It prints the 99th
// percentiles in milliseconds, without and with the flood, how many requests the
// flood had, how many answers of either were wrong (not 200 and not 401), and how
// many bytes the journal has grown by: QUIET FLOODED REQUESTS WRONG GROWN.
package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	rate := flag.Int("rate", 50, "good requests a second")
	length := flag.Duration("d", 10*time.Second, "for how long each half runs")
	connections := flag.Int("c", 4, "connections of the flood")
	size := flag.Int("size", 1<<20, "the bytes of a body of the flood")
	secret := flag.String("secret", "s3cret", "the signing secret")
	journal := flag.String("journal", "", "the receiver's journal")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "give one HOST:PORT")
		os.Exit(2)
	}
	s := &sender{
		url: "http://" + flag.Arg(0) + "/", secret: []byte(*secret), rate: *rate, began: time.Now(),
		client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}},
	}
	s.good(2 * time.Second) // warms up
	quiet := s.good(*length)
	before := sizeOf(*journal)
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for range *connections {
		wait.Go(func() { s.flood(ctx, bytes.Repeat([]byte("x"), *size)) })
	}
	flooded := s.good(*length)
	stop()
	wait.Wait()
	fmt.Printf("%.2f %.2f %d %d %d\n", quiet, flooded, s.refused.Load(), s.wrong.Load(), sizeOf(*journal)-before)
}

// sizeOf returns the bytes of a journal and of its write-ahead log.
func sizeOf(path string) (n int64) {
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			n += info.Size()
		}
	}
	return n
}

type sender struct {
	url    string
	secret []byte
	rate   int
	client http.Client
	began  time.Time

	count, refused, wrong atomic.Int64
}

// good sends at the rate for a time, and returns the 99th percentile of the
// answers in milliseconds, counted from when each request was due.
func (s *sender) good(length time.Duration) float64 {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var took []time.Duration
	began := time.Now()
	for n := range int(length.Seconds() * float64(s.rate)) {
		due := began.Add(time.Duration(n) * time.Second / time.Duration(s.rate))
		time.Sleep(time.Until(due))
		wait.Go(func() {
			id := fmt.Sprintf("%d-%d", s.began.UnixNano(), s.count.Add(1))
			body := []byte(`{"event_id":"` + id + `","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{"id":"` + id + strings.Repeat("x", 1000) + `"}}`)
			stamp := strconv.FormatInt(time.Now().Unix(), 10)
			mac := hmac.New(sha256.New, s.secret)
			mac.Write([]byte(stamp + "."))
			mac.Write(body)
			if status := s.post(context.Background(), body, stamp, hex.EncodeToString(mac.Sum(nil)), id); status != http.StatusOK {
				s.wrong.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due))
		})
	}
	wait.Wait()
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds()) / 1000
}

// flood sends until ctx ends.
func (s *sender) flood(ctx context.Context, body []byte) {
	for ctx.Err() == nil {
		status := s.post(ctx, body, strconv.FormatInt(time.Now().Unix(), 10), strings.Repeat("0", 64), "flood")
		if ctx.Err() != nil {
			return
		}
		if status != http.StatusUnauthorized {
			s.wrong.Add(1)
		}
		s.refused.Add(1)
	}
}

// post sends a request and returns the status of the answer, or 0.
func (s *sender) post(ctx context.Context, body []byte, stamp, signature, id string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("X-Webhook-Timestamp", stamp)
	r.Header.Set("X-Webhook-Signature", signature)
	r.Header.Set("X-Webhook-ID", id)
	answer, err := s.client.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}
