# The two commands that matter: make demo, make test. make help lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO ?= go
PYTHON ?= python3
VERSION ?= $(shell git describe --tags --dirty --match "v[0-9]*" 2>/dev/null || echo v0.1.0-unknown)
COMMIT = $(shell git rev-parse HEAD 2>/dev/null)
KIND ?= cpu
OUT ?= out/demo
SEED ?=
DEMO_FLAGS ?=
GROWTH_FLAGS ?=

# Tests run in their package's folder, so what is relative to the root is made absolute here.
ifdef BWLM_SHARED
override BWLM_SHARED := $(abspath $(BWLM_SHARED))
export BWLM_SHARED
endif
ifneq ($(findstring /,$(BWLM_PEER_PYTHON)),)
override BWLM_PEER_PYTHON := $(abspath $(BWLM_PEER_PYTHON))
endif
ifdef BWLM_PEER_PYTHON
export BWLM_PEER_PYTHON
endif
ifdef BWLM_SERVE_PYTHON
override BWLM_SERVE_PYTHON := $(abspath $(BWLM_SERVE_PYTHON))
export BWLM_SERVE_PYTHON
endif
export GO PYTHON

# Waiting OpenMP threads spin briefly and then sleep, and malloc keeps what tensors free: on busy cores the tests are
# several times faster. The program does both for itself (torch.Setup).
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 5000
export MALLOC_ARENA_MAX ?= 1
export MALLOC_MMAP_MAX_ ?= 0
export MALLOC_TRIM_THRESHOLD_ ?= 2147483647

# Go keeps what it compiled by its flags and knows nothing of libtorch's headers: another libtorch in third_party is another
# flag. With the pinned one the flags are Go's own.
PINNED = $(shell sed -n 's/^version //p' third_party/libtorch.lock)
FETCHED = $(shell sed -n 's/^version //p' third_party/libtorch/FETCHED 2>/dev/null)
export CGO_CXXFLAGS ?= $(strip -g -O2 $(addprefix -DBWLM_LIBTORCH=,$(filter-out $(PINNED),$(FETCHED))))

LINK_VERSION = -X github.com/brainwavlm/bwlm/internal/version.linked=$(VERSION) \
  -X github.com/brainwavlm/bwlm/internal/version.linkedCommit=$(COMMIT)
LINT := .venv/lint

.PHONY: proto help libtorch build demo test test-fast lint format go-test script-test test-cuda bench growth slow slow-parts dist wheel release release-draft fuzz clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

libtorch: ## fetches libtorch into third_party (KIND=cpu or cuda)
	@scripts/fetch_libtorch.sh $(KIND)

# The program loads the binding, which is linked with libtorch; bin/ and third_party/ can move together.
build: libtorch ## bin/bwlm and its binding of libtorch, fetching what is missing (KIND=cpu or cuda)
	scripts/build_binding.sh bin/libbwlm_torch.so
	[ '$(KIND)' != cuda ] || scripts/build_nccl.sh bin/libbwlm_nccl.so
	$(GO) build -tags libtorch_dlopen -o bin/bwlm -ldflags '$(LINK_VERSION)' ./cmd/bwlm

demo: build ## the whole study on simulated subjects, into out/demo (OUT=DIR SEED=N DEMO_FLAGS=--null)
	bin/bwlm demo --force --out '$(OUT)' $(if $(SEED),--seed $(SEED)) $(DEMO_FLAGS)

test: lint script-test go-test ## every test and linter that CI runs

test-fast: libtorch ## tests in two minutes: no race detector, no linters, no whole trainings (testing.Short)
	$(GO) test -short ./...

# The race detector takes up to ten times as long: it runs where goroutines are started, but for long comparisons.
CONCURRENT = $(shell grep -rlE --include='*.go' --exclude-dir=third_party --exclude-dir=.venv \
  '\<go func|\.Go\>|\<parallel\.|\<sync\.|\<atomic\.' . | xargs -n1 dirname | sort -u | \
  grep -vxF -e ./internal/brain/fingerprint -e ./internal/surface)

