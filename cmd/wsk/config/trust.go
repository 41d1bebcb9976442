package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/wskdev/wsk/pkg/deliver"
)

// TrustError says that a project's file was about to be believed before its
// user said so.
type TrustError struct {
	File string
	What string
}

func (e *TrustError) Error() string {
	return fmt.Sprintf("%s %s, and the file is not trusted: read it, then run \"wsk config trust\"", e.File, e.What)
}

func isReference(text string) bool {
	return strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:")
}

// Credential follows a value's env: or file: reference and returns the text. A
// reference in a project's file that is not trusted is a [*TrustError]. A
// file's last line end does not count.
func (c Config) Credential(v Value) (string, error) {
	if !isReference(v.Text) || v.From != FromProject && v.From != FromUser {
		return v.Text, nil
	}
	if p := c.project(); v.From == FromProject && p != nil && !p.Trusted {
		return "", &TrustError{p.Path, "refers to " + v.Text}
	}
	if name, ok := strings.CutPrefix(v.Text, "env:"); ok {
		text, ok := c.lookup(name)
		if !ok {
			return "", fmt.Errorf("%s: the variable %s is not set", v.Place(), name)
		}
		return text, nil
	}
	path := strings.TrimPrefix(v.Text, "file:")
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = filepath.Join(c.home, rest)
	} else if !filepath.IsAbs(path) {
		file, _, _ := strings.Cut(v.Name, ", profile ")
		path = filepath.Join(filepath.Dir(file), path)
	}
	text, err := ReadSecretFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", v.Place(), err)
	}
	return text, nil
}

// ReadSecretFile returns a file's text without its last line end.
func ReadSecretFile(path string) (string, error) {
	raw, err := readLimited(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r"), nil
}

// CheckHost refuses to let a project's file that is not trusted name the host
// that a key or secret from elsewhere goes to. Loopback hosts are exempt, and
// so are hosts that a flag, the environment or the user's file names too.
func (c Config) CheckHost(target Value, credentials ...Value) error {
	p := c.project()
	if target.From != FromProject || p == nil || p.Trusted || deliver.IsLoopback(target.Text) {
		return nil
	}
	for _, other := range c.all["url"] {
		if other.From != FromProject && hostOf(other.Text) == hostOf(target.Text) {
			return nil
		}
	}
	for _, credential := range credentials {
		if !credential.IsZero() && credential.From != FromProject {
			return &TrustError{p.Path, fmt.Sprintf("names the host %s, to which a credential from the %s would go", hostOf(target.Text), credential.Place())}
		}
	}
	return nil
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// Trust remembers the project's file as it is now, by path and digest; a
// later change ends the trust. It returns the file.
func (c Config) Trust() (*File, error) {
	p := c.project()
	if p == nil {
		return nil, fmt.Errorf("there is no %s here or above", ProjectFile)
	}
	path := c.TrustPath()
	if path == "" {
		return nil, errors.New("there is no place to remember it: neither HOME nor XDG_STATE_HOME is set")
	}
	store, err := readTrust(path)
	if err != nil {
		return nil, err
	}
	store[p.Path] = p.Digest
	return p, writeTrust(path, store)
}

// readTrust returns path → digest; nothing is trusted when there is no file.
func readTrust(path string) (map[string]string, error) {
	store := map[string]string{}
	if path == "" {
		return store, nil
	}
	raw, err := readLimited(path)
	if errors.Is(err, fs.ErrNotExist) {
		return store, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &store)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of trusted files %s: %w", path, err)
	}
	return store, nil
}

// writeTrust replaces the file whole, so that two instances leave one of two
// whole lists and never half of one.
func writeTrust(path string, store map[string]string) error {
	raw, err := json.MarshalIndent(store, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("remembering the trust: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".trusted-*") // 0600 from the start
	if err != nil {
		return fmt.Errorf("remembering the trust: %w", err)
	}
	_, err = file.Write(append(raw, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("remembering the trust: %w", err)
	}
	return nil
}
