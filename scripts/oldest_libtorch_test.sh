#!/usr/bin/env bash
# Builds the binding and runs the tests of mathematics, files of models and training with the oldest libtorch that bwlm is
# built with (third_party/libtorch-2.11.lock). BWLM_TEST_LIBTORCH is another one to test: the torch folder of a Python
# installation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
command -v pkg-config >/dev/null || { echo "oldest_libtorch_test: needs pkg-config" >&2; exit 69; }
prefix=$PWD/third_party/libtorch-oldest
if [ -n "${BWLM_TEST_LIBTORCH:-}" ]; then
  LIBTORCH=$BWLM_TEST_LIBTORCH scripts/fetch_libtorch.sh --prefix "$prefix"
else
  scripts/fetch_libtorch.sh --torch 2.11 --prefix "$prefix"
fi
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
version=$(pkg-config --modversion libtorch)

"$go" test -tags libtorch_pkgconfig -v -timeout 30m ./torch/... ./speech/... ./wavlm ./whisper ./peft ./brain/loss \
  ./brain/design ./brain/ridge ./brain/predict ./internal/brain/windows ./internal/brain/readout ./internal/brain/tune

# The command with a binding that is built for it, and with one that is not.
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
LIBTORCH=$prefix/lib/bwlm/libtorch scripts/build_binding.sh "$bin/libbwlm_torch.so"
"$go" build -tags libtorch_dlopen -o "$bin/bwlm" ./cmd/bwlm
LIBTORCH=$prefix/lib/bwlm/libtorch "$bin/bwlm" version | grep -x "libtorch $version"
LIBTORCH=$prefix/lib/bwlm/libtorch "$bin/bwlm" doctor
code=0
LIBTORCH=third_party/libtorch "$bin/bwlm" version 2>"$bin/said" || code=$?
[ "$code" = 69 ] || { echo "a binding for $version went with another libtorch: exit code $code" >&2; exit 1; }
cat "$bin/said"
