package redisstore

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/receive/receivetest"
)

func newStore(t *testing.T, address string) Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return Store{Client: client, Prefix: "{webhooks}:"}
}

func TestStore(t *testing.T) {
	t.Parallel()
	receivetest.TestStore(t,
		func(t *testing.T) receive.Store { return newStore(t, miniredis.RunT(t).Addr()) },
		receivetest.Shared(func(t *testing.T, first receive.Store) receive.Store {
			client, ok := first.(Store).Client.(*redis.Client)
			if !ok {
				t.Fatalf("the client is a %T", first.(Store).Client)
			}
			return newStore(t, client.Options().Addr)
		}))
}

// What need not be remembered any more leaves Redis, but not before.
func TestStore_expires(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := newStore(t, server.Addr())
	now := time.Now()
	server.SetTime(now)
	handle := func(id, signed string, ttl time.Duration) {
		t.Helper()
		c, err := s.Claim(t.Context(), receive.Mark{ID: id, Signed: receive.BodyDigest(signed, nil), Time: now, TTL: ttl}, time.Minute)
		if err == nil {
			err = s.Finish(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	handle("a", "1", 2*time.Hour)
	handle("b", "2", time.Hour)
	for _, step := range []struct {
		after time.Duration
		ids   []string
	}{
		{time.Hour, []string{"a", "b"}},
		{2 * time.Minute, []string{"a"}},
		{time.Hour, nil},
	} {
		server.FastForward(step.after)
		var ids []string
		for _, id := range []string{"a", "b"} {
			if server.Exists("{webhooks}:id:" + id) {
				ids = append(ids, id)
			}
		}
		if !slices.Equal(ids, step.ids) {
			t.Errorf("%s later, Redis has %q, want %q", step.after, ids, step.ids)
		}
	}
	if keys := server.Keys(); !slices.Equal(keys, []string{"{webhooks}:token"}) {
		t.Errorf("at the end it has the keys %q", keys)
	}
}

// A body without id and timestamp that comes again and again does not fill its key.
func TestStore_drops_what_has_expired(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := newStore(t, server.Addr())
	at := time.Now()
	for range 50 {
		at = at.Add(20 * time.Minute)
		c, err := s.Claim(t.Context(), receive.Mark{Time: at, TTL: 10 * time.Minute, Within: 10 * time.Minute}, time.Minute)
		if err == nil {
			err = s.Finish(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range server.Keys() {
		if fields, err := server.HKeys(key); err == nil && len(fields) > 2 {
			t.Errorf("the key %q has %d tries", key, len(fields))
		}
	}
}

func TestStore_of_a_server_that_is_down(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := newStore(t, server.Addr())
	m := receive.Mark{ID: "a", Time: time.Now(), TTL: time.Hour}
	c, err := s.Claim(t.Context(), m, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := s.Claim(t.Context(), m, time.Minute); err == nil {
		t.Error("Claim returns no error")
	}
	if err := s.Finish(t.Context(), c); err == nil || errors.Is(err, receive.ErrLeaseLost) {
		t.Errorf("the error of Finish is %v", err)
	}
}
