package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
	"github.com/wskdev/wsk/pkg/webhook"
)

func TestAFileKeepsTheStateAndTheKey(t *testing.T) {
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

func TestTwoWritersAtOnceMakeOneRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Config{}.withKey())
	results := make(chan int, 20)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() { results <- d.request(event("customer.created", `{"name":"Acme"}`), nil).status })
	}
	wait.Wait()
	counts := map[int]int{}
	for range 20 {
		counts[<-results]++
	}
	if counts[200] != 1 || counts[400] != 19 {
		t.Errorf("answers %v", counts)
	}
}

func TestCustomFieldsAreThoseOfTheCompany(t *testing.T) {
	t.Parallel()
	c := Config{}.withKey()
	c.Companies[0].CustomFields = map[string][]string{"vendor": {"license"}}
	d := newDesk(t, c)
	d.send("vendor.created", `{"vendor_name":"V","custom_fields":{"license":"1"}}`)
	got := d.request(event("vendor.created", `{"vendor_name":"W","custom_fields":{"licence":"1"}}`), nil)
	if got.status != 400 || len(got.body.Details) != 1 || got.body.Details[0].Pointer != "/data/custom_fields/licence" || !strings.Contains(got.body.Error, "license") {
		t.Errorf("answered %s", got.raw)
	}
}

// TestEverySampleFindsItsEmployeesAndSkills: a sample of the catalog may need
// what another one creates, but nobody and nothing that none of them does.
func TestEverySampleFindsItsEmployeesAndSkills(t *testing.T) {
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
	for _, d := range webhook.Events(webhook.WorkSkedge, webhook.Inbound) {
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

// TestARestartKeepsWhatBecameOfTheDefaults: an employee that is there by default
// and was deleted, stays so.
func TestARestartKeepsWhatBecameOfTheDefaults(t *testing.T) {
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
	if got.status != 404 {
		t.Errorf("after a restart: %d %s", got.status, got.raw)
	}
	if err := second.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.send("employee.deleted", `{"emp_number":"EMP-3116"}`)
}
