module github.com/wskdev/wsk

go 1.26.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0 // latencies of a load test, in cmd/wsk/internal/replay alone
	github.com/fatih/color v1.19.0 // colour, in cmd/wsk/ui alone
	github.com/hanwen/go-fuse/v2 v2.12.1 // tests only: a disk that loses power, in cmd/wsk/internal/powerfs
	github.com/prometheus/client_golang v1.25.0 // metrics, in pkg/observe/promwebhook alone
	github.com/rogpeppe/go-internal v1.16.0 // testscript: tests that type what a person types
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests only: the oracle that pkg/internal/schema is held to
	github.com/spf13/cobra v1.10.2 // commands, help, completion, man pages
	github.com/spf13/pflag v1.0.10 // cobra's flags, by their own name
	github.com/spf13/viper v1.21.0 // configuration files, in cmd/wsk/config alone
	github.com/tidwall/gjson v1.20.0 // paths into JSON without a tree
	go.opentelemetry.io/otel v1.47.0 // the attributes of metrics, in pkg/observe/otelwebhook alone
	go.opentelemetry.io/otel/metric v1.47.0 // metrics: the API, in pkg/observe/otelwebhook alone
	go.opentelemetry.io/otel/sdk/metric v1.47.0 // tests only: reads back what pkg/observe/otelwebhook counts
	go.yaml.in/yaml/v3 v3.0.5 // templates of Work Market, with the place of each value; viper reads YAML by it as well
	golang.org/x/sys v0.49.0 // whether bytes wait on stdin
	golang.org/x/term v0.47.0 // terminals: their width, and a prompt without echo
)

require modernc.org/sqlite v1.62.0 // the journal: SQLite in pure Go

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/cpuguy83/go-md2man/v2 v2.0.6 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/fsnotify/fsnotify v1.9.0 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-viper/mapstructure/v2 v2.4.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/kylelemons/godebug v1.1.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/pelletier/go-toml/v2 v2.2.4 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/sagikazarmark/locafero v0.11.0 // indirect
	github.com/sourcegraph/conc v0.3.1-0.20240121214520-5f936abd7ae8 // indirect
	github.com/spf13/afero v1.15.0 // indirect
	github.com/spf13/cast v1.10.0 // indirect
	github.com/subosito/gotenv v1.6.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/log v1.47.0 // indirect
	go.opentelemetry.io/otel/sdk v1.47.0 // indirect
	go.opentelemetry.io/otel/trace v1.47.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	modernc.org/libc v1.80.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
