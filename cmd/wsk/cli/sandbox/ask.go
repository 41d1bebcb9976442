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

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/sandbox"
	"github.com/wskdev/wsk/pkg/webhook"
)

// askTimeout bounds a question: attempts that are under way are waited for, and
// a reset of a large state takes a while.
const askTimeout = time.Minute

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 256 << 20

// askFlags are what every command has that asks a running sandbox.
type askFlags struct {
	settings *command.Settings
	output   command.Output
	port     uint16
}

// add declares the flags and what runs with the settled asker.
func (a *askFlags) add(cmd *cobra.Command, env *command.Env, run func(ctx context.Context, s *asker, args []string) error, formats ...string) {
	a.settings = command.NewSettings(cmd)
	a.settings.String("url", "the sandbox at `URL` (default: $WSK_URL where it leads to this machine, else port 4000)")
	cmd.Flags().Uint16Var(&a.port, "port", 0, "the sandbox at port `N` of this machine")
	cmd.MarkFlagsMutuallyExclusive("url", "port")
	a.output.Add(cmd, append([]string{"text", "json"}, formats...)...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := a.settings.Begin(env, &a.output)
		if err != nil {
			return err
		}
		s := &asker{env: env, cfg: cfg, format: a.output.Format}
		if s.p, err = command.Palette(env, cfg, env.OutTTY); err != nil {
			return err
		}
		if s.base, err = a.base(cfg); err != nil {
			return err
		}
		return run(cmd.Context(), s, args)
	}
}

// base is where the sandbox is. The URL that events are sent to leads there as
// well; one of another machine is meant for wsk send alone.
func (a *askFlags) base(cfg *config.Config) (string, error) {
	if v := cfg.URL; a.port == 0 && v.Text != "" {
		u, err := url.Parse(v.Text)
		switch {
		case deliver.CheckURL(v.Text) == nil && err == nil && deliver.IsLoopback(v.Text):
			return u.Scheme + "://" + u.Host, nil
		case v.From == config.FromFlag:
			return "", fmt.Errorf("--url %s: a sandbox is asked on this machine, such as http://127.0.0.1:%d", webhook.RedactURL(v.Text), sandboxPort)
		}
	}
	return "http://127.0.0.1:" + strconv.Itoa(int(cmp.Or(a.port, sandboxPort))), nil
}

// asker puts questions to a running sandbox and shows the answers.
type asker struct {
	env    *command.Env
	cfg    *config.Config
	p      ui.Palette
	format string
	base   string
}

// get asks for what stands at a path of the admin API.
func (s *asker) get(ctx context.Context, path string, query url.Values, into any) ([]byte, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return s.ask(ctx, http.MethodGet, path, nil, into)
}

// post asks for a change.
func (s *asker) post(ctx context.Context, path string, question, into any) ([]byte, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	return s.ask(ctx, http.MethodPost, path, body, into)
}

// ask returns the answer as it came, and decoded.
func (s *asker) ask(ctx context.Context, method, path string, body []byte, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.base+sandbox.AdminPath+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", command.UserAgent())
	answer, err := s.env.Transport.RoundTrip(request)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		return nil, command.NoResponse(fmt.Errorf("no sandbox answers at %s: start one with wsk sandbox, or say where it is with --port or --url (%w)", s.base, err))
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, command.NoResponse(fmt.Errorf("reading the sandbox's answer: %w", err))
	}
	var said struct {
		Error string `json:"error"`
	}
	switch err := json.Unmarshal(raw, &said); {
	case err != nil || answer.StatusCode != http.StatusOK && said.Error == "", answer.Header.Get("Server") != sandbox.ServerName:
		return nil, fmt.Errorf("what answers at %s is no sandbox: say where it is with --port or --url", s.base)
	case answer.StatusCode == http.StatusNotFound:
		return nil, command.No(errors.New(said.Error))
	case answer.StatusCode != http.StatusOK:
		return nil, errors.New(said.Error)
	}
	return bytes.TrimSpace(raw), json.Unmarshal(raw, into)
}

// raw writes an answer for a program: as it came, which is safe for a
// terminal.
func (s *asker) raw(answer []byte) error {
	_, err := s.env.Out.Write(append(answer, '\n'))
	return err
}

// told writes the answer to a change: as it came, or in a sentence.
func (s *asker) told(raw []byte, err error, sentence func() string) error {
	switch {
	case err != nil:
		return err
	case s.format == "json":
		return s.raw(raw)
	}
	_, err = fmt.Fprintln(s.env.Out, s.p.Mark(true)+" "+ui.Clean(sentence()))
	return err
}

// list asks for what stands at a path, or for the one whose ID is in args, and
// shows it: as it came, or decoded into items, by one or by all.
func (s *asker) list(ctx context.Context, noun, path string, query url.Values, args []string, items any, one, all func() error) error {
	if len(args) > 0 {
		query.Set("id", args[0])
	}
	var answer map[string]json.RawMessage
	var found []json.RawMessage
	raw, err := s.get(ctx, path, query, &answer)
	if err == nil {
		err = json.Unmarshal(answer[path], &found)
	}
	switch {
	case err != nil:
		return err
	case len(args) > 0 && len(found) == 0:
		return command.No(fmt.Errorf("there is no %s %q; wsk sandbox %s lists them", noun, args[0], path))
	case s.format == "json":
		return s.raw(raw)
	case s.format == "ndjson":
		for _, item := range found {
			if err := s.raw(item); err != nil {
				return err
			}
		}
		return nil
	}
	if err := json.Unmarshal(answer[path], items); err != nil {
		return err
	}
	if len(args) > 0 {
		return one()
	}
	return all()
}

// sheet is a table of names and texts, and what adds a row.
func (s *asker) sheet() (t *ui.Table, row func(name, text string)) {
	t = &ui.Table{Width: s.env.Columns, Wrap: true}
	return t, func(name, text string) { t.Row(ui.Cell{Text: name, Paint: s.p.Quiet}, ui.Cell{Text: text}) }
}
