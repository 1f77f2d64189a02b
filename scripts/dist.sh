#!/usr/bin/env bash
# Builds a package for machines without Go and prints its path; make dist and make wheel call it.
#
#   scripts/dist.sh tarball [OUT]   # the program with libtorch's CPU libraries
#   scripts/dist.sh wheel [OUT]     # a Python wheel with a binding for each version of PyTorch that has a lock
#
# VERSION and SOURCE_DATE_EPOCH are those of the commit by default. Equal sources, tools and OUT give equal bytes. OUT is out/dist.
set -euo pipefail
case ${1:-} in tarball | wheel) ;; *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
kind=$1
out=$(realpath -m "${2:-out/dist}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
version=${VERSION:-$(git describe --tags --dirty --match 'v[0-9]*' 2>/dev/null || echo v0.1.0-unknown)}
commit=$(git rev-parse HEAD 2>/dev/null || true)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
OBJECTS=$PWD/bin/libbwlm_torch.so.o # shared with make build
export SOURCE_DATE_EPOCH OBJECTS
build=$out/build
mkdir -p "$build"

"$go" build -tags libtorch_dlopen -trimpath -o "$build/bwlm" \
  -ldflags "-s -w -X github.com/brainwavlm/bwlm/internal/version.linked=$version
    -X github.com/brainwavlm/bwlm/internal/version.linkedCommit=$commit" ./cmd/bwlm
dist() { "$go" run ./tools/dist "$kind" -go "$go" -bin "$build/bwlm" -version "$version" -out "$out" "$@"; }

# libtorch_of MINOR: prints the folder of the pinned libtorch of that minor version: what make build uses, if it is that, or
# one that is fetched beside it.
libtorch_of() {
  local pinned
  pinned=$(cat third_party/libtorch*.lock | sed -n "s/^version \($1\.[0-9]*\)$/\1/p")
  if [ "$(sed -n 's/^version //p' third_party/libtorch/FETCHED)" = "$pinned" ]; then
    echo third_party/libtorch
  else
    env -u LIBTORCH scripts/fetch_libtorch.sh --torch "$1" --prefix "third_party/libtorch-$1" >&2
    echo "third_party/libtorch-$1/lib/bwlm/libtorch"
  fi
}

if [ "$kind" = tarball ]; then
  cache=$(scripts/fetch_libtorch.sh --download)
  libtorch=$(libtorch_of "$(sed -n 's/^version \(.*\)\.[0-9]*$/\1/p' third_party/libtorch.lock)")
  LIBTORCH=$libtorch scripts/build_binding.sh "$build/libbwlm_torch.so"
  dist -binding "$build/libbwlm_torch.so" -cache "$cache"
  exit
fi

# A binding for each lock.
bindings=()
mapfile -t minors < <(sed -n 's/^version \(.*\)\.[0-9]*$/\1/p' third_party/libtorch*.lock | sort -V)
for minor in "${minors[@]}"; do
  libtorch=$(libtorch_of "$minor")
  LIBTORCH=$libtorch scripts/build_binding.sh "$build/libbwlm_torch-$minor.so"
  bindings+=(-binding "$build/libbwlm_torch-$minor.so")
done

# Requires: from the oldest to the newest version, without those between that have no binding.
torches=">=${minors[0]},<${minors[-1]%.*}.$((${minors[-1]#*.} + 1))"
for ((n = ${minors[0]#*.} + 1; n < ${minors[-1]#*.}; n++)); do
  [[ " ${minors[*]} " == *" ${minors[0]%.*}.$n "* ]] || torches+=",!=${minors[0]%.*}.$n.*"
done

# The platform tag is what auditwheel reads from the symbols of program and bindings.
tools=.venv/wheel
if [ ! -e "$tools/.done" ] || [ scripts/requirements-wheel.txt -nt "$tools/.done" ]; then
  rm -rf "$tools"
  PIP_ROOT_USER_ACTION=ignore "${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
    --require-hashes --target "$tools" --requirement scripts/requirements-wheel.txt
  touch "$tools/.done"
fi
untagged=$(dist "${bindings[@]}" -torches "$torches" | cut -f 1)
PYTHONPATH=$tools "${PYTHON:-python3}" -m auditwheel show "$untagged" >"$build/auditwheel.txt"
tag=$(tr -s '\n ' ' ' <"$build/auditwheel.txt" | sed -n 's/.*constrains the platform tag to "\([a-z0-9_]*\)".*/\1/p')
if [ -z "$tag" ]; then
  cat "$build/auditwheel.txt" >&2
  echo 'dist: auditwheel names no platform tag' >&2
  exit 65
fi
rm -rf "$untagged" "${untagged%.whl}"
dist "${bindings[@]}" -torches "$torches" -platform "$tag"
