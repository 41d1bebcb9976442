// Command mutate changes one line at a time of the statements that the promises of
// .github/PROMISES.md rest on, and runs the tests that are to notice. A change that no
// test notices is a promise that nothing holds.
//
//	go run ./testdata/mutate                 # every change of testdata/mutate/promises.txt
//	go run ./testdata/mutate claimed first   # those whose title contains the words
//
// The sources stay as they are: the go command reads the changed file as an overlay.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// change is one line that is changed.
type change struct {
	title    string
	file     string
	old, new string
	test     []string // arguments of go test
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words string) error {
	const list = "testdata/mutate/promises.txt"
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	changes, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	found, tried := 0, 0
	for _, c := range changes {
		if !strings.Contains(c.title, words) {
			continue
		}
		tried++
		began := time.Now()
		noticed, err := c.try(ctx, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		verdict := "NOT NOTICED"
		if noticed {
			verdict = "noticed"
			found++
		}
		fmt.Printf("%-12s %5.0fs  %s\n", verdict, time.Since(began).Seconds(), c.title)
	}
	fmt.Printf("%d of %d noticed\n", found, tried)
	if found < tried {
		return errors.New("a promise is not held by the tests")
	}
	return nil
}

// parse reads the changes: a title after "# ", the file, the line after "- " as it is and
// after "+ " as it becomes, and the arguments of go test.
func parse(text string) (changes []change, err error) {
	for n, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		if word == "#" {
			changes = append(changes, change{title: rest})
			continue
		}
		if len(changes) == 0 || line == "" {
			continue
		}
		c := &changes[len(changes)-1]
		switch word {
		case "file":
			c.file = rest
		case "-":
			c.old = rest
		case "+":
			c.new = rest
		case "test":
			c.test = strings.Fields(rest)
		default:
			return nil, fmt.Errorf("line %d: %q is not one of #, file, -, + and test", n+1, word)
		}
	}
	return changes, nil
}

// try runs the tests with the change, and reports whether they fail.
func (c change) try(ctx context.Context, dir string) (noticed bool, err error) {
	source, err := os.ReadFile(c.file)
	if err != nil {
		return false, err
	}
	if n := bytes.Count(source, []byte(c.old)); n != 1 {
		return false, fmt.Errorf("%s contains %q %d times, want once", c.file, c.old, n)
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(c.old), []byte(c.new), 1), 0o600); err != nil {
		return false, err
	}
	absolute, err := filepath.Abs(c.file)
	if err != nil {
		return false, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {absolute: changed}})
	if err != nil {
		return false, err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return false, err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-vet=off", "-failfast", "-count=1", "-timeout=2m", "-overlay", path}, c.test...)...)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case !errors.As(err, &exit) || ctx.Err() != nil:
		return false, err
	case bytes.Contains(output, []byte("[build failed]")) || bytes.Contains(output, []byte("[setup failed]")):
		return false, fmt.Errorf("it does not compile:\n%s", output)
	}
	return true, nil
}
