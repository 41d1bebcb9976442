package rules

import (
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/store"
)

// maxResults is how many records a search returns at most.
const maxResults = 100

// search finds records by their name, or by their key where search_field is
// keyField. An exact match is one of the whole text; else every word of the
// term is part of the name, in upper or lower case.
func (c *Call) search(q store.Query, keyField, nameField string) ([]store.Record, error) {
	term, err := c.required("search_term")
	if err != nil {
		return nil, err
	}
	q.Company, q.Limit = c.Company, maxResults
	exact := yes(c.Data, "exact_match")
	switch field := text(c.Data, "search_field"); {
	case field == keyField && exact:
		r, ok, err := c.find(q.Kind, term)
		if !ok || err != nil || q.Parent != "" && r.Parent != q.Parent {
			return nil, err
		}
		return []store.Record{r}, nil
	case field == keyField:
		q.KeyLike = term
	case field != "" && field != nameField:
		return nil, bad(pointer("search_field"), "search_field %q is neither %s nor %s", field, nameField, keyField)
	case exact:
		q.Name = term
	default:
		q.Words = strings.Fields(term)
	}
	return c.Tx.List(q)
}

func (c *Call) searchProjects() (Result, error) {
	list, err := c.search(store.Query{Kind: store.Project}, "project_code", "project_name")
	if err != nil {
		return Result{}, err
	}
	results := []store.Fields{}
	for _, r := range list {
		results = append(results, store.Fields{
			"id": r.ID, "project_name": r.Name, "project_code": r.Key, "description": r.Fields["description"],
			"start_date": r.Fields["start_date"], "end_date": r.Fields["end_date"],
		})
	}
	return Result{Search: true, Results: results}, nil
}

func (c *Call) searchWorkOrders() (Result, error) {
	q := store.Query{Kind: store.WorkOrder}
	if code := text(c.Data, "project_code"); code != "" {
		project, ok, err := c.find(store.Project, code)
		if err != nil {
			return Result{}, err
		}
		if !ok {
			return Result{Search: true, Results: []store.Fields{}}, nil
		}
		q.Parent = project.ID
	}
	list, err := c.search(q, "work_order_number", "phase_name")
	if err != nil {
		return Result{}, err
	}
	results := []store.Fields{}
	for _, r := range list {
		found := store.Fields{"id": r.ID, "work_order_number": r.Key, "phase_name": r.Name}
		for _, name := range []string{"status", "priority", "start_date", "end_date"} {
			found[name] = r.Fields[name]
		}
		if project, err := c.Tx.Get(c.Company, r.Parent); err == nil {
			found["project"] = store.Fields{"id": project.ID, "project_code": project.Key, "project_name": project.Name}
		}
		results = append(results, found)
	}
	return Result{Search: true, Results: results}, nil
}
