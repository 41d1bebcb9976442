package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wskdev/wsk/pkg/internal/nearest"
	"github.com/wskdev/wsk/pkg/sandbox/internal/store"
)

// maxResults is how many records a search returns at most.
const maxResults = 100

// search finds records by their name, or by their key if search_field is
// keyField. An exact match compares the whole text, any other finds names that
// contain every word of the term, ignoring case; if there are none, names that
// contain words like those.
func (c *Call) search(q store.Query, keyField, nameField string) ([]*store.Record, error) {
	term := text(c.Data, "search_term")
	q.Company, q.Limit = c.Company, maxResults
	exact := isTrue(c.Data, "exact_match")
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
		return nil, c.refuse(ruleSearch, "search_field", "search_field "+strconv.Quote(field)+" is neither "+nameField+" nor "+keyField)
	case exact:
		q.Name = term
	default:
		q.Words = strings.Fields(term)
		found, err := c.Tx.List(q)
		if err != nil || len(found) > 0 {
			return found, err
		}
		return c.searchMistyped(q)
	}
	return c.Tx.List(q)
}

// searchMistyped finds records whose names have, for each word of the query, a
// word that this may have been meant to be.
func (c *Call) searchMistyped(q store.Query) ([]*store.Record, error) {
	words := q.Words
	q.Words, q.Limit = nil, 0
	var ids []string
	err := c.Tx.EachName(q, func(id, name string) {
		parts := strings.Fields(name)
		unlike := func(word string) bool { return nearest.Name(word, parts) == "" }
		if len(ids) < maxResults && !slices.ContainsFunc(words, unlike) {
			ids = append(ids, id)
		}
	})
	var list []*store.Record
	for _, id := range ids {
		var r *store.Record
		if r, err = c.Tx.Get(c.Company, id); err != nil {
			break
		}
		list = append(list, r)
	}
	return list, err
}

func (c *Call) searchProjects() (*Result, error) {
	list, err := c.search(store.Query{Kind: store.Project}, "project_code", "project_name")
	if err != nil {
		return nil, err
	}
	results := []store.Fields{}
	for _, project := range list {
		result := projectReference(project)
		for _, name := range []string{"description", "start_date", "end_date"} {
			result[name] = project.Fields[name]
		}
		results = append(results, result)
	}
	return &Result{Search: true, Results: results}, nil
}

func projectReference(project *store.Record) store.Fields {
	return store.Fields{"id": project.ID, "project_code": project.Key, "project_name": project.Name}
}

func (c *Call) searchWorkOrders() (*Result, error) {
	results := []store.Fields{}
	q := store.Query{Kind: store.WorkOrder}
	if code := text(c.Data, "project_code"); code != "" {
		project, err := c.find(store.Project, code)
		if err != nil {
			return nil, err
		}
		if project == nil {
			return &Result{Search: true, Results: results}, nil
		}
		q.Parent = project.ID
	}
	list, err := c.search(q, "work_order_number", "phase_name")
	if err != nil {
		return nil, err
	}
	for _, order := range list {
		result := store.Fields{"id": order.ID, "work_order_number": order.Key, "phase_name": order.Name}
		for _, name := range []string{"status", "priority", "start_date", "end_date"} {
			result[name] = order.Fields[name]
		}
		if project, err := c.Tx.Get(c.Company, order.Parent); err == nil {
			result["project"] = projectReference(project)
		}
		results = append(results, result)
	}
	return &Result{Search: true, Results: results}, nil
}
