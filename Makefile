# The targets that people type. CI runs .ci/run, and so does `make check`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The versions of the tools. .ci/run reads these lines.
GOLANGCI_LINT_VERSION := v2.15.0
GORELEASER_VERSION := v2.16.0

FUZZTIME ?= 10s
BENCH ?= .
SEEDS ?= 1000

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 12

.PHONY: build
build: ## Build ./wsk as releases are built
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o wsk ./cmd/wsk

.PHONY: test
test: ## Run the tests
	go test ./...

.PHONY: race
race: ## Run the tests under the race detector
	go test -race ./...

.PHONY: examples
examples: ## Build and run the programs in testdata/examples, and print what each one takes
	go test ./cmd/wsk -count 1 -v -run 'TestExamples$$'

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (10s) each
	@packages=$$(go list ./...); \
	for package in $$packages; do \
	  listed=$$(go test -list '^Fuzz' "$$package"); \
	  for target in $$(grep '^Fuzz' <<<"$$listed" || true); do \
	    echo "== $$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "$$package"; \
	  done; \
	done

.PHONY: powerloss
powerloss: ## End the power of a test disk SEEDS (1000) times for each test; needs root and FUSE
	WSK_POWERLOSS_SEEDS=$(SEEDS) go test -count 1 -timeout 2h -v -run '_without_power|_on_a_failing_disk' ./cmd/wsk

.PHONY: simulate
simulate: ## Run SEEDS (1000) worlds on disk and 20 times as many in memory
	go test ./cmd/wsk/internal/simulation -run 'TestSimulation$$' -seeds $(SEEDS) -timeout 0 -v

.PHONY: mutate
mutate: ## Change each statement that the promises rest on, and see a test fail
	go run ./testdata/mutate

.PHONY: faults
faults: ## End the program at every hit of every failpoint and call of the system
	WSK_EVERY=1 go test -count 1 -timeout 60m -run '^Test(Failpoints|Faults|Busy)$$' ./cmd/wsk

.PHONY: bench
bench: ## Compare with the peers, then run the benchmarks that match BENCH (all)
	@testdata/bench/run
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

SIZES ?= 1000,10000,100000,1000000

.PHONY: growth
growth: build ## Measure the journal commands with SIZES records (1000 to a million)
	@go run ./testdata/bench/growth -sizes $(SIZES) ./wsk

HOURS ?= 1

.PHONY: soak
soak: build ## Load wsk for HOURS (1) or MINUTES, kill it and fill its disk, and check what it keeps
	@go run ./testdata/soak -for $(if $(MINUTES),$(MINUTES)m,$(HOURS)h) ./wsk

.PHONY: lint
lint: ## Check the format, run vet and the linter, and prove that its rules fire
	@.ci/run format vet lint rules

.PHONY: fmt
fmt: tools ## Format the code
	@.bin/golangci-lint fmt ./...

.PHONY: generate
generate: ## Write completions/ and the types in pkg/events
	go run ./cmd/gen

.PHONY: tidy
tidy: ## Write go.mod and go.sum, and those of the examples
	go mod tidy
	cd testdata/examples && go mod tidy

.PHONY: check
check: ## Run everything that CI runs
	@.ci/run

.PHONY: tools
tools: ## Install the pinned linter into .bin/
	@.ci/run tools

.PHONY: snapshot
snapshot: .bin/goreleaser-$(GORELEASER_VERSION) ## Build every release archive into dist/, publishing nothing
	$< release --snapshot --clean

# It takes minutes to compile, so it is kept under the name of its version.
.bin/goreleaser-$(GORELEASER_VERSION):
	GOBIN=$(CURDIR)/.bin go install github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)
	mv .bin/goreleaser $@

.PHONY: clean
clean: ## Remove what was built, except the tools
	rm -rf wsk dist man .bin/wsk coverage.out
