package payload

import (
	"slices"

	"github.com/wskdev/wsk/pkg/webhook"
)

// Find returns the event of a name. Several forms share names, so forms lists those
// that the caller can use, the default first. If only one of them has the event, it
// is that. Otherwise the envelope decides, if raw, which may be nil, is one of the
// event; and else the order of forms.
//
// The error is a [*webhook.UnknownError] if none of the forms has the event.
func Find(c *webhook.Catalog, name string, raw []byte, forms ...webhook.Form) (webhook.Definition, error) {
	var found []webhook.Definition
	var known []string
	for _, form := range forms {
		for _, d := range c.Events("", form) {
			if d.Type == name {
				found = append(found, d)
			}
			known = append(known, d.Type)
		}
	}
	if len(found) == 0 {
		kind := "event"
		if len(forms) == 1 {
			kind = string(forms[0]) + " event"
		}
		slices.Sort(known)
		return webhook.Definition{}, webhook.Unknown(kind, name, slices.Compact(known))
	}
	if given, err := webhook.ParseEvent(raw); err == nil && given.Type == name {
		for _, d := range found {
			if d.Form == given.Form {
				return d, nil
			}
		}
	}
	return found[0], nil
}
