#!/usr/bin/env bash
# Packs the tests of make test-cuda and the program for a machine that has a GPU and PyTorch, but neither Go nor a network,
# such as a node of a cluster. PyTorch there must be of the version that this is built with. For PyTorch 2.11:
#
#   scripts/fetch_libtorch.sh --torch 2.11 --prefix DIR
#   export PKG_CONFIG_PATH=DIR/lib/pkgconfig GOFLAGS=-tags=libtorch_pkgconfig
#
#   scripts/cuda_kit.sh cuda_kit.tar.xz                  # here
#   tar -xf cuda_kit.tar.xz && cuda_kit/run.sh           # there
set -euo pipefail
[ $# = 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kit=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
tags=$(sed -n 's/.*-tags[= ]\([^ ]*\).*/\1,/p' <<<"${GOFLAGS:-}")cuda
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

for package in torch torch/nn wavlm peft brain brain/ridge; do # tests read what lies beside and above their folder
  mkdir -p "$stage/cuda_kit/$package"
  "$go" test -c -tags "$tags" -ldflags '-s -w' -o "$stage/cuda_kit/$package/run.test" "./$package"
  [ ! -d "$package/testdata" ] || cp -r "$package/testdata" "$stage/cuda_kit/$package/"
done
"$go" build -tags "$tags" -ldflags '-s -w' -o "$stage/cuda_kit/bwlm" ./cmd/bwlm
cp -r testdata bench/peer_train_step.py "$stage/cuda_kit/"
cp scripts/cuda_kit_run.sh "$stage/cuda_kit/run.sh"
tar -C "$stage" -cJf "$kit" cuda_kit
printf 'cuda_kit: %s, %d MB\n' "$kit" $(($(stat -c %s "$kit") >> 20))
