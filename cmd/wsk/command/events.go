package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/journal"
	"github.com/wskdev/wsk/pkg/webhook"
)

// EventTypes lists the types that an event of a catalog can have, in any form.
func EventTypes(catalog *webhook.Catalog) []string {
	var types []string
	for _, d := range catalog.Events("", "") {
		if d.Form != webhook.Template { // those name no event in a request
			types = append(types, d.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// CheckEvents returns an error for a value of a flag that is neither the type of an
// event, nor a glob that matches one. The events are those of the catalog, the custom
// schemas included, and those of which has reports that there are records; has may
// be nil.
func (s *Settings) CheckEvents(env *Env, cfg *config.Config, flag string, globs []string, has func(glob string) (bool, error)) error {
	if len(globs) == 0 {
		return nil
	}
	catalog, err := s.Catalog(env, cfg)
	if err != nil {
		return err
	}
	types := EventTypes(catalog)
	for _, glob := range globs {
		err := webhook.CheckGlob("event", glob, types)
		var unknown *webhook.UnknownError
		if errors.As(err, &unknown) && has != nil {
			switch found, fault := has(glob); {
			case fault != nil:
				return fault
			case found:
				continue
			}
		}
		switch {
		case err == nil:
		case unknown != nil && unknown.Nearest == "" && s.texts["schemas"] != nil:
			return fmt.Errorf("%s: %w; --schemas DIR adds custom events", flag, err)
		default:
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// RecordedEvents returns a function that reports whether a journal has records of
// an event that a glob matches.
func RecordedEvents(ctx context.Context, j *journal.Journal) func(glob string) (bool, error) {
	return func(glob string) (bool, error) {
		for _, err := range j.Records(ctx, journal.Filter{Events: []string{glob}, Limit: 1}) {
			return err == nil, err
		}
		return false, nil
	}
}
