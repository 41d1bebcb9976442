package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestNewKeepsStateAndKeyInAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	var first Key
	for n := range 2 {
		box, err := New(t.Context(), Config{Data: path, NewID: rand.Text})
		if err != nil {
			t.Fatal(err)
		}
		key := box.Companies()[0].Keys[0]
		if n == 0 {
			first = key
		} else if key != first {
			t.Errorf("after a restart the key is %+v, before %+v", key, first)
		}
		if err := errors.Join(box.Reset(t.Context()), box.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNewSeedsWhatSamplesReferTo: an employee or skill that a sample of the
// catalog refers to is created by another sample, or is a default.
func TestNewSeedsWhatSamplesReferTo(t *testing.T) {
	t.Parallel()
	box, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	known := map[string]bool{}
	err = box.store.Do(t.Context(), func(tx *store.Tx) error {
		list, err := tx.List(store.Query{})
		for _, r := range list {
			known[string(r.Kind)+" "+r.Key] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, d := range webhook.DefaultCatalog().Events(webhook.WorkSkedge, webhook.Inbound) {
		var envelope struct{ Data map[string]any }
		if err := json.Unmarshal(d.Sample(), &envelope); err != nil {
			t.Fatal(err)
		}
		need := func(kind store.Kind, name string) {
			t.Helper()
			asked++
			if !known[string(kind)+" "+name] {
				t.Errorf("the sample of %s needs the %s %s", d.Type, kind, name)
			}
		}
		for name, value := range envelope.Data {
			text, _ := value.(string)
			switch {
			case d.Type == "employee.created" && name == "emp_number":
				known["employee "+text] = true // and it is the first of them in the catalog's order
			case strings.HasSuffix(name, "emp_number"), name == "submitted_by", name == "approved_by":
				need(store.Employee, text)
			case name == "employee_skills":
				skills, _ := value.([]any)
				for _, skill := range skills {
					need(store.Skill, fmt.Sprint(skill))
				}
			}
		}
	}
	if asked < 15 {
		t.Errorf("%d references: the samples have more", asked)
	}
}

// TestNewKeepsDeletedDefaultsDeleted: a default employee that was deleted does
// not come back with a restart.
func TestNewKeepsDeletedDefaultsDeleted(t *testing.T) {
	t.Parallel()
	c := Config{Data: filepath.Join(t.TempDir(), "box.db"), Limits: []deliver.Limit{}}
	c.Companies = []Company{{Keys: []Key{{Key: testKey, Secret: testSecret}}}}
	first := newDesk(t, c)
	first.send("employee.deleted", `{"emp_number":"EMP-3116"}`)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := newDesk(t, c)
	got := second.request(event("employee.updated", `{"emp_number":"EMP-3116"}`), nil)
	if got.status != 400 {
		t.Errorf("after a restart: %d %s", got.status, got.raw)
	}
	if err := second.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.send("employee.deleted", `{"emp_number":"EMP-3116"}`)
}

// A generated secret belongs to its key, at whatever place in the list.
func TestNewKeepsGeneratedSecretsByKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "box.db")
	secrets := func(keys ...string) map[string]string {
		c := Config{Data: path, Companies: []Company{{}}}
		for _, k := range keys {
			c.Companies[0].Keys = append(c.Companies[0].Keys, Key{Key: k})
		}
		box, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := box.Close(); err != nil {
				t.Error(err)
			}
		}()
		got := map[string]string{}
		for _, k := range box.Companies()[0].Keys {
			got[k.Key] = k.Secret
		}
		return got
	}
	first := secrets("a", "b")
	if second := secrets("b", "a"); second["a"] != first["a"] || second["b"] != first["b"] || first["a"] == first["b"] {
		t.Errorf("%v, then %v", first, second)
	}
}

// The pending deliveries of a subscription that is no longer configured become
// dead.
func TestNewRemovesSubscriptionsNoLongerConfigured(t *testing.T) {
	t.Parallel()
	url, came, _ := held(t)
	c := Config{Data: filepath.Join(t.TempDir(), "box.db")}.withKey()
	c.Companies[0].Subscriptions = []Subscription{{URL: url}}
	d := newDesk(t, c)
	d.send("customer.created", `{"name":"Acme"}`)
	<-came
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	c.Companies[0].Subscriptions = nil
	d = newDesk(t, c)
	d.idle()
	if list := d.deliveries(); len(list) != 1 || list[0].State != Dead || list[0].Error != "the subscription was removed" {
		t.Errorf("%+v", list)
	}
}

// held is a receiver that answers with 500 when let is closed.
func held(t *testing.T) (url string, came, let chan struct{}) {
	t.Helper()
	came, let = make(chan struct{}, 16), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then the server does not see that a sender has gone
		came <- struct{}{}
		select {
		case <-let:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	return server.URL, came, let
}

func (d *desk) deliveries() []Delivery {
	d.t.Helper()
	list, err := d.Deliveries(d.t.Context(), DeliveryQuery{})
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

// A subscription is removed while an attempt is under way: no other follows.
func TestUnsubscribeDuringAnAttempt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{Speed: 1e9}.withKey())
	url, came, let := held(t)
	id, err := d.Subscribe(t.Context(), Subscription{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	d.send("customer.created", `{"name":"Acme"}`)
	<-came
	if err := d.Unsubscribe(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	close(let)
	d.idle()
	if list := d.deliveries(); len(list) != 1 || list[0].State != Dead || list[0].Error != "the subscription was removed" || len(came) != 0 {
		t.Errorf("%+v, and %d more attempts", list, len(came))
	}
}

// The state is reset while an attempt is under way: its delivery does not come
// back.
func TestResetDuringAnAttempt(t *testing.T) {
	t.Parallel()
	url, came, let := held(t)
	c := Config{Speed: 1e9}.withKey()
	c.Companies[0].Subscriptions = []Subscription{{URL: url}}
	d := newDesk(t, c)
	d.send("customer.created", `{"name":"Acme"}`)
	<-came
	if err := d.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(let)
	d.idle()
	if list := d.deliveries(); len(list) != 0 || len(came) != 0 {
		t.Errorf("%+v, and %d more attempts", list, len(came))
	}
}

// A response whose header has arrived counts, even if the sandbox is closed
// before its body ends.
func TestCloseKeepsAResponseThatHasArrived(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		began <- struct{}{}
		<-r.Context().Done()
	}))
	defer receiver.Close()
	c := Config{Data: filepath.Join(t.TempDir(), "box.db")}.withKey()
	c.Companies[0].Subscriptions = []Subscription{{URL: receiver.URL}}
	// The test waits for the header, which only the transport sees.
	answered := make(chan struct{})
	c.Transport = seen{http.DefaultTransport, answered}
	d := newDesk(t, c)
	d.send("customer.created", `{"name":"Acme"}`)
	<-began
	<-answered
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	c.Transport = nil
	if list := newDesk(t, c).deliveries(); len(list) != 1 || list[0].State != Delivered || list[0].Attempts != 1 {
		t.Errorf("%+v", list)
	}
}

// seen signals when the header of a response has arrived.
type seen struct {
	http.RoundTripper
	answered chan struct{}
}

func (s seen) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	close(s.answered)
	return response, err
}

// Concurrent advances add up, and none moves the clock out of range.
func TestAdvanceConcurrently(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := d.Advance(t.Context(), time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	status, err := d.Status(t.Context())
	if ahead := status.Clock.Sub(d.now()).Round(time.Minute); err != nil || ahead != 20*time.Hour {
		t.Errorf("the clock is %s ahead, %v", ahead, err)
	}
	for _, far := range []string{"2562047h", "900000h"} {
		if got := d.raw(http.MethodPost, AdminPath+"advance", `{"duration":"`+far+`"}`, http.Header{"Content-Type": {"application/json"}}); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", far, got.status, got.raw)
		}
	}
}

// A reset is complete, even if its caller has disconnected.
func TestResetWhoseCallerHasGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	if _, err := d.Advance(t.Context(), 10*time.Hour); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	busy, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = d.store.Do(t.Context(), func(*store.Tx) error {
			close(busy)
			<-free
			return nil
		})
	})
	<-busy
	all.Go(func() { _ = d.Reset(ctx) })
	cancel()
	close(free)
	all.Wait()
	// Either it was not started, or it is complete.
	var kept string
	err := d.store.Do(t.Context(), func(tx *store.Tx) (err error) {
		kept, err = tx.Setting("outbox.advanced")
		return err
	})
	ahead := d.outbox.Clock().Sub(d.now()).Round(time.Hour)
	if err != nil || (kept == "") != (ahead == 0) {
		t.Errorf("the file says %q and the clock is %s ahead, %v", kept, ahead, err)
	}
}

