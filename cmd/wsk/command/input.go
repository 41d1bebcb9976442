package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
	"github.com/wskdev/wsk/pkg/deliver"
	"github.com/wskdev/wsk/pkg/lint"
	"github.com/wskdev/wsk/pkg/render"
	"github.com/wskdev/wsk/pkg/webhook"
)

// maxInput bounds what is read into memory from a file or stdin, in bytes.
const maxInput = 256 << 20

// Path resolves a relative path against the working folder.
func (e *Env) Path(name string) string {
	if filepath.IsAbs(name) || e.Dir == "" {
		return name
	}
	return filepath.Join(e.Dir, name)
}

// Open opens a file for reading. It returns when ctx ends: a named pipe opens when it
// has a writer.
func (e *Env) Open(ctx context.Context, name string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result, 1)
	go func() {
		file, err := os.Open(e.Path(name))
		done <- result{file, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-done:
		if got.err != nil {
			return nil, ReadingError(name, got.err)
		}
		return got.file, nil
	}
}

// ReadingError returns err with the name of the file as it was typed, in place of
// the path that the system saw.
func ReadingError(name string, err error) error {
	return fmt.Errorf("reading %s: %w", name, config.Cause(err))
}

// Read returns the bytes of a file, or of stdin for "-", unchanged.
func (e *Env) Read(ctx context.Context, name string) ([]byte, error) {
	if name == "-" {
		if e.InTTY {
			fmt.Fprintln(e.Err, "reading from the terminal; Ctrl-D ends the input")
		}
		return ReadAll(ctx, e.In, "stdin")
	}
	file, err := e.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return ReadAll(ctx, file, name)
}

// ReadSettings is Read for a file that tells a command what to do. It refuses what
// may never end: there is nothing to do until it was read.
func (e *Env) ReadSettings(ctx context.Context, name string) ([]byte, error) {
	if name != "-" {
		if err := config.CheckReadable(e.Path(name)); err != nil {
			return nil, ReadingError(name, err)
		}
	}
	return e.Read(ctx, name)
}

// ReadAll reads r up to 256 MiB. It returns when ctx ends, since a terminal or a
// pipe may never be closed.
func ReadAll(ctx context.Context, r io.Reader, name string) ([]byte, error) {
	type result struct {
		raw []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		raw, err := io.ReadAll(io.LimitReader(r, maxInput+1))
		done <- result{raw, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-done:
		switch {
		case got.err != nil:
			return nil, ReadingError(name, got.err)
		case len(got.raw) > maxInput:
			return nil, fmt.Errorf("reading %s: it is larger than 256 MiB, which no platform accepts", name)
		}
		return got.raw, nil
	}
}

// Expand turns a file, a folder or a glob into the names of files. A folder
// expands to its .json, .ndjson and .jsonl files and its templates, at any
// depth; links are not followed.
func Expand(env *Env, arg string) ([]string, error) {
	switch arg {
	case "-":
		return []string{arg}, nil
	case "":
		return nil, errors.New("a PATH is empty: is a variable not set?")
	}
	info, err := os.Stat(env.Path(arg))
	switch {
	case err == nil && info.IsDir():
		return walk(env, arg)
	case err == nil || !strings.ContainsAny(arg, "*?["):
		return []string{arg}, nil // opening it reports a missing file
	}
	found, err := filepath.Glob(env.Path(arg))
	switch {
	case err != nil:
		return nil, fmt.Errorf("glob %q: %w", arg, err)
	case len(found) == 0:
		return nil, fmt.Errorf("nothing matches %q", arg)
	}
	for i, name := range found {
		found[i] = relative(env, name)
	}
	return found, nil
}

func relative(env *Env, name string) string {
	if short, err := filepath.Rel(env.Dir, name); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return name
}

func walk(env *Env, dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(env.Path(dir), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 1 && name != env.Path(dir):
			return filepath.SkipDir
		case entry.Type().IsRegular() && lint.IsPayload(name):
			found = append(found, relative(env, name))
		case entry.Type().IsRegular() && IsYAML(name) && isTemplate(name):
			found = append(found, relative(env, name))
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no .json, .ndjson or .jsonl file in %s", dir)
	}
	return found, err
}

// isTemplate reports whether a YAML file is meant to be a template.
func isTemplate(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return true // linting it reports the error
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, render.MaxTemplate))
	return err != nil || render.LooksLikeTemplate(raw)
}

// OpenInput opens a file, or stdin for "-". The size is -1 if it is not known.
func OpenInput(ctx context.Context, env *Env, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(env.In), -1, nil
	}
	file, err := env.Open(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return file, -1, nil //nolint:nilerr // a pipe has no size, and reading it reports an error
	}
	return file, info.Size(), nil
}

// SourceName returns the name of an input for messages.
func SourceName(file string) string {
	if file == "-" {
		return "stdin"
	}
	return file
}

// IsYAML reports whether a file is YAML by its name. YAML files are templates:
// payloads are JSON.
func IsYAML(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// ConfirmRemote asks on the terminal before something is sent to another machine.
// With yes it does not ask; without a terminal it is an error.
func ConfirmRemote(ctx context.Context, env *Env, verb, to, text string, yes bool) error {
	if yes || deliver.IsLoopback(to) {
		return nil
	}
	target := ui.Clean(webhook.RedactURL(to))
	if !env.InTTY || !env.ErrTTY {
		return fmt.Errorf("%s is not this machine: give --yes to %s %s there", target, verb, text)
	}
	fmt.Fprintf(env.Err, "%s %s to %s ? [y/N] ", verb, text, target)
	answer, err := readLine(ctx, env)
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	if err != nil {
		return err
	}
	return No(errors.New("nothing was sent"))
}

// ParseURL reads an address, which need not have a scheme: this machine is reached
// by http, any other by https. from is the flag that has it, or "" for an argument.
func ParseURL(from, text string) (string, error) {
	full, err := deliver.CompleteURL(text)
	if err != nil && from != "" {
		err = fmt.Errorf("%s: %w", from, err)
	}
	return full, err
}

// WarnPlainHTTP warns of a target that is reached without TLS over a network.
// WorkSkedge supports no such endpoint (Webhooks page, "Endpoint Requirements").
func WarnPlainHTTP(env *Env, target string) {
	if u, err := url.Parse(target); err == nil && u.Scheme == "http" && !deliver.IsLoopback(target) {
		fmt.Fprintf(env.Err, "wsk: warning: %s is plain http: anyone on the network path can read what is sent, and WorkSkedge supports only https\n", ui.Clean(webhook.RedactURL(target)))
	}
}

// readLine reads what a person types, and gives up when ctx ends.
func readLine(ctx context.Context, env *Env) (string, error) {
	typed := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(env.In).ReadString('\n') // the end of the input counts as an empty answer
		typed <- line
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line := <-typed:
		return line, nil
	}
}
