package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wskdev/wsk/cmd/wsk/config"
	"github.com/wskdev/wsk/cmd/wsk/ui"
)

// durationForms is how a duration is written, for errors and help.
const durationForms = "90s, 5m, 2h, 7d, or a number of seconds"

var errNoDuration = errors.New("not a duration: write " + durationForms)

// ReadDuration reads a duration as it is typed anywhere: "1m30s", "2h", "7d", or a
// number of seconds.
func ReadDuration(text string) (time.Duration, error) {
	if isNumber(text) {
		text += "s"
	}
	var whole time.Duration
	if days, rest, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(days, 10, 15)
		if err != nil {
			return 0, errNoDuration
		}
		whole = time.Duration(n) * 24 * time.Hour
		if text = rest; rest == "" {
			return whole, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || whole+d < 0 {
		return 0, errNoDuration
	}
	return whole + d, nil
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.") == ""
}

// ParseDuration reads a setting that is a duration.
func ParseDuration(v config.Value, key string) (time.Duration, error) {
	d, err := ReadDuration(v.Text)
	if err != nil {
		err = fmt.Errorf("%s %q is %w (from the %s)", key, v.Text, err, v.Place())
	}
	return d, err
}

// duration is the value of a flag that is a duration.
type duration time.Duration

// DurationVar declares a flag that is a duration. As its default, 0 means none.
func DurationVar(f *pflag.FlagSet, to *time.Duration, name string, value time.Duration, usage string) {
	*to = value
	f.Var((*duration)(to), name, usage)
}

func (d *duration) Set(text string) (err error) {
	read, err := ReadDuration(text)
	if err == nil {
		*d = duration(read)
	}
	return err
}

func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return ui.Duration(time.Duration(*d))
}

func (*duration) Type() string { return durationType }

// durationType is the type of the flags that are durations.
const durationType = "duration"

// durationText is the flag of a setting that is a duration. It is read with the
// setting, whether it comes from the flag, a file or the environment.
type durationText string

func (d *durationText) Set(text string) error { *d = durationText(text); return nil }
func (d *durationText) String() string        { return string(*d) }
func (*durationText) Type() string            { return durationType }

// ExplainDurations says in the help of a command how a duration is written, if one
// of its flags is one.
func ExplainDurations(cmd *cobra.Command) {
	has := false
	look := func(f *pflag.Flag) { has = has || f.Value.Type() == durationType }
	cmd.Flags().VisitAll(look) // LocalFlags would cost a third of the start of the program
	cmd.PersistentFlags().VisitAll(look)
	if has {
		cmd.Long += "\n\nA DURATION is " + durationForms + "."
	}
}
