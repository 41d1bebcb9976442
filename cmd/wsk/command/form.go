package command

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/webhook"
)

// SuggestForm adds to the error for an unknown event which other forms have an event
// of that name, and which flag of the command or which other command they are for.
// takes lists the forms that the command can use.
func SuggestForm(catalog *webhook.Catalog, name string, err error, takes ...webhook.Form) error {
	var unknown *webhook.UnknownError
	if !errors.As(err, &unknown) {
		return err
	}
	forms := formsOf(catalog, name)
	for _, form := range forms {
		switch {
		case !slices.Contains(takes, form):
		case form == webhook.WorksomeForm:
			return fmt.Errorf("%w (--platform worksome has %s)", err, name)
		default:
			return fmt.Errorf("%w (--form %s has %s)", err, form, name)
		}
	}
	switch {
	case len(forms) == 0:
		return err
	case forms[0] == webhook.Inbound:
		return fmt.Errorf("%w (WorkSkedge receives %s: wsk send sends it there)", err, name)
	case forms[0] == webhook.Template:
		return fmt.Errorf("%w (%s is an event of Work Market: see wsk render)", err, name)
	}
	return fmt.Errorf("%w (%s exists in the form %s, which the platform sends: wsk trigger delivers it to your receiver)", err, name, ui.Or(forms))
}

// SayForm prints on stderr which form of an event was taken, if others of the forms
// have it too.
func SayForm(env *Env, catalog *webhook.Catalog, d webhook.Definition, forms []webhook.Form) {
	var others []webhook.Form
	for _, form := range formsOf(catalog, d.Type) {
		if form != d.Form && slices.Contains(forms, form) {
			others = append(others, form)
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(env.Err, "wsk: %s in the form %s; --form %s takes the other\n", d.Type, d.Form, ui.Or(others))
	}
}

// formsOf returns the forms that have an event of a name, inbound first.
func formsOf(catalog *webhook.Catalog, name string) []webhook.Form {
	var forms []webhook.Form
	for _, form := range catalog.Forms() {
		if _, err := catalog.Lookup("", form, name); err == nil {
			forms = append(forms, form)
		}
	}
	return forms
}
