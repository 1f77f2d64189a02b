#!/usr/bin/env bash
# Runs every linter and reports all that they find, then fails if one of them did. Usage: scripts/lint.sh TOOLS,
# TOOLS being the folder into which pip put scripts/requirements-lint.txt.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
go=${GO:-go}
tools=$1
failed=0

check() { # check NAME COMMAND...: a linter fails by its exit code or, as gofmt does, by printing
  local name=$1 found code=0
  shift
  printf 'lint: %s\n' "$name"
  found=$("$@" 2>&1) || code=$?
  if [ "$code" -ne 0 ] || [ -n "$found" ]; then
    printf '%s\n' "$found"
    failed=1
  fi
}

"$go" mod download || exit # which would else print in the middle of a check, and count as found

mapfile -t go_files < <(find . -name '*.go' -not -path './third_party/*' -not -path './.venv/*')
check gofmt "$("$go" env GOROOT)/bin/gofmt" -l -s "${go_files[@]}"
# -race so that the packages, C++ included, are compiled once for the linters and for make go-test.
check 'go vet' "$go" vet -race ./...
check 'go vet -tags cuda,slow' "$go" vet -race -tags cuda,slow ./...
check 'go vet -tags libtorch_dlopen' "$go" vet -tags libtorch_dlopen ./torch/...
check staticcheck env GOFLAGS="${GOFLAGS:-} -race" "$("$go" tool -n staticcheck)" ./...
check clang-format "$tools/clang_format/data/bin/clang-format" --dry-run --Werror torch{,/dist}/*.{c,cc,h} torch/dist/*/*.cc
# shellcheck disable=SC2329 # check calls it
words() { # prints only what is wrong
  local out
  out=$("$go" test ./internal/words 2>&1) || printf '%s\n' "$out"
}
check 'retired words and long lines' words
check actionlint "$("$go" tool -modfile=scripts/actionlint.mod -n actionlint)" -shellcheck "$tools/bin/shellcheck" -pyflakes=
check hadolint "$tools/bin/hadolint" Containerfile
check shellcheck "$tools/bin/shellcheck" scripts/*.sh .ci/run

exit "$failed"
