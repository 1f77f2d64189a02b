#!/usr/bin/env bash
# Builds and runs examples/embed as a program of another module that requires this one: the module comes from a Go module
# proxy (a folder made here from the last commit), libtorch from pkg-config, and nothing else is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=github.com/brainwavlm/bwlm
version=v0.0.1
go=${GO:-go}
for tool in git pkg-config; do
  command -v "$tool" >/dev/null || { echo "outside_module_test: needs $tool" >&2; exit 69; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

scripts/fetch_libtorch.sh --prefix "$tmp/prefix"

# A module proxy is a folder: https://go.dev/ref/mod#goproxy-protocol
at=$tmp/proxy/$module/@v
mkdir -p "$at"
echo "$version" >"$at/list"
printf '{"Version":"%s"}\n' "$version" >"$at/$version.info"
git show HEAD:go.mod >"$at/$version.mod"
git archive --format=zip --prefix="$module@$version/" -o "$at/$version.zip" HEAD

embed=$tmp/embed
mkdir "$embed"
git show HEAD:go.sum >"$embed/go.sum" # so that the other modules are checked as they are here
cat >"$embed/go.mod" <<MOD
module outside

go 1.26.0

require $module $version
MOD
git show HEAD:examples/embed/main.go >"$embed/main.go"

# What was downloaded already is taken from the user's module cache; the one used here is thrown away, since it
# would keep this commit as $version.
GOPROXY="file://$tmp/proxy,file://$("$go" env GOMODCACHE)/cache/download,$("$go" env GOPROXY)"
(
  export GOPROXY
  export GOMODCACHE=$tmp/modules GONOSUMDB=$module GOFLAGS='-mod=mod -modcacherw' GOWORK=off GOPRIVATE='' GONOPROXY=''
  export PKG_CONFIG_PATH=$tmp/prefix/lib/pkgconfig
  unset LD_LIBRARY_PATH LIBRARY_PATH CPATH LIBTORCH
  cd "$embed"
  "$go" build -tags libtorch_pkgconfig -o "$tmp/out" .
)
"$go" version -m "$tmp/out" | grep -q "$module.*$version" || { echo "FAIL: the module did not come from the proxy" >&2; exit 1; }
ldd "$tmp/out" | grep -q "$tmp/prefix/.*libtorch_cpu.so" || { echo "FAIL: libtorch did not come from the prefix" >&2; exit 1; }
# The test of the example runs the program without environment variables.
"$go" test -count=1 -v -run 'TestProgramReadsFeatures|TestMistakes' ./examples/embed -args -program "$tmp/out"
echo 'ok   a module outside the tree'
