package journal

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/pkg/receive"
)

func TestPutReturnsWhenOthersCanRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, other := reopen(t, path, Options{}), reopen(t, path, Options{})
	for n := range 20 {
		put(t, j, sample(n))
		if _, err := other.Get(t.Context(), sample(n).ID); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
	}
}

func TestPutRecoversFromAFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{maxPages: 20})
	n, err := 0, error(nil)
	for ; err == nil && n < 1000; n++ {
		r := sample(n)
		r.Request.Body = []byte(strings.Repeat("x", 10_000))
		err = j.Put(t.Context(), r)
	}
	var fault *FileError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "the disk is full: make room") {
		t.Fatalf("error %v after %d records", err, n)
	}
	if kept, err := j.Count(t.Context(), Filter{}); kept != n-1 || err != nil {
		t.Errorf("%d kept of %d that were promised, %v", kept, n-1, err)
	}
	if _, err := j.Prune(t.Context(), clock().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	put(t, j, sample(5000))
}

// TestPutAndRecordsConcurrently is for the race detector, and for the locks
// between connections.
func TestPutAndRecordsConcurrently(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	journals := []*Journal{reopen(t, path, Options{}), reopen(t, path, Options{})}
	var wait sync.WaitGroup
	const writers, each = 16, 20
	for w := range writers {
		wait.Go(func() {
			for n := range each {
				r := sample(w*each + n)
				if err := journals[w%2].Keep(context.Background(), receive.Receipt{Record: r, Mark: &receive.Mark{ID: r.WebhookID}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		wait.Go(func() {
			for range 10 {
				for r, err := range journals[0].Records(context.Background(), Filter{Deliveries: true}) {
					if err != nil || len(r.Request.Body) == 0 {
						t.Errorf("%s: %v", r.ID, err)
					}
				}
			}
		})
	}
	wait.Wait()
	if n, err := journals[1].Count(t.Context(), Filter{}); n != writers*each || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestCloseCompletesPendingWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := reopen(t, path, Options{})
	results := make(chan string, 40)
	for n := range 40 {
		go func() {
			r := sample(n)
			if err := j.Put(context.Background(), r); err != nil {
				results <- ""
				return
			}
			results <- r.ID
		}()
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	other := reopen(t, path, Options{})
	for range 40 {
		id := <-results
		if id == "" {
			continue
		}
		if _, err := other.Get(t.Context(), id); err != nil {
			t.Errorf("%s was promised: %v", id, err)
		}
	}
	if err := j.Put(t.Context(), sample(99)); err == nil {
		t.Error("a closed journal takes a record")
	}
	if err := j.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
