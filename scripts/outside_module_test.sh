#!/usr/bin/env bash
# Builds and runs a program of another module that requires this one, as a service would: the module comes from
# a Go module proxy (a folder made here from the last commit), libtorch from pkg-config, and nothing else is set.
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

service=$tmp/service
mkdir "$service"
git show HEAD:go.sum >"$service/go.sum" # so that the other modules are checked as they are here
cat >"$service/go.mod" <<MOD
module service

go 1.26.0

require $module $version
MOD
cat >"$service/main.go" <<'GO'
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/brainwavlm/bwlm/torch"
)

func main() {
	err := torch.Infer(context.Background(), func(s *torch.Scope) error {
		x := s.FromFloat32([]float32{3, 4}, 2)
		fmt.Println(x.Mul(x).Sum().Item())
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}
GO

# What was downloaded already is taken from the user's module cache; the one used here is thrown away, since it
# would keep this commit as $version.
GOPROXY="file://$tmp/proxy,file://$("$go" env GOMODCACHE)/cache/download,$("$go" env GOPROXY)"
export GOPROXY
export GOMODCACHE=$tmp/modules GONOSUMDB=$module GOFLAGS='-mod=mod -modcacherw' GOWORK=off GOPRIVATE='' GONOPROXY=''
export PKG_CONFIG_PATH=$tmp/prefix/lib/pkgconfig
unset LD_LIBRARY_PATH LIBRARY_PATH CPATH LIBTORCH

cd "$service"
"$go" build -tags libtorch_pkgconfig -o "$tmp/out" .
cd /
got=$("$tmp/out")
if [ "$got" != 25 ]; then
  echo "FAIL scripts/outside_module_test.sh: the program printed \"$got\", want 25" >&2
  exit 1
fi
"$go" version -m "$tmp/out" | grep -q "$module.*$version" || { echo "FAIL: the module did not come from the proxy" >&2; exit 1; }
ldd "$tmp/out" | grep -q "$tmp/prefix/.*libtorch_cpu.so" || { echo "FAIL: libtorch did not come from the prefix" >&2; exit 1; }
echo 'ok   a module outside the tree'
