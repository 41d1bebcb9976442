package listen

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/receive"
	"github.com/wskdev/wsk/pkg/webhook"
)

// unsigned settles what a request must carry that nothing signs, or returns
// nil for platforms that sign.
func (o *options) unsigned(env *command.Env, p webhook.Platform) (*receive.Unsigned, error) {
	asked := len(o.requireHeader)+len(o.requireQuery) > 0
	switch {
	case p != webhook.WorkMarket && asked:
		return nil, fmt.Errorf("--require-header and --require-query are for --platform workmarket: %s signs its requests", p)
	case p != webhook.WorkMarket:
		return nil, nil //nolint:nilnil // no platform that signs has one
	case o.strict:
		return nil, errors.New("--strict holds events to the catalog, and Work Market sends what its template says: leave it out")
	case asked && o.skipVerify:
		return nil, errors.New("--skip-verify takes every request, so --require-header and --require-query are for nothing")
	case !asked && !o.skipVerify:
		return nil, errors.New("workmarket signs nothing: say what proves the sender with --require-header 'Authorization: …' or --require-query token=…, or take every request with --skip-verify")
	}
	u := &receive.Unsigned{}
	var err error
	if u.Header, err = command.ParseHeaders(o.requireHeader); err != nil {
		return nil, fmt.Errorf("--require-header: %w", err)
	}
	for _, p := range u.Header {
		if p.Value == "" {
			return nil, fmt.Errorf("--require-header %s has no value, so everybody knows it", p.Name)
		}
	}
	for _, text := range o.requireQuery {
		name, value, _ := strings.Cut(text, "=")
		if name == "" || value == "" {
			return nil, errors.New("--require-query is written NAME=VALUE, and neither may be empty")
		}
		u.Query = append(u.Query, webhook.Pair{Name: name, Value: value})
	}
	if o.skipVerify {
		fmt.Fprintln(env.Err, "wsk: warning: --skip-verify takes every request, whoever sent it")
	}
	return u, nil
}