// TestSubscribeBetweenMirroredSandboxes: a bridge with its own API key copies the
// changes of each sandbox to the other. Each announces one write once, to those
// who did not make it, so the copies end.
func TestSubscribeBetweenMirroredSandboxes(t *testing.T) {
	t.Parallel()
	desks := [2]*desk{newDesk(t, Config{}.withKey()), newDesk(t, Config{}.withKey())}
	var mu sync.Mutex
	deliveries := 0
	for i := range desks {
		other := desks[1-i]
		bridge := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			deliveries++
			mu.Unlock()
			e, err := webhook.ParseEvent(body)
			if err != nil || e.Type != "vendor.created" {
				t.Errorf("a bridge got %s", body)
				return
			}
			var data struct {
				Name string `json:"vendor_name"`
			}
			_ = json.Unmarshal(e.Data(), &data)
			raw := event("vendor.created", `{"vendor_name":"`+data.Name+`"}`)
			secret, _ := webhook.NewSecret("s3cret-two")
			lines, _ := webhook.Sign([]byte(raw), time.Now(), secret)
			h := lines.HTTP()
			h.Set("X-API-Key", "key_2")
			if got := other.raw(http.MethodPost, Path, raw, h); got.status != 200 {
				t.Errorf("the other one answered %s", got.raw)
			}
		}))
		t.Cleanup(bridge.Close)
		if _, err := desks[i].Subscribe(t.Context(), Subscription{URL: bridge.URL, APIKey: "key_2"}); err != nil {
			t.Fatal(err)
		}
	}
	in := newInbox(t, testSecret) // somebody else, at the second
	if _, err := desks[1].Subscribe(t.Context(), Subscription{URL: in.URL}); err != nil {
		t.Fatal(err)
	}
	desks[0].send("vendor.created", `{"vendor_name":"V"}`)
	for range 3 {
		desks[0].idle()
		desks[1].idle()
	}
	if all := deliveries + len(strings.Fields(in.take())); all != 2 || deliveries != 1 {
		t.Errorf("%d deliveries, %d of them over the bridges", all, deliveries)
	}
}

