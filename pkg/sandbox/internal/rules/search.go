package rules

import (
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// maxResults is how many records a search returns at most.
const maxResults = 100

// search finds records by their name, or by their key where search_field is
// keyField. An exact match is one of the whole text; else every word of the
// term is part of the name, in upper or lower case.
func (c *Call) search(q store.Query, keyField, nameField string) ([]*store.Record, error) {
	term, err := c.required("search_term")
	if err != nil {
		return nil, err
	}
	q.Company, q.Limit = c.Company, maxResults
	exact := yes(c.Data, "exact_match")
	switch field := text(c.Data, "search_field"); {
	case field == keyField && exact:
		r, err := c.find(q.Kind, term)
		if r == nil || err != nil || q.Parent != "" && r.Parent != q.Parent {
			return nil, err
		}
		return []*store.Record{r}, nil
	case field == keyField:
		q.KeyLike = term
	case field != "" && field != nameField:
		return nil, bad("search_field", "search_field "+strconv.Quote(field)+" is neither "+nameField+" nor "+keyField)
	case exact:
		q.Name = term
	default:
		q.Words = strings.Fields(term)
	}
	return c.Tx.List(q)
}

// answer shows what a search has found: of each record what one says first, and
// some of its members.
func answer(list []*store.Record, members string, first func(*store.Record) store.Fields) *Result {
	results := []store.Fields{}
	for _, r := range list {
		found := first(r)
		for _, name := range strings.Fields(members) {
			found[name] = r.Fields[name]
		}
		results = append(results, found)
	}
	return &Result{Search: true, Results: results}
}

func (c *Call) searchProjects() (*Result, error) {
	list, err := c.search(store.Query{Kind: store.Project}, "project_code", "project_name")
	if err != nil {
		return nil, err
	}
	return answer(list, "description start_date end_date", named), nil
}

// named is what others say of a project.
func named(project *store.Record) store.Fields {
	return store.Fields{"id": project.ID, "project_code": project.Key, "project_name": project.Name}
}

func (c *Call) searchWorkOrders() (*Result, error) {
	q := store.Query{Kind: store.WorkOrder}
	if code := text(c.Data, "project_code"); code != "" {
		project, err := c.find(store.Project, code)
		if err != nil {
			return nil, err
		}
		if project == nil {
			return answer(nil, "", nil), nil
		}
		q.Parent = project.ID
	}
	list, err := c.search(q, "work_order_number", "phase_name")
	if err != nil {
		return nil, err
	}
	return answer(list, "status priority start_date end_date", func(r *store.Record) store.Fields {
		found := store.Fields{"id": r.ID, "work_order_number": r.Key, "phase_name": r.Name}
		if project, err := c.Tx.Get(c.Company, r.Parent); err == nil {
			found["project"] = named(project)
		}
		return found
	}), nil
}
