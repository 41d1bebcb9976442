package diagnose

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runTool starts a tool once, with its input on stdin, and skips the test
// where the tool is not installed.
func runTool(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.Bytes())
	}
	return out
}

// askTool gives a tool one JSON value and reads one back.
func askTool(t testing.TB, in, out any, name string, args ...string) {
	t.Helper()
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	raw := runTool(t, stdin, name, args...)
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatalf("%s answered %.200q: %v", name, raw, err)
	}
}

// opensslDigests has openssl compute one digest for each content.
func opensslDigests(t testing.TB, contents [][]byte, args ...string) [][]byte {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"dgst"}, append(args, "-r")...)
	for i, content := range contents {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	var digests [][]byte
	for line := range strings.Lines(string(runTool(t, nil, "openssl", args...))) {
		text, _, _ := strings.Cut(line, " ")
		digest, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("openssl printed %q", line)
		}
		digests = append(digests, digest)
	}
	if len(digests) != len(contents) {
		t.Fatalf("openssl printed %d digests for %d contents", len(digests), len(contents))
	}
	return digests
}

// opensslHMAC is opensslDigests with a key.
func opensslHMAC(t testing.TB, hash string, key []byte, contents ...[]byte) [][]byte {
	t.Helper()
	return opensslDigests(t, contents, "-"+hash, "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(key))
}