// TestSubscribe has each heading of WorkSkedge's Webhooks page under which
// events are listed, and the forms that have such events.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	in := newInbox(t, testSecret)
	const both = "outbound compact"
	for heading, forms := range map[string]string{
		"Work Order Events": both, "Project Events": both, "Report Events": both, "Employee Events": both, "Vendor Events": both,
		"Time Off Events": both, "Timesheet Events": both, "Customer & Location Events": "outbound", "Contact Events": "outbound",
		"Work Orders": both, "Projects": both, "Employees": both, "Vendors": both, "Time Off": both, "Timesheets": both, "Reports": both,
		"Purchase Orders": "compact",
	} {
		for _, form := range []webhook.Form{webhook.Outbound, webhook.Compact} {
			_, err := d.Subscribe(t.Context(), Subscription{URL: in.URL, Events: []string{heading}, Form: form})
			if (err == nil) != strings.Contains(forms, string(form)) {
				t.Errorf("%s in the form %s: %v", heading, form, err)
			}
			if err != nil && !strings.Contains(err.Error(), heading+" has no event of the form "+string(form)+": WorkSkedge documents it in the form "+forms+" alone") {
				t.Errorf("%s in the form %s: %v", heading, form, err)
			}
		}
	}
	if _, err := d.Subscribe(t.Context(), Subscription{URL: in.URL, Events: []string{"Invoices"}}); err == nil || !strings.Contains(err.Error(), "unknown outbound event") {
		t.Errorf("Invoices: %v", err)
	}
}
