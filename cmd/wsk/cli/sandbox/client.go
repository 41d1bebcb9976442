package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

const (
	requestTimeout = time.Minute // the sandbox waits for attempts under way, and resets a large state
	maxResponse    = 256 << 20   // bytes
)

// client calls the admin API of a running sandbox.
type client struct {
	base      string // the URL of the sandbox, without a path
	transport http.RoundTripper
}

// baseURL returns where the sandbox is: at --port, at a configured URL, or at the
// default port. A configured URL of another machine is meant for wsk send alone.
func baseURL(cfg *config.Config, port uint16) (string, error) {
	if v := cfg.URL; port == 0 && v.Text != "" {
		u, err := url.Parse(v.Text)
		switch {
		case deliver.CheckURL(v.Text) == nil && err == nil && deliver.IsLoopback(v.Text):
			return u.Scheme + "://" + u.Host, nil
		case v.From == config.FromFlag:
			return "", fmt.Errorf("--url %s: give the address of a sandbox on this machine, such as http://127.0.0.1:%d", webhook.RedactURL(v.Text), defaultPort)
		}
	}
	return "http://127.0.0.1:" + strconv.Itoa(int(cmp.Or(port, defaultPort))), nil
}

// get decodes the response into result and returns its bytes as well.
func (c *client) get(ctx context.Context, path string, query url.Values, result any) ([]byte, error) {
	return c.do(ctx, http.MethodGet, path, query, nil, result)
}

// post is as get, with a body.
func (c *client) post(ctx context.Context, path string, body, result any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, http.MethodPost, path, nil, raw, result)
}

func (c *client) do(ctx context.Context, method, path string, query url.Values, body []byte, result any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+sandbox.AdminPath+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", command.UserAgent())
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		return nil, command.NoResponse(fmt.Errorf("no sandbox answers at %s: start one with wsk sandbox, or name its address with --port or --url (%s)", c.base, deliver.Explain(err)))
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, command.NoResponse(fmt.Errorf("reading the response of the sandbox: %w", err))
	}
	var fault struct {
		Error string `json:"error"`
	}
	err = json.Unmarshal(raw, &fault)
	switch ok := response.StatusCode == http.StatusOK; {
	case response.Header.Get("Server") != sandbox.ServerName || err != nil || !ok && fault.Error == "":
		return nil, fmt.Errorf("the server at %s is not a sandbox: name the address of one with --port or --url", c.base)
	case response.StatusCode == http.StatusNotFound:
		return nil, command.No(errors.New(fault.Error))
	case !ok:
		return nil, errors.New(fault.Error)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // the numbers of a record keep their digits
	return bytes.TrimSpace(raw), decoder.Decode(result)
}
