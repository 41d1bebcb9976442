package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/viper"

	"github.com/wskdev/wsk/pkg/webhook"
)

// ProjectFile is the name of a project's file.
const ProjectFile = ".wsk.yaml"

// maxFile is the largest file that is read, in bytes.
const maxFile = 1 << 20

// File is a configuration file as it was found.
type File struct {
	Path    string `json:"path"`
	Kind    Origin `json:"kind"`
	Digest  string `json:"digest"` // SHA-256, in hex
	Trusted bool   `json:"trusted"`
	Warning string `json:"warning,omitempty"` // what is wrong with its permissions

	profile  string // the profile that the file chooses
	settings layer
	profiles map[string]layer
}

// layer holds the texts of the settings in a file or a profile. A list has
// several.
type layer map[string][]string

// readFile reads and checks a file. It returns nil for one that does not exist.
func readFile(path string, kind Origin) (*File, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() { // opening a named pipe would wait
		err = errors.New("it is not a regular file")
	}
	var raw []byte
	if err == nil {
		raw, err = readLimited(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading configuration %s: %w", path, Cause(err))
	}
	sum := sha256.Sum256(raw)
	f := &File{Path: path, Kind: kind, Digest: hex.EncodeToString(sum[:]), Trusted: kind == FromUser}
	if err := f.parse(raw); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	f.Warning = f.permissionWarning()
	return f, nil
}

func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = errors.New("it is larger than 1 MiB")
	}
	return raw, err
}

// Cause returns what the system says about a file, without the path that it saw:
// the error that a person reads has the name that they know.
func Cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func (f *File) parse(raw []byte) error {
	// A delimiter that no key contains: a name may have dots.
	v := viper.NewWithOptions(viper.KeyDelimiter("\x00"))
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(raw)); err != nil {
		return errors.New(yamlFault(err))
	}
	values := v.AllSettings()
	profiles, ok := values["profiles"].(map[string]any)
	if !ok && values["profiles"] != nil {
		return errors.New("profiles must be a block with a block for each profile")
	}
	delete(values, "profiles")
	var err error
	if f.settings, err = newLayer(values, "profile", "profiles"); err != nil {
		return err
	}
	if chosen := f.settings["profile"]; len(chosen) > 0 {
		f.profile = chosen[0]
	}
	f.profiles = map[string]layer{}
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		values, ok := profiles[name].(map[string]any)
		if !ok {
			return fmt.Errorf("profile %q must be a block of settings", name)
		}
		if f.profiles[name], err = newLayer(values); err != nil {
			return fmt.Errorf("profile %s: %w", name, err)
		}
	}
	return nil
}

// yamlFault returns in plain words what viper and its YAML decoder say.
func yamlFault(err error) string {
	text := strings.TrimPrefix(err.Error(), "While parsing config: ")
	text = strings.TrimPrefix(text, "yaml: ")
	if strings.Contains(text, "!!") { // the decoder's types
		return "it is not a block of settings, such as url: https://app.example.com"
	}
	return "not YAML: " + text
}

// newLayer checks that every key is a setting, or one of the others that this
// place knows, and that it has a value or a list of them.
func newLayer(values map[string]any, others ...string) (layer, error) {
	known := others
	for _, s := range Settings {
		known = append(known, s.Key)
	}
	l := layer{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, key) {
			return nil, webhook.Unknown("key", key, known)
		}
		if _, block := values[key].(map[string]any); block {
			return nil, fmt.Errorf("%s must be a value, not a block", key)
		}
		l[key] = texts(values[key])
	}
	return l, nil
}

// texts returns a value of a file as text, a list as several.
func texts(value any) (list []string) {
	switch value := value.(type) {
	case nil:
	case []any:
		for _, item := range value {
			list = append(list, fmt.Sprint(item))
		}
	default:
		list = append(list, fmt.Sprint(value))
	}
	return list
}

// permissionWarning warns of a file with a plain secret that others can read,
// or that is a symbolic link, which others may be able to point elsewhere.
func (f *File) permissionWarning() string {
	if !f.hasPlainSecret() {
		return ""
	}
	if link, err := os.Lstat(f.Path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		return f.Path + " contains a secret and is a symbolic link: write env:NAME or file:PATH in it"
	}
	if info, err := os.Stat(f.Path); err == nil && info.Mode().Perm()&0o044 != 0 {
		return f.Path + " contains a secret and others can read it: chmod 600 it, or write env:NAME or file:PATH in it"
	}
	return ""
}

func (f *File) hasPlainSecret() bool {
	layers := append(slices.Collect(maps.Values(f.profiles)), f.settings)
	for _, s := range Settings {
		for _, l := range layers {
			plain := func(text string) bool { return !isReference(text) }
			if s.Secret && slices.ContainsFunc(l[s.Key], plain) {
				return true
			}
		}
	}
	return false
}

// findProject returns the path of the project's file in dir or the nearest
// folder above, or "".
func findProject(dir string) string {
	for {
		path := filepath.Join(dir, ProjectFile)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// CheckReadable refuses as configuration what cannot be read to its end: a device, and
// a named pipe, which would wait for a writer. The descriptors that a shell passes,
// /dev/stdin and those of <(command), are pipes that have one.
func CheckReadable(path string) error {
	if strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/") || path == "/dev/stdin" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // opening it reports the error
	}
	switch {
	case info.Mode()&fs.ModeNamedPipe != 0:
		return errors.New("it is a named pipe, which may never end: give a file")
	case info.Mode()&fs.ModeDevice != 0 && path != os.DevNull:
		return errors.New("it is a device")
	}
	return nil
}
