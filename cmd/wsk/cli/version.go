package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says what was built.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified,omitempty"` // the work tree differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf reads what the Go tool wrote into the binary.
func buildOf() *build {
	b := &build{Version: "devel", Commit: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func userAgent() string { return "wsk/" + buildOf().Version }

func newVersion(env *Env) *cobra.Command {
	o := &outputFlags{}
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and Go version",
		Example: "  wsk version\n  wsk version --json",
		Args:    exactly(0, ""),
	}
	o.add(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.choose(cmd); err != nil {
			return err
		}
		b := buildOf()
		if !o.text() {
			return writeJSON(env.Out, b)
		}
		_, err := fmt.Fprintf(env.Out, "wsk %s\ncommit %s\n%s %s\n", b.Version, b.Commit, b.Go, b.Platform)
		return err
	}
	return cmd
}
