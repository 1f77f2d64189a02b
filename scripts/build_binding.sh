#!/usr/bin/env bash
# Builds the binding, the parts of packages torch and torch/dist that are linked with libtorch, as a shared library of its own for
# programs built with -tags libtorch_dlopen:
#
#   scripts/build_binding.sh bin/libbwlm_torch.so
#
# CXX is the compiler, LIBTORCH the libtorch to build against (third_party/libtorch). Sources that have not changed are not
# compiled again; OBJECTS is the folder of what was compiled, in which each version of libtorch has its own.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
libtorch=${LIBTORCH:-third_party/libtorch}
export CXX=${CXX:-g++} include=$libtorch/include
objects=${OBJECTS:-$out.o}/$(sha256sum <"$include/torch/headeronly/version.h" | cut -c 1-12) # of this version of libtorch
export objects
mkdir -p "$objects"

compile() { # compile SOURCE: unless its object is newer than all that it is made of
  local object
  object=$objects/$(basename "$1" .cc).o
  for from in "$1" "${1%/*}"/*.h scripts/build_binding.sh; do
    if [ ! "$object" -nt "$from" ]; then
      "$CXX" -std=c++20 -O2 -fPIC -fopenmp -g0 -Wall -Wno-deprecated-declarations -I"$include" \
        -I"$include/torch/csrc/api/include" -Itorch/dist/stub -c "$1" -o "$object.new"
      mv "$object.new" "$object"
      return
    fi
  done
}
export -f compile
printf '%s\n' torch/*.cc torch/dist/*.cc | xargs -P "$(nproc)" -I{} bash -euc 'compile {}'
# shellcheck disable=SC2016 # $ORIGIN is for the dynamic loader
"$CXX" -shared -fopenmp -o "$out.new" "$objects"/*.o -L"$libtorch/lib" -ltorch_cpu -lc10 \
  -Wl,--no-undefined -Wl,-rpath,'$ORIGIN/../third_party/libtorch/lib:$ORIGIN' -Wl,-rpath-link,"$libtorch/../nvidia/cu13/lib"
mv "$out.new" "$out"
