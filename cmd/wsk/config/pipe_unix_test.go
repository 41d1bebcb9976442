//go:build unix

package config_test

import (
	"strings"
	"syscall"
	"testing"
)

// Opening a named pipe would wait until somebody writes to it.
func TestLoad_namedPipe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := syscall.Mkfifo(w.projectFile(), 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := w.tryLoad(nil, ""); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("error %v", err)
	}
}
