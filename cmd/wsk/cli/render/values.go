package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wskdev/wsk/cmd/wsk/command"
	"github.com/wskdev/wsk/pkg/render"
)

// valueFlags are the flags that give the variables their values.
type valueFlags struct {
	file       string
	vars       []string
	empty      []string
	attach     string
	attachName string
	attachType string
	attachUUID string
}

func (v *valueFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.file, "vars", "", "read values from `FILE`: JSON, YAML, or NAME=VALUE lines; - for stdin")
	f.StringArrayVar(&v.vars, "var", nil, "set the value of a variable: `NAME=VALUE`; repeatable")
	f.StringArrayVar(&v.empty, "empty", nil, "set the variable `NAME` to nothing; repeatable")
	f.StringVar(&v.attach, "attach", "", "set the file variables from `FILE`, up to 32 MiB")
	f.StringVar(&v.attachName, "attach-name", "", "the value of ${file_name}, a `NAME` (default: FILE's)")
	f.StringVar(&v.attachType, "attach-type", "", "the file's media `TYPE` (default: by FILE's extension)")
	f.StringVar(&v.attachUUID, "attach-uuid", "", "the value of ${file_uuid}, a `UUID` (default: the sample's)")
}

// given reports whether a flag sets a value, so that not all are samples.
func (v *valueFlags) given() bool {
	return v.file != "" || v.attach != "" || len(v.vars)+len(v.empty) > 0
}

// read returns the values for an event. template is the name of its file. Samples come first, then --vars,
// --attach, --var and --empty; a later value replaces an earlier one.
func (v *valueFlags) read(ctx context.Context, env *command.Env, template, event string) (render.Values, error) {
	values, err := render.Samples(event)
	if err != nil {
		return nil, err
	}
	if v.file == "" && template != "-" {
		if err := env.CheckStdin("--vars -", "the samples"); err != nil {
			return nil, err
		}
	}
	if v.file != "" {
		raw, err := env.Read(ctx, v.file)
		if err != nil {
			return nil, err
		}
		given, err := render.ParseVars(v.file, raw)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", command.SourceName(v.file), err)
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			values = values.With(name, given[name])
			if err := render.CheckVariable(name); err != nil {
				fmt.Fprintf(env.Err, "wsk: warning: %s: %v\n", command.SourceName(v.file), err)
			}
		}
	}
	if values, err = v.withAttachment(ctx, env, values); err != nil {
		return nil, err
	}
	for _, text := range v.vars {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return nil, fmt.Errorf("--var %q: write NAME=VALUE", text)
		}
		if err := render.CheckVariable(name); err != nil {
			return nil, fmt.Errorf("--var: %w", err)
		}
		values = values.With(name, value)
	}
	for _, name := range v.empty {
		if err := render.CheckVariable(name); err != nil {
			return nil, fmt.Errorf("--empty: %w", err)
		}
		values = values.With(name, "")
	}
	return values, nil
}

// withAttachment adds the variables of --attach.
func (v *valueFlags) withAttachment(ctx context.Context, env *command.Env, values render.Values) (render.Values, error) {
	if v.attach == "" {
		if v.attachName+v.attachType+v.attachUUID != "" {
			return nil, errors.New("--attach-name, --attach-type and --attach-uuid describe a file: name it with --attach")
		}
		return values, nil
	}
	file, err := env.Open(ctx, v.attach)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, command.ReadingError(v.attach, err)
	case info.IsDir():
		return nil, fmt.Errorf("reading %s: it is a directory", v.attach)
	}
	a := render.Attachment{Name: v.attachName, UUID: v.attachUUID, ContentType: v.attachType}
	if a.Data, err = readAttachment(file, info); err != nil {
		return nil, command.ReadingError(v.attach, err)
	}
	if a.Name == "" {
		a.Name = filepath.Base(v.attach)
	}
	if a.ContentType == "" {
		a.ContentType = mime.TypeByExtension(filepath.Ext(a.Name))
	}
	return values.Attach(a), nil
}

// readAttachment reads a file of at most render.MaxAttachment bytes. It does not
// start to read a larger one if the size is known.
func readAttachment(file *os.File, info os.FileInfo) ([]byte, error) {
	tooLarge := fmt.Errorf("it is larger than %d MiB, the limit for attachments", render.MaxAttachment>>20)
	if info.Mode().IsRegular() && info.Size() > render.MaxAttachment {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(file, render.MaxAttachment+1))
	if err == nil && len(data) > render.MaxAttachment {
		err = tooLarge
	}
	return data, err
}
