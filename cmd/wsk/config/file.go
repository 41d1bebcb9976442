package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/spf13/viper"

	"github.com/wskdev/wsk/pkg/webhook"
)

// ProjectFile is the name of a project's file.
const ProjectFile = ".wsk.yaml"

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Kind says which layer a value came from.
type Kind string

// The layers, first to last in precedence.
const (
	FromFlag    Kind = "flag"
	FromEnv     Kind = "environment"
	FromProject Kind = "project file"
	FromUser    Kind = "user file"
	FromDefault Kind = "default"
)

// File is a configuration file as it was found.
type File struct {
	Path    string `json:"path"`
	Kind    Kind   `json:"kind"`
	Digest  string `json:"digest"` // SHA-256, hex
	Trusted bool   `json:"trusted"`
	Warning string `json:"warning,omitempty"` // what is wrong with its permissions

	base     *viper.Viper
	profiles map[string]*viper.Viper
}

// keyDelimiter keeps viper from taking the dots of a key apart.
const keyDelimiter = "\x00"

// readFile reads and checks one file. A file that is not there is nil.
func readFile(path string, kind Kind) (*File, error) {
	raw, err := readLimited(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	sum := sha256.Sum256(raw)
	f := &File{Path: path, Kind: kind, Digest: hex.EncodeToString(sum[:]), Trusted: kind == FromUser, profiles: map[string]*viper.Viper{}}
	all, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if f.base, err = layer(all, path, "profiles", "profile"); err != nil {
		return nil, err
	}
	profiles, ok := all["profiles"].(map[string]any)
	if !ok && all["profiles"] != nil {
		return nil, fmt.Errorf("reading %s: profiles must hold a block for each profile", path)
	}
	for name, block := range profiles {
		values, ok := block.(map[string]any)
		if !ok && block != nil {
			return nil, fmt.Errorf("reading %s: profile %q must hold settings", path, name)
		}
		if f.profiles[name], err = layer(values, path+", profile "+name); err != nil {
			return nil, err
		}
	}
	f.Warning = permissionWarning(path, f)
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
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return raw, err
}

func parse(raw []byte) (map[string]any, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(keyDelimiter))
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	return v.AllSettings(), nil
}

// layer checks that every key is a setting and returns the values.
func layer(values map[string]any, place string, also ...string) (*viper.Viper, error) {
	known := also
	for _, s := range Settings() {
		known = append(known, s.Key)
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	v := viper.NewWithOptions(viper.KeyDelimiter(keyDelimiter))
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("reading %s: %w", place, webhook.Unknown("key", key, known))
		}
		if _, nested := values[key].(map[string]any); nested && key != "profiles" {
			return nil, fmt.Errorf("reading %s: %s must be a value, is a block", place, key)
		}
		v.Set(key, values[key])
	}
	return v, nil
}

// get returns a setting's texts; only a secret may have more than one.
func get(v *viper.Viper, key string) []string {
	if v == nil || !v.IsSet(key) {
		return nil
	}
	if list, ok := v.Get(key).([]any); ok {
		var texts []string
		for _, item := range list {
			texts = append(texts, fmt.Sprint(item))
		}
		return texts
	}
	return []string{v.GetString(key)}
}

// permissionWarning speaks up when a file that holds a secret in plain text
// can be read by others, or is a link that others may point elsewhere.
func permissionWarning(path string, f *File) string {
	if !f.holdsSecret() {
		return ""
	}
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		return path + " holds a secret and is a symbolic link: write env:NAME or file:PATH in it"
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o044 != 0 {
		return path + " holds a secret and can be read by others: chmod 600 it, or write env:NAME or file:PATH"
	}
	return ""
}

// holdsSecret reports whether a secret stands in the file as plain text.
func (f *File) holdsSecret() bool {
	layers := []*viper.Viper{f.base}
	for _, p := range f.profiles {
		layers = append(layers, p)
	}
	for _, s := range Settings() {
		for _, v := range layers {
			plain := func(text string) bool { return !isReference(text) }
			if s.Secret && slices.ContainsFunc(get(v, s.Key), plain) {
				return true
			}
		}
	}
	return false
}

// findProject looks for the project's file in dir and above.
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
