# Everything that is done with this repository. `make` lists it.
# On a fresh machine with Go and make: `make demo`, `make test`.

SHELL      := /bin/bash
GO         ?= go
BIN        := bin/bartizan
VERIFIER   := bin/bartizan-verify
FUZZTIME   ?= 5s
N          ?= 1000000
TIME       ?= 10m
RACE       := ./examine/... ./finding/... ./source/... ./attest/hashing/... ./attest/inference/... ./attest/load/... ./attest/manifest/... ./attest/tree/...
GOLANGCI   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
CACHE      := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bartizan
TOOLS      := $(CACHE)/tools
LINTER     := $(TOOLS)/golangci-lint-v2.15.0/golangci-lint

.PHONY: help build demo test test-long lint fmt-check vet golangci arrows fuzz race bench bench-peers differential conformance corpus peers deps generate check-budgets clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

build: ## bin/bartizan and bin/bartizan-verify (with a C compiler keys may lie in PKCS#11 tokens)
	$(GO) build -trimpath -ldflags='-s -w -linkmode=internal' -o $(BIN) ./cmd/bartizan
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(VERIFIER) ./cmd/bartizan-verify

demo: build ## scan real models beside attacks, and print what was found
	@$(GO) run ./tools/demo -bartizan $(BIN) -models testdata/models

test: ## every test (BARTIZAN_CORPORA=DIR adds the labelled corpora)
	$(GO) test ./...

test-long: ## the tests that compare by sample, on everything
	BARTIZAN_LONG=1 $(GO) test -timeout 60m ./...

fmt-check: ## refuse files that gofmt would change
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$out" ]; then echo "gofmt these files:"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...

$(LINTER):
	@mkdir -p $(dir $@)
	GOBIN=$(dir $@) GOFLAGS= $(GO) install $(GOLANGCI)

golangci: $(LINTER)
	$(LINTER) run ./...

lint: fmt-check vet golangci ## gofmt, go vet, golangci-lint (built once from the module proxy)

arrows: ## the design's import arrows, no init(), no panic
	$(GO) test -count=1 ./internal/arrows

fuzz: ## every fuzz target for FUZZTIME each
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

race: ## the race detector on the packages with goroutines (needs a C compiler)
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ]; then set -x; $(GO) test -race $(RACE); \
	else echo 'SKIPPED: no C compiler: the race detector was NOT run'; fi

bench: build ## every benchmark; speed against C pickle.loads, peak memory over bombs (needs Python)
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@if python3 -c '' 2>/dev/null; then python3 tools/benchgen/bench.py --bartizan $(BIN) $(BENCH); \
	else echo 'SKIPPED: no python3: speed against C pickle.loads, files a second and peak memory were NOT measured'; fi

bench-peers: build ## the other scanners and signers beside this one (needs Python and PyPI)
	tools/peers/run $(BIN)
	tools/peers/hashing $(BIN)

# It ends after N streams or TIME and goes on there the next time; an engine or
# harness that changed starts anew. What was missed is in differential-misses.
differential: ## the pickle engine against every CPython at hand, N streams in all, at most TIME a run
	$(GO) run ./tools/differential -n $(N) -time $(TIME) -state \
	  $(CACHE)/differential/$$(cat detect/artifact/{pickle,symbol}/*.* tools/differential/*.* | sha256sum | cut -c1-16).json

conformance: corpus peers ## the labelled corpora, and real clients of the same formats (needs Python and PyPI)

corpus: ## the labelled corpora: recall, false positives, exact names and codes
	@test -n "$(BARTIZAN_CORPORA)" || { echo "set BARTIZAN_CORPORA to the folder of the corpora"; exit 1; }
	@set -o pipefail; $(GO) test -count=1 -v -run '^TestCorpus' $$(grep -rl --include='*_test.go' 'func TestCorpus' . | xargs -n1 dirname | sort -u) | grep -v '^=== '

peers: build ## signers, statements, loaders and lineage of others against these binaries
	tools/peers/signing $(BIN)
	tools/peers/statements $(BIN)
	tools/loaders/run $(BIN) $(VERIFIER)
	BARTIZAN_VERIFY=$(abspath $(VERIFIER)) clients/python/tests/run
	tools/lineage/run $(BIN)

deps: ## fetch every module, and install the optional components of the tests (softhsm2, b3sum)
	$(GO) mod download
	tools/deps

generate: ## derived files, from their sources
	$(GO) generate ./...

check-budgets: build ## size, start-up time and memory of the binary
	$(GO) run ./tools/budgets $(BIN) $(VERIFIER)

clean:
	rm -rf bin
