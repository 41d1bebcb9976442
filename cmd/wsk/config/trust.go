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

// TrustError is returned for what a project's file may only do once its user
// trusts it.
type TrustError struct {
	File string
	What string // what the file does, as the end of a sentence
}

func (e *TrustError) Error() string {
	return fmt.Sprintf("%s %s, and the file is not trusted: read it, then run \"wsk config trust\"", e.File, e.What)
}

func isReference(text string) bool {
	return strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:")
}

// untrusted returns the project's file when it exists and is not trusted.
func (c *Config) untrusted() *File {
	if p := c.project(); p != nil && !p.Trusted {
		return p
	}
	return nil
}

func (c *Config) project() *File {
	for _, f := range c.Files {
		if f.Kind == FromProject {
			return f
		}
	}
	return nil
}

// CheckTrust returns a [*TrustError] when a project's file that is not trusted
// chooses a profile, or has one of the values of a setting. Every command asks
// before it uses a setting by which something is signed or verified.
func (c *Config) CheckTrust(key string, values ...Value) error {
	p := c.untrusted()
	if p == nil {
		return nil
	}
	if c.refused != "" {
		return &TrustError{p.Path, "chooses the profile " + c.refused}
	}
	for _, v := range values {
		switch {
		case v.From != FromProject:
		case isReference(v.Text):
			return &TrustError{p.Path, "refers to " + v.Text}
		default:
			return &TrustError{p.Path, "sets the " + key}
		}
	}
	return nil
}

// Credential returns the text of a key or secret and follows its env: or file:
// reference, which only a file may have. A reference in a project's file that
// is not trusted is a [*TrustError].
func (c *Config) Credential(v Value) (string, error) {
	if !isReference(v.Text) || v.From != FromProject && v.From != FromUser {
		return v.Text, nil
	}
	if p := c.untrusted(); v.From == FromProject && p != nil {
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
		path = filepath.Join(c.home(), rest)
	} else if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(v.Name), path)
	}
	text, err := ReadSecretFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: reading %s: %w", v.Place(), path, err)
	}
	return text, nil
}

// ReadSecretFile returns the text of a file without its last line end. The error
// does not name the file.
func ReadSecretFile(path string) (string, error) {
	err := CheckReadable(path)
	var raw []byte
	if err == nil {
		raw, err = readLimited(path)
	}
	if err != nil {
		return "", Cause(err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r"), nil
}

// CheckTarget returns a [*TrustError] when only a project's file that is not
// trusted names the origin (scheme, host and port) of the target, and one of the
// credentials comes from elsewhere. Loopback hosts are exempt.
func (c *Config) CheckTarget(target Value, credentials ...Value) error {
	if err := c.CheckTrust("url"); err != nil {
		return err
	}
	p := c.untrusted()
	if target.From != FromProject || p == nil || deliver.IsLoopback(target.Text) {
		return nil
	}
	for _, values := range c.values["url"] {
		for _, other := range values {
			if other.From != FromProject && originOf(other.Text) == originOf(target.Text) {
				return nil
			}
		}
	}
	for _, credential := range credentials {
		if !credential.IsZero() && credential.From != FromProject {
			return &TrustError{p.Path, fmt.Sprintf("names %s, to which a credential from the %s would go", originOf(target.Text), credential.Place())}
		}
	}
	return nil
}

// originOf returns the scheme, the host and the port of a URL: http is not https,
// even at the same host.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return scheme + "://" + strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}

// Trust stores the path and digest of the project's file, so a later change
// ends the trust. It returns the file.
func (c *Config) Trust() (*File, error) {
	p := c.project()
	if p == nil {
		return nil, fmt.Errorf("there is no %s here or above", ProjectFile)
	}
	path := c.trustPath()
	if path == "" {
		return nil, errors.New("no folder to store the trust in: set HOME or XDG_STATE_HOME")
	}
	trusted, err := readTrust(path)
	if err != nil {
		return nil, err
	}
	trusted[p.Path] = p.Digest
	if err := writeTrust(path, trusted); err != nil {
		return nil, fmt.Errorf("storing the trust in %s: %w", path, Cause(err))
	}
	return p, nil
}

// readTrust returns the digests of the trusted files by path. Without a list,
// nothing is trusted.
func readTrust(path string) (map[string]string, error) {
	trusted := map[string]string{}
	if path == "" {
		return trusted, nil
	}
	raw, err := readLimited(path)
	if errors.Is(err, fs.ErrNotExist) {
		return trusted, nil
	}
	if err == nil && json.Unmarshal(raw, &trusted) != nil {
		err = errors.New("it is damaged: delete it, and trust your files again")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of trusted files %s: %w", path, Cause(err))
	}
	return trusted, nil
}

// writeTrust replaces the whole list at once: of two processes that write it,
// one leaves a whole list.
func writeTrust(path string, trusted map[string]string) error {
	raw, err := json.MarshalIndent(trusted, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".trusted-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(append(raw, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
