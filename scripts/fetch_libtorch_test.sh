#!/usr/bin/env bash
# Tests fetch_libtorch.sh in a small copy of the tree, with tiny wheels that pip takes from a folder: no network.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tree=$tmp/tree
cache=$tmp/cache/bwlm
host_python=$(command -v python3)
mkdir -p "$tree/scripts" "$tree/third_party" "$tmp/index" "$tmp/nothing" "$tmp/bin"
cp "$here/fetch_libtorch.sh" "$here/unpack_wheel.py" "$tree/scripts/"

# --- tiny libraries and wheels -----------------------------------------------------------------------

lib() { # lib FOLDER SONAME LINKED...: an empty shared library with the rpath of the real ones
  local folder=$1 name=$2
  shift 2
  mkdir -p "$folder"
  echo "int made_for_$((++made)) = 1;" >"$tmp/lib.cc"
  # shellcheck disable=SC2016 # $ORIGIN is the loader's
  g++ -shared -fPIC -Wl,-soname,"$name" -Wl,--no-as-needed -Wl,--disable-new-dtags -Wl,-rpath,'$ORIGIN/../../nvidia/cu13/lib:$ORIGIN' \
    -o "$folder/$name" "$tmp/lib.cc" "$@"
}
made=0
site=$tmp/lib/python3.11/site-packages # as pip would install it
cu=$site/nvidia/cu13/lib
lib "$cu" libcudart_tiny.so.13
lib "$cu" libcupti_tiny.so.13
lib "$cu" libcublas_tiny.so.13
torch=$site/torch/lib
lib "$torch" libc10.so
lib "$torch" libtorch_cpu.so "$torch/libc10.so" "$cu/libcudart_tiny.so.13" "$cu/libcupti_tiny.so.13"
lib "$torch" libtorch_cuda.so "$torch/libtorch_cpu.so" "$cu/libcublas_tiny.so.13"
lib "$torch" libtorch_cuda_linalg.so "$torch/libtorch_cuda.so"
lib "$torch" libtorch_python.so "$torch/libtorch_cpu.so"
mkdir -p "$site/torch/include/ATen" "$site/torch/include/torch/headeronly"
echo '// tiny' >"$site/torch/include/ATen/ATen.h"
printf '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 15\n#define TORCH_VERSION_PATCH 0\n' \
  >"$site/torch/include/torch/headeronly/version.h"
touch "$site/torch/__init__.py"
echo "__version__ = '2.15.0+tiny'" >"$site/torch/version.py"

