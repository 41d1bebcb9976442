package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func clock() time.Time { return time.Date(2026, 1, 15, 14, 30, 0, 0, time.UTC) }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func do(t *testing.T, s *Store, f func(*Tx) error) {
	t.Helper()
	if err := s.Do(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func project(n int, name string) *Record {
	id := strconv.Itoa(n)
	return &Record{
		ID: "proj_" + id, Company: "comp_1", Kind: Project, Key: "PRJ-" + id, Name: name, Created: clock(), Updated: clock(),
		Fields: Fields{"budget": json.Number("5000.00"), "big": json.Number("9007199254740993"), "tags": []any{"a", nil, true}},
	}
}

func TestPutThenFind(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	s := open(t, path)
	want := project(1, "Skyline Tower")
	do(t, s, func(tx *Tx) error { return tx.Put(want) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	do(t, open(t, path), func(tx *Tx) error {
		got, err := tx.Find("comp_1", Project, "PRJ-1")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("found %+v, %v", got, err)
		}
		if got, err := tx.Get("comp_1", "proj_1"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := tx.Get("comp_2", "proj_1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("another company sees it: %v", err)
		}
		return nil
	})
}

func TestDoRollsBack(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	bad := errors.New("refused")
	err := s.Do(t.Context(), func(tx *Tx) error {
		return errors.Join(tx.Put(project(1, "A")), tx.Set("a", "b"), bad)
	})
	if !errors.Is(err, bad) {
		t.Fatal(err)
	}
	do(t, s, func(tx *Tx) error {
		list, err := tx.List(Query{})
		value, fault := tx.Setting("a")
		if len(list) != 0 || value != "" {
			t.Errorf("%d records and the setting %q were kept", len(list), value)
		}
		return errors.Join(err, fault)
	})
}

func TestPutTaken(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	do(t, s, func(tx *Tx) error {
		first, other := project(1, "A"), project(2, "B")
		elsewhere := project(3, "C")
		other.Key, elsewhere.Key, elsewhere.Company = first.Key, first.Key, "comp_2"
		if err := errors.Join(tx.Put(first), tx.Put(elsewhere)); err != nil {
			return err
		}
		if err := tx.Put(other); !errors.Is(err, ErrTaken) {
			t.Errorf("error %v, want ErrTaken", err)
		}
		first.Name = "A again" // its own key does not conflict
		return tx.Put(first)
	})
}

func TestListByName(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	names := []string{"Skyline Tower", "Électrical  Rough-In", "sky lounge", "100% Tower_"}
	do(t, s, func(tx *Tx) error {
		for n, name := range names {
			if err := tx.Put(project(n, name)); err != nil {
				return err
			}
		}
		for _, c := range []struct {
			words []string
			want  int
		}{
			{[]string{"SKY"}, 2}, {[]string{"tower", "sky"}, 1}, {[]string{"éLECTRICAL"}, 1},
			{[]string{"%"}, 1}, {[]string{"_"}, 1}, {[]string{"nothing"}, 0}, {nil, 4},
		} {
			if found, err := tx.List(Query{Kind: Project, Words: c.words}); err != nil || len(found) != c.want {
				t.Errorf("%q finds %d, %v; want %d", c.words, len(found), err, c.want)
			}
		}
		newest, err := tx.List(Query{Limit: 1, Newest: true})
		if err != nil || len(newest) != 1 || newest[0].Name != names[3] {
			t.Errorf("the newest is %+v, %v", newest, err)
		}
		return nil
	})
}

func TestNext(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	do(t, s, func(tx *Tx) error {
		var got []int
		for _, company := range []string{"a", "a", "b", "a"} {
			n, err := tx.Next(company, "WO-2026")
			if err != nil {
				return err
			}
			got = append(got, n)
		}
		if !reflect.DeepEqual(got, []int{1, 2, 1, 3}) {
			t.Errorf("counted %v", got)
		}
		return nil
	})
}

func TestDeliveriesByDueTime(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	at := func(minute int) time.Time { return clock().Add(time.Duration(minute) * time.Minute) }
	do(t, s, func(tx *Tx) error {
		faults := []error{tx.Subscribe(Subscription{ID: "sub_1", Company: "comp_1", Form: "outbound"})}
		for n, d := range []Delivery{
			{ID: "d0", State: Pending, Due: at(5)}, {ID: "d1", State: Pending, Due: at(1)},
			{ID: "d2", State: Delivered, Due: at(0)}, {ID: "d3", State: Sending, Attempts: 1, Due: at(0)},
			{ID: "d4", State: Sending, Attempts: 1, Due: at(0), Subscription: "sub_gone"},
		} {
			d.Company, d.Body, d.Created, d.Subscription = "comp_1", []byte{byte(n)}, clock(), cmp.Or(d.Subscription, "sub_1")
			faults = append(faults, tx.SaveDelivery(d))
		}
		return errors.Join(faults...)
	})
	due := func(q DeliveryQuery) (ids []string) {
		do(t, s, func(tx *Tx) error {
			list, err := tx.Deliveries(q)
			ids = nil
			for _, d := range list {
				ids = append(ids, d.ID)
			}
			return err
		})
		return ids
	}
	if got := due(DeliveryQuery{DueBy: at(1)}); !reflect.DeepEqual(got, []string{"d1"}) {
		t.Errorf("due after a minute: %v", got)
	}
	if got := due(DeliveryQuery{DueBy: at(9)}); !reflect.DeepEqual(got, []string{"d1", "d0"}) {
		t.Errorf("due after nine: %v", got)
	}
	do(t, s, func(tx *Tx) error {
		if next, ok, err := tx.NextDue(at(0)); err != nil || !ok || !next.Equal(at(1)) {
			t.Errorf("next due %v %v %v", next, ok, err)
		}
		return tx.Requeue(func(d Delivery) (time.Time, bool) { return at(7), d.Attempts < 6 })
	})
	if got := due(DeliveryQuery{DueBy: at(9)}); !reflect.DeepEqual(got, []string{"d1", "d0", "d3"}) {
		t.Errorf("after a crash: %v", got)
	}
	do(t, s, func(tx *Tx) error {
		counts, err := tx.CountDeliveries()
		if counts[Pending] != 3 || counts[Delivered] != 1 || counts[Dead] != 1 || len(counts) != 3 {
			t.Errorf("counts %v", counts)
		}
		return err
	})
}

// What runs for every event or attempt must use an index.
func TestStatementsUseAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	plan := func(text string, args []any) (steps string) {
		do(t, s, func(tx *Tx) error {
			return tx.w.Each("EXPLAIN QUERY PLAN "+text, args, func(rows *sql.Rows) error {
				var id, parent, unused int
				var detail string
				err := rows.Scan(&id, &parent, &unused, &detail)
				steps += detail + "; "
				return err
			})
		})
		return steps
	}
	record := Query{Company: "comp_1", Kind: WorkOrder, Parent: "proj_1"}
	text, args := record.statement(columns)
	if got := plan(text, args); !strings.Contains(got, "record_parent") {
		t.Errorf("the work orders of a project: %s", got)
	}
	for name, q := range map[string]DeliveryQuery{
		"delivery_due": {DueBy: clock(), Limit: 1}, "delivery_waits": {DueBy: clock(), Subscription: "sub_1", Limit: 4},
	} {
		text, args := q.statement()
		if got := plan(text, args); !strings.Contains(got, name) || strings.Contains(got, "TEMP B-TREE FOR ORDER BY") && name == "delivery_waits" {
			t.Errorf("%+v: %s", q, got)
		}
	}
}

// An outcome is stored once, and not after a reset.
func TestSettle(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	d := Delivery{ID: "d0", Company: "comp_1", Subscription: "sub_1", State: Sending, Attempts: 1, Body: []byte("{}"), Created: clock()}
	settle := func(state State, attempts int) (got Delivery, err error) {
		end := d
		end.State, end.Attempts = state, attempts
		err = s.Do(t.Context(), func(tx *Tx) (err error) {
			got, err = tx.Settle(end, Attempt{Time: clock()})
			return err
		})
		return got, err
	}
	if _, err := settle(Delivered, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown ID: %v", err)
	}
	do(t, s, func(tx *Tx) error { return tx.SaveDelivery(d) })
	if _, err := settle(Delivered, 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("another attempt: %v", err)
	}
	if got, err := settle(Pending, 1); err != nil || got.State != Dead || got.Error != "the subscription was removed" {
		t.Errorf("without a subscription: %+v, %v", got, err)
	}
	if _, err := settle(Delivered, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
}

func TestSubscribeThenUnsubscribe(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	want := Subscription{ID: "sub_1", Company: "comp_1", URL: "http://127.0.0.1:3000", Events: []string{"work_order.*"}, Form: "outbound", Secret: "s", APIKey: "k", Created: clock()}
	do(t, s, func(tx *Tx) error {
		if err := tx.Subscribe(want); err != nil {
			return err
		}
		got, err := tx.Subscriptions("comp_1")
		if err != nil || !reflect.DeepEqual(got, []Subscription{want}) {
			t.Errorf("got %+v, %v", got, err)
		}
		if none, err := tx.Subscriptions("comp_2"); err != nil || len(none) != 0 {
			t.Errorf("another company has %+v, %v", none, err)
		}
		if err := tx.Unsubscribe("sub_1"); err != nil {
			return err
		}
		if err := tx.Unsubscribe("sub_1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
		return nil
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	s := open(t, "")
	do(t, s, func(tx *Tx) error {
		_, err := tx.Next("comp_1", "n")
		return errors.Join(err, tx.Put(project(1, "A")), tx.Set("a", "b"), tx.Subscribe(Subscription{ID: "s"}), tx.SaveDelivery(Delivery{ID: "d", State: Pending, Body: []byte("{}")}))
	})
	do(t, s, func(tx *Tx) error { return errors.Join(tx.Set(Kept+"key", "k"), tx.Reset()) })
	do(t, s, func(tx *Tx) error {
		counts, err := tx.Counts()
		records := counts[Project]
		n, fault := tx.Next("comp_1", "n")
		subscriptions, other := tx.Subscriptions("")
		kept, err2 := tx.Setting(Kept + "key")
		gone, err3 := tx.Setting("a")
		if records != 0 || n != 1 || len(subscriptions) != 0 || gone != "" {
			t.Errorf("left: %d records, counter at %d, %d subscriptions, setting %q", records, n, len(subscriptions), gone)
		}
		if kept != "k" {
			t.Errorf("what is to be kept is now %q", kept)
		}
		err = errors.Join(err, err2, err3)
		return errors.Join(err, fault, other)
	})
}