go-test: libtorch ## every test, then those of test-fast with the race detector where goroutines are started
	$(GO) test -timeout 20m ./...
	$(GO) test -race -short -timeout 20m $(CONCURRENT)

script-test: ## the tests of scripts/
	scripts/fetch_libtorch_test.sh

lint: libtorch $(LINT)/.done ## gofmt, go vet, staticcheck, clang-format, shellcheck, hadolint, actionlint
	scripts/lint.sh $(LINT)

$(LINT)/.done: scripts/requirements-lint.txt
	rm -rf $(LINT)
	PIP_ROOT_USER_ACTION=ignore $(PYTHON) -m pip install --quiet --disable-pip-version-check --only-binary=:all: --require-hashes \
	  --target $(LINT) --requirement $<
	touch $@

format: $(LINT)/.done ## rewrites Go and C++ as lint wants them
	gofmt -s -w $$(find . -name '*.go' -not -path './third_party/*' -not -path './.venv/*')
	$(LINT)/clang_format/data/bin/clang-format -i torch/*.c torch/*.cc torch/*.h torch/dist/*.c torch/dist/*.h torch/dist/*.cc torch/dist/*/*.cc

proto: ## generates internal/inferencepb (PROTOC="python3 -m grpc_tools.protoc" where there is no protoc)
	scripts/proto.sh

test-cuda: ## the device tests; without a GPU they say so and skip, unless BWLM_REQUIRE_CUDA=1
	@if [ -e /dev/nvidiactl ] || [ "$${BWLM_REQUIRE_CUDA:-0}" = 1 ]; then \
	  scripts/fetch_libtorch.sh cuda; else scripts/fetch_libtorch.sh cpu; fi
	! scripts/build_nccl.sh bin/libbwlm_nccl.so || export BWLM_NCCL_LIBRARY=$(CURDIR)/bin/libbwlm_nccl.so; \
	BWLM_TEST_DEVICE=cuda $(GO) test -tags cuda -count=1 -v -p 1 -timeout 20m ./torch/... ./wavlm ./peft ./brain ./brain/ridge

bench: build ## a training step and features, beside PyTorch's if BWLM_PEER_PYTHON names a Python that has the peer
	scripts/bench.sh

growth: build ## how the cost of a step grows, as tables
	$(GO) run ./tools/growth $(GROWTH_FLAGS)

slow: build ## the tests that take long, in parts of at most 40 minutes (PART=NAME for one)
	scripts/slow.sh $(PART)

slow-parts: ## the parts of make slow and their packages
	@scripts/slow.sh --list

dist: libtorch ## a tarball for machines without Go: the program with libtorch for CPUs, into out/dist
	scripts/dist.sh tarball

wheel: libtorch ## a Python wheel that takes the PyTorch of its environment, into out/dist
	scripts/dist.sh wheel

release: dist wheel ## both packages with their SHA-256 in out/dist/SHA256SUMS
	cd out/dist && sha256sum *.tar.gz *.whl >SHA256SUMS

release-draft: ## a draft of a release of the present tag with what make release made; needs gh and its token
	gh release create --draft --verify-tag --title '$(VERSION)' --notes-file CHANGELOG.md '$(VERSION)' \
	  out/dist/*.tar.gz out/dist/*.whl out/dist/SHA256SUMS

FUZZTIME ?= 30s
fuzz: libtorch ## every fuzz target for FUZZTIME (30s)
	scripts/fuzz.sh $(FUZZTIME)

clean: ## removes what was built
	rm -rf bin .venv

distclean: clean ## also removes the fetched libtorch (the wheels stay in the user's cache)
	rm -rf third_party/libtorch third_party/libtorch-*/ third_party/nvidia third_party/.staging third_party/.fetch.lock
