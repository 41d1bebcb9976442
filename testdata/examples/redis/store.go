// Package redisstore is a [receive.Store] on Redis 7 or newer, for the receivers of many
// machines.
//
//	store := redisstore.Store{Client: redis.NewClient(&redis.Options{Addr: "redis:6379"}), Prefix: "{webhooks}:"}
//	handler, err := receive.New(receive.Config{Secrets: secrets, Store: store, App: app})
//
// Braces around the prefix are the hash tag of a cluster: a claim watches the keys of its
// delivery, which must lie on one node. Receivers with other prefixes may use other nodes.
//
// What is finished is remembered as long as Redis loses no write. appendfsync everysec
// may lose those of the last second with the power, and a fail-over those that the
// replica had not received: the App may be called again for them. maxmemory-policy must be
// noeviction, or Redis forgets deliveries when it is full.
package redisstore

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// Store is a [receive.Store] on Redis. It is safe for concurrent use.
//
// Each signature, id and event id is a key: a hash of the tries that have it, by token.
// Tokens are numbers that grow: they tell the order.
type Store struct {
	Client redis.UniversalClient
	Prefix string
}

var _ receive.Store = Store{}

// try is what is stored of a try. It is encoded by gob, because ids are bytes.
type try struct {
	receive.Mark
	Expires time.Time
}

// Claim reads the keys of a delivery, and writes them if none has changed meanwhile. If
// one has, another caller has got on, and Claim begins again.
func (s Store) Claim(ctx context.Context, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	for {
		err = s.Client.Watch(ctx, func(tx *redis.Tx) (err error) {
			c, err = s.claim(ctx, tx, m, lease)
			return err
		}, s.keys(m)...)
		if !errors.Is(err, redis.TxFailedErr) {
			return c, err
		}
	}
}

func (s Store) claim(ctx context.Context, tx *redis.Tx, m receive.Mark, lease time.Duration) (c receive.Claim, err error) {
	tries := map[int64]try{}
	if err := read(ctx, tx, tries, s.keys(m)...); err != nil {
		return c, err
	}
	for _, t := range maps.Clone(tries) {
		if t.Signed == m.Signed && t.ID != m.ID && t.ID != "" { // m may be t, captured, and t may have been tried again
			key := s.idKey(t.ID)
			if err := tx.Watch(ctx, key).Err(); err != nil {
				return c, err
			}
			if err := read(ctx, tx, tries, key); err != nil {
				return c, err
			}
		}
	}
	var stored []receive.Mark
	for _, token := range slices.Sorted(maps.Keys(tries)) {
		stored = append(stored, tries[token].Mark)
	}
	c = m.Among(stored)
	if c.Mark == nil { // there is nothing to remember
		return c, nil
	}
	token, err := tx.Incr(ctx, s.Prefix+"token").Result()
	if err != nil {
		return c, err
	}
	c.Token = strconv.FormatInt(token, 10)
	claimed := try{*c.Mark, m.Time.Add(lease + m.TTL)}
	if c.Outcome == webhook.Accepted {
		claimed.Until = m.Time.Add(lease)
	}
	_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for token, t := range tries {
			if m.Time.After(t.Expires) {
				for _, key := range s.keys(t.Mark) {
					p.HDel(ctx, key, strconv.FormatInt(token, 10))
				}
			} else if c.Outcome == webhook.Accepted && !t.Until.IsZero() { // its lease has ended: now it is lost
				t.Until = time.Time{}
				if err := s.write(ctx, p, strconv.FormatInt(token, 10), t); err != nil {
					return err
				}
			}
		}
		err := s.write(ctx, p, c.Token, claimed)
		for _, key := range s.keys(m) { // a key lives as long as the try that lives longest
			p.ExpireNX(ctx, key, lease+m.TTL)
			p.ExpireGT(ctx, key, lease+m.TTL)
		}
		return err
	})
	return c, err
}

// Finish finishes a claim.
func (s Store) Finish(ctx context.Context, c receive.Claim) error { return s.settle(ctx, c, true) }

// Release releases a claim.
func (s Store) Release(ctx context.Context, c receive.Claim) error { return s.settle(ctx, c, false) }

func (s Store) settle(ctx context.Context, c receive.Claim, accepted bool) error {
	key := s.keys(*c.Mark)[0] // whoever takes the claim over writes to each of them
	for {
		err := s.Client.Watch(ctx, func(tx *redis.Tx) error {
			text, err := tx.HGet(ctx, key, c.Token).Result()
			if errors.Is(err, redis.Nil) {
				return receive.ErrLeaseLost
			}
			if err != nil {
				return err
			}
			t, err := decode(text)
			if err != nil {
				return err
			}
			if t.Until.IsZero() {
				return receive.ErrLeaseLost
			}
			t.Accepted, t.Until = accepted, time.Time{}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return s.write(ctx, p, c.Token, t) })
			return err
		}, key)
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
}

// keys returns the keys of a mark. That of its signature is the first.
func (s Store) keys(m receive.Mark) []string {
	keys := []string{fmt.Sprintf("%ssigned:%x", s.Prefix, m.Signed)}
	if m.ID != "" {
		keys = append(keys, s.idKey(m.ID))
	}
	if m.EventID != "" {
		keys = append(keys, s.Prefix+"event:"+m.EventID)
	}
	return keys
}

func (s Store) idKey(id string) string { return s.Prefix + "id:" + id }

// read adds the tries that some keys have.
func read(ctx context.Context, tx *redis.Tx, tries map[int64]try, keys ...string) error {
	for _, key := range keys {
		fields, err := tx.HGetAll(ctx, key).Result()
		if err != nil {
			return err
		}
		for field, text := range fields {
			token, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return fmt.Errorf("the key %q is not of a redisstore: %w", key, err)
			}
			if tries[token], err = decode(text); err != nil {
				return fmt.Errorf("reading the key %q: %w", key, err)
			}
		}
	}
	return nil
}

// write stores a try under each of its keys.
func (s Store) write(ctx context.Context, p redis.Pipeliner, token string, t try) error {
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(t); err != nil {
		return err
	}
	for _, key := range s.keys(t.Mark) {
		p.HSet(ctx, key, token, text.Bytes())
	}
	return nil
}

func decode(text string) (t try, err error) {
	err = gob.NewDecoder(bytes.NewReader([]byte(text))).Decode(&t)
	return t, err
}
