// Command flood measures how long a receiver lets good senders wait, or is what it
// lets them wait for.
//
//	flood -rate 50 -d 10s ADDRESS   sends signed requests at that rate, and prints
//	                                the 99th percentile of the time until they are
//	                                answered, in milliseconds
//	flood -c 4 -d 10s ADDRESS       sends requests of 1 MiB with a wrong signature on
//	                                that many connections, as fast as they are
//	                                answered, and prints how many there were
//
// The second number is how many answers were wrong: other than 200 to the former,
// and other than 401 to the latter.
package main

import (
	"bytes"
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
	rate := flag.Int("rate", 0, "good requests a second")
	connections := flag.Int("c", 0, "connections of the flood")
	length := flag.Duration("d", 10*time.Second, "for how long")
	size := flag.Int("size", 1<<20, "the bytes of a body of the flood")
	secret := flag.String("secret", "s3cret", "the signing secret")
	flag.Parse()
	if flag.NArg() != 1 || (*rate > 0) == (*connections > 0) {
		fmt.Fprintln(os.Stderr, "give -rate or -c, and one HOST:PORT")
		os.Exit(2)
	}
	s := &sender{
		url: "http://" + flag.Arg(0) + "/", secret: []byte(*secret), end: time.Now().Add(*length),
		client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}},
	}
	if *rate > 0 {
		fmt.Printf("%.2f %d\n", s.good(*rate), s.wrong.Load())
		return
	}
	var wait sync.WaitGroup
	for range *connections {
		wait.Go(func() { s.flood(bytes.Repeat([]byte("x"), *size)) })
	}
	wait.Wait()
	fmt.Println(s.count.Load(), s.wrong.Load())
}

type sender struct {
	url    string
	secret []byte
	end    time.Time
	client http.Client

	count, wrong atomic.Int64
}

// good sends at a rate, and returns the 99th percentile of the time from when each
// request was due until it was answered, in milliseconds.
func (s *sender) good(rate int) float64 {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var took []time.Duration
	began := time.Now()
	for n := 0; time.Now().Before(s.end); n++ {
		due := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wait.Go(func() {
			id := fmt.Sprintf("%d-%d", began.UnixNano(), n)
			body := []byte(`{"event_id":"` + id + `","event_type":"work_order.created","timestamp":"2026-01-15T14:30:00Z","company_id":"c","data":{"id":"` + id + strings.Repeat("x", 1000) + `"}}`)
			stamp := strconv.FormatInt(time.Now().Unix(), 10)
			mac := hmac.New(sha256.New, s.secret)
			mac.Write([]byte(stamp + "."))
			mac.Write(body)
			s.post(body, stamp, hex.EncodeToString(mac.Sum(nil)), id, http.StatusOK)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due))
		})
	}
	wait.Wait()
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds()) / 1000
}

// flood sends one request after another.
func (s *sender) flood(body []byte) {
	for time.Now().Before(s.end) {
		s.post(body, strconv.FormatInt(time.Now().Unix(), 10), strings.Repeat("0", 64), "flood", http.StatusUnauthorized)
	}
}

// post sends a request, and counts it.
func (s *sender) post(body []byte, stamp, signature, id string, want int) {
	s.count.Add(1)
	r, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		s.wrong.Add(1)
		return
	}
	r.Header.Set("X-Webhook-Timestamp", stamp)
	r.Header.Set("X-Webhook-Signature", signature)
	r.Header.Set("X-Webhook-ID", id)
	answer, err := s.client.Do(r)
	if err != nil {
		s.wrong.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != want {
		s.wrong.Add(1)
	}
}
