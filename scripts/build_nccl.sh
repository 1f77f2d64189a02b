#!/usr/bin/env bash
# Builds the library by which ranks exchange between GPUs. It belongs beside the program, or beside its binding:
#
#   scripts/build_nccl.sh bin/libbwlm_nccl.so
#
# LIBTORCH is a libtorch with CUDA (default third_party/libtorch, as scripts/fetch_libtorch.sh cuda brings it). Headers of CUDA and
# NCCL are looked for beside it, in $CUDA_HOME and in /usr/local/cuda. A Python with PyTorch lacks some of them, which
# pip install nvidia-cuda-crt==13.2.* brings (of the CUDA that its PyTorch has). CXX is the compiler.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
libtorch=${LIBTORCH:-third_party/libtorch}
[ -e "$libtorch/lib/libtorch_cuda.so" ] || {
  echo "build_nccl: $libtorch is a libtorch without CUDA; set LIBTORCH, or fetch one with scripts/fetch_libtorch.sh cuda" >&2
  exit 69
}
include=() missing=()
for dir in "$libtorch"/../nvidia/*/include "${CUDA_HOME:-/usr/local/cuda}/include"; do
  [ ! -d "$dir" ] || include+=(-I"$dir")
done
for header in cuda_runtime.h crt/host_config.h cublas_v2.h cusparse.h cusolverDn.h nccl.h; do
  found=''
  for dir in "${include[@]#-I}" /usr/include; do [ ! -e "$dir/$header" ] || found=yes; done
  [ -n "$found" ] || missing+=("$header")
done
[ ${#missing[@]} = 0 ] || {
  echo "build_nccl: no ${missing[*]} beside $libtorch or in CUDA_HOME; install CUDA's development files and set CUDA_HOME" >&2
  exit 69
}
mkdir -p "$(dirname "$out")"
"${CXX:-g++}" -std=c++20 -O2 -fPIC -shared -g0 -Wall -Wno-deprecated-declarations -isystem "$libtorch/include" \
  -isystem "$libtorch/include/torch/csrc/api/include" "${include[@]}" torch/dist/nccl/nccl.cc -o "$out.new" -L"$libtorch/lib" \
  -ltorch_cuda -lc10_cuda -ltorch_cpu -lc10
mv "$out.new" "$out"