lock=$tree/third_party/libtorch.lock
printf 'version 2.15.0\nleast 2.11\n' >"$lock"
wheel() { # wheel KIND PACKAGE VERSION TAGS GLOBS MEMBER...: a wheel in the index and its line in the lock
  local kind=$1 package=$2 version=$3 tags=$4 globs=$5 file
  shift 5
  file=${package//-/_}-$version-$tags.whl
  (cd "$site" && "$host_python" - "$tmp/index/$file" "$package" "$version" "$@" <<'PY'
import sys, zipfile
out, package, version, members = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
info = f"{package.replace('-', '_')}-{version}.dist-info"
with zipfile.ZipFile(out, "w") as z:
    for m in members:
        z.write(m)
    z.writestr(info + "/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    z.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n")
    z.writestr(info + "/RECORD", "")
PY
  )
  echo "wheel $kind $package $version $(sha256sum "$tmp/index/$file" | cut -d' ' -f1) $(stat -c %s "$tmp/index/$file") $file $globs" >>"$lock"
}
torch_tags=cp311-cp311-manylinux_2_28_x86_64 cuda_tags=py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64
mapfile -t torch_members < <(cd "$site" && find torch -type f)
wheel cpu torch 2.15.0 $torch_tags 'torch/include/* torch/lib/libtorch_cpu.so torch/lib/libc10.so' "${torch_members[@]}"
wheel cpu nvidia-cuda-runtime 13.2.86 $cuda_tags 'nvidia/*/lib/*.so*' nvidia/cu13/lib/libcudart_tiny.so.13
wheel cpu nvidia-cuda-cupti 13.2.86 $cuda_tags 'nvidia/*/lib/*.so*' nvidia/cu13/lib/libcupti_tiny.so.13
more=$(sed -n 's|^wheel cpu torch \(.*\.whl\) .*|wheel cuda torch \1 torch/lib/libtorch_cuda.so torch/lib/libtorch_cuda_linalg.so|p' "$lock")
echo "$more" >>"$lock"
wheel cuda nvidia-cublas 13.4.1.3 $cuda_tags 'nvidia/*/lib/*.so*' nvidia/cu13/lib/libcublas_tiny.so.13
cp "$lock" "$tmp/lock"

# --- how a test is written ---------------------------------------------------------------------------

# Another PyTorch version stands before whatever the user's Python has.
mkdir -p "$tmp/old/torch"
touch "$tmp/old/torch/__init__.py"
echo "__version__ = '1.0.0'" >"$tmp/old/torch/version.py"

unset LIBTORCH PIP_INDEX_URL PIP_EXTRA_INDEX_URL
export XDG_CACHE_HOME=$tmp/cache PYTHONPATH=$tmp/old PIP_NO_INDEX=1 PIP_FIND_LINKS=$tmp/index PIP_CONFIG_FILE=/dev/null

fail() {
  printf 'FAIL %s: %s\n' "$title" "$*"
  printf '  code %s, printed:\n' "$code"
  sed 's/^/  | /' "$tmp/said"
  exit 1
}
start() { # start TITLE: a tree in which nothing is fetched; the cache stays
  title=$1
  rm -rf "$tree/third_party"
  mkdir "$tree/third_party"
  cp "$tmp/lock" "$lock"
}
fetch() { # fetch CODE [VARIABLE=VALUE...] [ARGUMENT...]: runs the script and wants that exit code
  local want=$1 variables=()
  shift
  while [[ ${1:-} == *=* ]]; do
    variables+=("$1")
    shift
  done
  code=0
  { (cd / && env "${variables[@]}" "$tree/scripts/fetch_libtorch.sh" "$@") >"$tmp/said" 2>&1 || code=$?; } 2>/dev/null
  [ "$code" = "$want" ] || fail "exit code $code, want $want"
}
says() { grep -qF -- "$1" "$tmp/said" || fail "does not say: $1"; }
silent_on() { ! grep -qF -- "$1" "$tmp/said" || fail "says: $1"; }
whole() { # whole [DEST]: everything is there, and the loader finds what libtorch_cpu.so names
  local dest=${1:-$tree/third_party} f
  for f in libtorch/FETCHED libtorch/include/ATen/ATen.h libtorch/lib/libtorch_cpu.so libtorch/lib/libc10.so; do
    [ -f "$dest/$f" ] || fail "$f is not there"
  done
  ! ldd "$dest/libtorch/lib/libtorch_cpu.so" | grep 'not found' || fail 'a library is not found'
  [ ! -e "$dest/.staging" ] || fail 'the staging folder was left'
}
nothing() { [ ! -e "$tree/third_party/libtorch" ] || fail 'something was installed'; }
recorded() { grep -qF -- "$1" "$tree/third_party/libtorch/FETCHED" || fail "FETCHED lacks: $1"; }
program() { # program NAME LINE: a shell script that stands before the real one in $tmp/bin
  printf '#!/bin/bash\n%s\n' "$2" >"$tmp/bin/$1"
  chmod +x "$tmp/bin/$1"
}
with_bin=PATH=$tmp/bin:$PATH
offline=PIP_FIND_LINKS=$tmp/nothing

# --- the tests ---------------------------------------------------------------------------------------

start 'fresh'
fetch 0
whole
says 'downloading torch 2.15.0'
says 'PyTorch 1.0.0'
recorded 'from wheel torch 2.15.0'
[ -f "$tree/third_party/nvidia/cu13/lib/libcudart_tiny.so.13" ] || fail 'no cudart'
[ ! -e "$tree/third_party/libtorch/lib/libtorch_cuda.so" ] || fail 'more than the needed libraries'

title='again: nothing is done, in less than a second'
before=$(stat -c %Y.%i "$tree/third_party/libtorch/FETCHED") began=$(date +%s%N)
fetch 0 "$offline"
[ $((($(date +%s%N) - began) / 1000000)) -lt 1000 ] || fail 'too slow'
says 'in place'
[ "$(stat -c %Y.%i "$tree/third_party/libtorch/FETCHED")" = "$before" ] || fail 'it was installed again'

title='a truncated library is noticed and mended from the cache'
: >"$tree/third_party/libtorch/lib/libtorch_cpu.so"
fetch 0 "$offline"
whole
silent_on downloading

title='another lock is noticed'
echo '# changed' >>"$lock"
fetch 0 "$offline"
says unpacking

start 'a damaged wheel in the cache is fetched again'
echo x >>"$cache/torch-2.15.0-$torch_tags.whl"
fetch 0
says 'damaged'
says 'downloading torch'
silent_on 'downloading nvidia'
whole

start 'a kill while unpacking'
program python3 "[[ \$1 != *unpack_wheel.py ]] || kill -9 \$PPID; exec $host_python \"\$@\""
fetch 137 "$with_bin"
nothing
fetch 0
whole

start 'cut off between the two renames'
fetch 0
rm -rf "$tree/third_party/nvidia"
mkdir "$tree/third_party/.staging"
fetch 0 "$offline"
whole

start 'the index has another file of that name'
mkdir -p "$tmp/forged"
cp "$tmp"/index/* "$tmp/forged/"
"$host_python" -c "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'a').writestr('torch/evil', 'x')" "$tmp/forged/torch-2.15.0-$torch_tags.whl"
fetch 65 "PIP_FIND_LINKS=$tmp/forged" "XDG_CACHE_HOME=$tmp/empty"
says 'not the pinned file'
nothing

start 'no network'
fetch 75 "$offline" "XDG_CACHE_HOME=$tmp/empty"
says 'check the network'
nothing

start 'no pip'
program python3 "[ \"\$1\" != -m ] || exit 1; exec $host_python \"\$@\""
fetch 69 "$with_bin" "XDG_CACHE_HOME=$tmp/empty"
says 'python3-pip'

start 'another architecture'
rm "$tmp/bin/python3"
program uname "[ \"\$1\" = -s ] && echo Linux || echo riscv64"
fetch 69 "$with_bin" "XDG_CACHE_HOME=$tmp/empty"
says 'Linux riscv64'
rm "$tmp/bin/uname"

start 'no space'
program df 'echo Filesystem; echo "/dev/x 10 9 1 99% /"'
fetch 74 "$with_bin" "XDG_CACHE_HOME=$tmp/empty"
says 'no space'
rm "$tmp/bin/df"

start 'the lock lacks a line'
sed -i '/cpu nvidia-cuda-cupti/d' "$lock"
fetch 65
says 'no line for nvidia-cuda-cupti'
rm "$lock"
fetch 66
says 'git checkout'
nothing

start 'an interrupted line in the lock'
sed -i 's/^\(wheel cpu torch 2.15.0 [0-9a-f]*\) .*/\1/' "$lock"
fetch 65
says 'not complete'

start 'LIBTORCH'
fetch 0 "LIBTORCH=$site/torch" "$offline"
whole
recorded "from LIBTORCH $site/torch"
[ -L "$tree/third_party/libtorch/lib/libtorch_cpu.so" ] || fail 'copied, not linked'
[ ! -e "$tree/third_party/libtorch/lib/libtorch_python.so" ] || fail 'the Python library was taken'
fetch 0 "LIBTORCH=$site/torch"
says 'in place'

start 'LIBTORCH without the CUDA libraries beside it'
mkdir "$tmp/bare"
cp -r "$site/torch" "$tmp/bare/"
fetch 0 "LIBTORCH=$tmp/bare/torch" "$offline"
whole

start 'LIBTORCH that cannot be used'
fetch 66 "LIBTORCH=$tmp/nothing"
says 'unset it'
sed -i 's/MINOR 15/MINOR 9/' "$tmp/bare/torch/include/torch/headeronly/version.h"
fetch 65 "LIBTORCH=$tmp/bare/torch"
says 'is version 2.9.0, bwlm needs 2.11 to 2.15'
nothing
sed -i 's/MINOR 9/MINOR 16/' "$tmp/bare/torch/include/torch/headeronly/version.h"
fetch 65 "LIBTORCH=$tmp/bare/torch"
says 'is version 2.16.0'

start 'LIBTORCH of another version in the range'
sed -i 's/MINOR 16/MINOR 12/' "$tmp/bare/torch/include/torch/headeronly/version.h"
fetch 0 "LIBTORCH=$tmp/bare/torch" "$offline"
whole
recorded 'version 2.12.0'
fetch 0 "LIBTORCH=$tmp/bare/torch" "$offline"
says 'libtorch 2.12.0 is in place'
fetch 0
recorded 'version 2.15.0'

start 'another pinned version'
sed 's/^version .*/version 2.11.0/' "$lock" >"$tree/third_party/libtorch-2.11.lock"
fetch 0 --torch 2.11
whole
says 'libtorch 2.11.0'
fetch 0 --torch 2.11
says 'libtorch 2.11.0 is in place'
fetch 0 --torch 2.15
recorded 'version 2.15.0'
fetch 2 --torch 2.13
says 'the pinned versions are 2.11 2.15'
fetch 0 --download --torch 2.11
says "$tmp/cache/bwlm"
recorded 'version 2.15.0'
printf '# a comment\n' >>"$tree/third_party/libtorch-2.11.lock"
fetch 0 "$offline"
says 'libtorch 2.15.0 is in place'

start 'a PyTorch of the pinned version in the Python'
fetch 0 "PYTHONPATH=$site" "$offline" "XDG_CACHE_HOME=$tmp/empty"
whole
recorded 'PyTorch 2.15.0+tiny in'
recorded "file $(stat -c %s "$cu/libcudart_tiny.so.13") nvidia/cu13/lib/libcudart_tiny.so.13"

title='that Python goes away'
cp -r "$site" "$tmp/venv"
rm -rf "$tree/third_party/libtorch"
fetch 0 "PYTHONPATH=$tmp/venv"
rm -rf "$tmp/venv"
fetch 0
whole
recorded 'from wheel'

start 'cuda'
fetch 0 cuda
whole
recorded 'kind cuda'
! ldd "$tree/third_party/libtorch/lib/libtorch_cuda.so" | grep 'not found' || fail 'a CUDA library is not found'
fetch 0 cpu
says 'in place' # it holds all that a CPU needs
start 'cuda with a lock that knows only cpu'
sed -i '/^wheel cuda/d' "$lock"
fetch 65 cuda
says 'no lines for cuda'

start '--prefix'
fetch 0 --prefix "$tmp/opt"
nothing
whole "$tmp/opt/lib/bwlm"
[ -z "$(find "$tmp/opt" -type l)" ] || fail 'a link in the prefix'
grep -q '^Version: 2.15.0$' "$tmp/opt/lib/pkgconfig/libtorch.pc" || fail 'libtorch.pc has no version'
fetch 0 "$offline" --prefix "$tmp/opt"
says 'in place'
fetch 0 "LIBTORCH=$site/torch" --prefix "$tmp/opt"
says "from LIBTORCH"
[ -z "$(find "$tmp/opt" -type l)" ] || fail 'a link in the prefix'

start '--zip'
fetch 0 "$offline" --zip "$tmp/index/torch-2.15.0-$torch_tags.whl"
whole
says 'is the pinned wheel'
fetch 65 --zip "$tmp/index/nvidia_cublas-13.4.1.3-$cuda_tags.whl"
says 'matches torch/include/*'
fetch 66 --zip "$tmp/none.zip"
whole # what was there stays

start '--zip of a libtorch that is not the pinned wheel'
(cd "$site" && cp -r torch libtorch && "$host_python" -m zipfile -c "$tmp/libtorch.zip" libtorch && rm -rf libtorch)
fetch 0 --zip "$tmp/libtorch.zip"
whole
says 'its hash is not'

start 'two at once'
(cd / && "$tree/scripts/fetch_libtorch.sh") >"$tmp/other" 2>&1 &
fetch 0
wait $! || fail "the other failed: $(cat "$tmp/other")"
whole
[ "$(cat "$tmp/said" "$tmp/other" | grep -c 'is in place')" = 1 ] || fail "both did the work: $(cat "$tmp/other")"

start 'usage'
fetch 2 gpu
says '--help'
fetch 2 --zip
fetch 0 --help
says 'usage:'

echo 'ok   scripts/fetch_libtorch.sh'
