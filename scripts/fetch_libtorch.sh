#!/usr/bin/env bash
# Brings libtorch, by default the pinned one (third_party/libtorch.lock), to where the Go package torch looks for it.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: scripts/fetch_libtorch.sh [cpu|cuda] [--torch 2.11] [--prefix DIR] [--zip FILE]
       scripts/fetch_libtorch.sh --download [--torch 2.11]

Puts libtorch's headers and libraries into third_party/ of this tree. The first of these that is there is taken:
  1. --zip FILE       a torch wheel or libtorch zip that you have
  2. $LIBTORCH        an unpacked libtorch, or the torch folder of a Python installation
  3. your Python      a PyTorch of the pinned version in $PYTHON, python3 or python
  4. the pinned wheel by pip, kept in ${XDG_CACHE_HOME:-$HOME/.cache}/bwlm, whatever your Python is
2 and 3 are linked, not copied. What pip brings is checked against the SHA-256 in third_party/libtorch.lock.
1 and 2 may be of any version from 2.11 to the pinned one: a cluster has its own PyTorch.

  cpu           only what a CPU needs (default): about 550 MB on disk
  cuda          also libtorch_cuda and the CUDA libraries that it names: about 4 GB on disk
  --torch 2.11  the wheel of another pinned version (third_party/libtorch-2.11.lock), for old drivers and clusters
  --prefix DIR  installs into DIR/lib/bwlm instead, all copied, and writes DIR/lib/pkgconfig/libtorch.pc for
                programs that import bwlm as a module: go build -tags libtorch_pkgconfig with
                PKG_CONFIG_PATH=DIR/lib/pkgconfig
  --download    only brings the pinned wheels of a CPU into the cache and prints its path, for make dist

Running it again does nothing if everything is in place. Exit codes are those of sysexits(3).
USAGE
}

say() { printf 'fetch_libtorch: %s\n' "$*" >&2; }
die() { # die CODE MESSAGE: codes as in package fault
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# --- what is asked for -------------------------------------------------------------------------------

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kind=cpu prefix='' zip='' minor='' download_only=''
while [ $# -gt 0 ]; do
  case $1 in
    cpu | cuda) kind=$1 ;;
    --prefix | --zip | --torch)
      [ $# -ge 2 ] || die 2 "$1 needs a value; see --help"
      case $1 in
        --prefix) prefix=$2 ;;
        --zip) zip=$2 ;;
        --torch) minor=$2 ;;
      esac
      shift
      ;;
    --download) download_only=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die 2 "unknown argument $1; see --help" ;;
  esac
  shift
done

# use_lock [MINOR]: the lock of the pinned version, or of another minor version such as 2.11.
use_lock() {
  local main=$root/third_party/libtorch.lock file
  file=$main
  [ -r "$main" ] || die 66 "$main: missing; restore it with git checkout third_party/libtorch.lock"
  newest=$(awk '$1 == "version" { print $2 }' "$main")
  least=$(awk '$1 == "least" { print $2 }' "$main")
  [ -n "$newest" ] && [ -n "$least" ] || die 65 "$main: no version line; restore it with git checkout third_party/libtorch.lock"
  [ -z "${1:-}" ] || [ "$1" = "${newest%.*}" ] || file=$root/third_party/libtorch-$1.lock
  [ -r "$file" ] || return 1
  lock_file=$file version=$(awk '$1 == "version" { print $2 }' "$file")
}
use_lock "$minor" || die 2 "--torch $minor: no lock for it in third_party; the pinned versions are $(cd "$root/third_party" &&
  sed -n 's/^version \(.*\)\.[0-9]*$/\1/p' libtorch*.lock | tr '\n' ' ')"

# take VERSION WHAT REMEDY: makes a version in the range the one of this run, or says why it cannot be used.
take() {
  local minor=${1%.*}
  [[ $minor =~ ^[0-9]+\.[0-9]+$ ]] &&
    [ "$(printf '%s\n' "$least" "$minor" "${newest%.*}" | sort -V | sed -n 2p)" = "$minor" ] ||
    die 65 "$2: is version ${1:-unknown}, bwlm needs $least to ${newest%.*}; $3"
  use_lock "$minor" || true # the libraries beside it may have to come from the wheels of its version
  version=$1
}

if [ -n "$prefix" ]; then
  mkdir -p "$prefix" || die 74 "$prefix: cannot be made; choose another --prefix"
  prefix=$(cd "$prefix" && pwd)
  dest=$prefix/lib/bwlm # a folder of our own: the libraries find each other by $ORIGIN/../../nvidia
else
  dest=$root/third_party
fi
wanted='' # the source that the caller insists on
if [ -n "$zip" ]; then
  [ -r "$zip" ] || die 66 "$zip: no such file; give --zip a torch wheel or a libtorch zip"
  zip=$(cd "$(dirname "$zip")" && pwd)/$(basename "$zip")
  wanted="zip $zip"
elif [ -n "${LIBTORCH:-}" ]; then
  wanted="LIBTORCH $LIBTORCH"
fi

# What a changed lock makes stale: with wheels their own lock; a folder or a zip may need any of them.
locks=("$lock_file")
[ -z "$wanted" ] || locks=("$root"/third_party/libtorch*.lock)
lock_sum=$(cat "${locks[@]}" | sha256sum | cut -d' ' -f1)

# --- is it there already? ----------------------------------------------------------------------------

# libtorch/FETCHED is written last. It says what is installed, from where, and the size of each library,
# so that a half-written or vanished file (the Python it was linked to is gone) is noticed.
stamp=$dest/libtorch/FETCHED

installed() {
  [ -f "$stamp" ] || return 1
  local word rest bytes path has_kind='' from='' lock='' has_version=''
  while read -r word rest; do
    case $word in
      kind) has_kind=$rest ;;
      version) has_version=$rest ;;
      from) from=$rest ;;
      lock) lock=$rest ;;
      file)
        bytes=${rest%% *} path=$dest/${rest#* }
        [ "$(stat -L -c %s "$path" 2>/dev/null)" = "$bytes" ] || return 1
        ;;
    esac
  done <"$stamp"
  [ "$lock" = "$lock_sum" ] || return 1
  [ "$has_kind" = "$kind" ] || [ "$has_kind" = cuda ] || return 1
  if [ -n "$wanted" ]; then [ "$from" = "$wanted" ] || return 1; else [ "$has_version" = "$version" ] || return 1; fi
  [ -f "$dest/libtorch/include/ATen/ATen.h" ] || return 1
  [ -z "$prefix" ] || [ -f "$prefix/lib/pkgconfig/libtorch.pc" ]
}

done_already() {
  say "libtorch $(sed -n 's/^version //p' "$stamp") is in place ($(sed -n 's/^from //p' "$stamp"))"
  exit 0
}
[ -n "$download_only" ] || ! installed || done_already

# --- one at a time -----------------------------------------------------------------------------------

mkdir -p "$dest" || die 74 "$dest: cannot be made; is the disk writable?"
exec 8>"$dest/.fetch.lock" || die 74 "$dest: not writable; change its owner or use --prefix"
if ! flock -n 8; then
  say "another fetch into $dest is running; waiting for it"
  flock 8
  installed && done_already
fi

stage=$dest/.staging # beside the goal, so that the last step is a rename; a leftover is an interrupted run's
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
empty_stage() {
  rm -rf "$stage"
  mkdir -p "$stage/libtorch/lib" "$stage/nvidia" || die 74 "$stage: cannot be made; is the disk full or read-only?"
}
empty_stage

python=''
for p in "${PYTHON:-}" python3 python; do
  # A pyenv shim exists for Pythons that are not switched on, so it must run, not only be found.
  if [ -n "$p" ] && command -v "$p" >/dev/null && "$p" -c '' 2>/dev/null; then
    python=$p
    break
  fi
done

# --- pieces ------------------------------------------------------------------------------------------

# unpack ZIP ROOT GLOB...: see unpack_wheel.py
unpack() {
  [ -n "$python" ] || die 69 "no Python to unpack $1 with; install python3, or unpack it yourself and set LIBTORCH"
  "$python" "$root/scripts/unpack_wheel.py" "$stage" "$@" || die $? "$(basename "$1") was not unpacked into $dest (reason above)"
}

# version_of FOLDER: the version that the headers of an unpacked libtorch name.
version_of() {
  local h
  for h in include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h; do
    [ -r "$1/$h" ] || continue
    awk '$2 ~ /^TORCH_VERSION_(MAJOR|MINOR|PATCH)$/ { v = v sep $3; sep = "." } END { print v }' "$1/$h"
    return
  done
}

# adopt FOLDER: links headers and libraries of an unpacked libtorch into the stage.
adopt() {
  local folder lib libs=()
  folder=$(cd "$1" && pwd)
  for lib in "$folder"/lib/*.so*; do
    [[ ${lib##*/} == *python* ]] || libs+=("$lib")
  done
  {
    if [ -d "$folder/../nvidia" ]; then
      rm -rf "$stage/nvidia" && ln -s "$(cd "$folder/../nvidia" && pwd)" "$stage/nvidia"
    fi &&
      ln -s "$folder/include" "$stage/libtorch/include" &&
      ln -s "${libs[@]}" "$stage/libtorch/lib/"
  } || die 74 "$folder: could not be brought into $dest (reason above)"
}

# missing: the libraries that the staged ones name and the loader does not find. libcuda.so.1 is the driver's.
missing() {
  local lib libs=(libtorch_cpu.so libc10.so)
  [ "$kind" = cpu ] || libs+=(libtorch_cuda.so libtorch_cuda_linalg.so)
  libs=("${libs[@]/#/$stage/libtorch/lib/}")
  for lib in "${libs[@]}"; do
    [ -e "$lib" ] || printf '%s ' "${lib##*/}"
  done
  command -v ldd >/dev/null || return 0
  ldd "${libs[@]}" 2>/dev/null | awk '/not found/ && $1 != "libcuda.so.1" { print $1 }' | sort -u | tr '\n' ' '
}

# pinned PACKAGE?: the lock's wheel lines for this kind, all or of one package.
pinned() {
  awk -v kind="$kind" -v only="${1:-}" \
    '$1 == "wheel" && ($2 == "cpu" || $2 == kind) && (only == "" || $3 == only)' "$lock_file"
}

cache() {
  [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ] || die 2 "neither HOME nor XDG_CACHE_HOME is set; set one, the wheels are kept there"
  printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/bwlm"
}

sum_is() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

# download PACKAGE VERSION SHA256 BYTES FILE: leaves the checked wheel in the cache.
download() {
  local package=$1 ver=$2 sum=$3 bytes=$4 file=$5 dir tags tag platforms=() quiet=(--quiet --progress-bar off)
  dir=$(cache) || exit
  if [ -f "$dir/$file" ]; then
    sum_is "$dir/$file" "$sum" && return
    say "$dir/$file: damaged (SHA-256 is not the pinned one); fetching it again"
    rm -f "$dir/$file"
  fi
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) ;;
    *) die 69 "no pinned wheel for $(uname -s) $(uname -m), only for Linux x86_64; install PyTorch $version for it and set LIBTORCH to its torch folder" ;;
  esac
  if getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ split($2, v, "."); exit !(v[1] == 2 && v[2] < 28) }'; then
    die 69 "the wheel needs glibc 2.28, this system has $(getconf GNU_LIBC_VERSION)"
  fi
  [ -n "$python" ] || die 69 "no Python found to run pip with; install python3 and pip, or set LIBTORCH, or use --zip"
  "$python" -m pip --version >/dev/null 2>&1 ||
    die 69 "$python has no pip; install it (Debian: apt-get install python3-pip; else: $python -m ensurepip), or set LIBTORCH, or use --zip"
  mkdir -p "$dir/partial" || die 74 "$dir: cannot be made; set XDG_CACHE_HOME to a folder you can write to"
  local free
  free=$(($(df -Pk "$dir" | awk 'END { print $4 }') * 1024))
  [ "$free" -gt "$bytes" ] || die 74 "$dir: no space: $((bytes >> 20)) MB needed, $((free >> 20)) MB free; make room or set XDG_CACHE_HOME"

  tags=${file%.whl} tags=${tags##*-} # the file name ends in its platform tags: a.b.c
  for tag in ${tags//./ }; do platforms+=(--platform "$tag"); done
  [ ! -t 2 ] || quiet=()
  say "downloading $package $ver ($(((bytes + 999999) / 1000000)) MB) to $dir"
  # A pip that can resume (25.1 and later) reads PIP_RESUME_RETRIES, an older one ignores it.
  PIP_RESUME_RETRIES=${PIP_RESUME_RETRIES:-5} "$python" -m pip download --disable-pip-version-check --no-cache-dir \
    "${quiet[@]}" --only-binary=:all: "${platforms[@]}" --python-version 311 --abi cp311 --no-deps \
    --dest "$dir/partial" "$package==$ver" >&2 ||
    die 75 "pip could not download $package $ver (its reason is above); check the network, or name a mirror by PIP_INDEX_URL, or use --zip FILE or LIBTORCH; what is complete is kept"
  if ! sum_is "$dir/partial/$file" "$sum"; then
    rm -rf "$dir/partial"
    die 65 "$package $ver from your package index is not the pinned file $file (SHA-256 $sum); is PIP_INDEX_URL or PIP_FIND_LINKS a mirror that rebuilds wheels?"
  fi
  mv "$dir/partial/$file" "$dir/$file"
}

# download_wheels PACKAGES: brings the pinned wheels into the cache (all, or only those beside torch); sets rows and dir.
download_wheels() {
  local package ver sum bytes file globs
  rows=$(pinned)
  for package in torch nvidia-cuda-runtime nvidia-cuda-cupti; do
    [ -n "$(pinned "$package")" ] || die 65 "$lock_file: no line for $package; restore it with git checkout third_party/libtorch.lock"
  done
  [ "$kind" = cpu ] || grep -q '^wheel cuda' <<<"$rows" || die 65 "$lock_file: no lines for cuda; restore it with git checkout third_party, or name a PyTorch for CUDA by LIBTORCH"
  [ "$1" = all ] || rows=$(awk '$3 != "torch"' <<<"$rows")
  dir=$(cache) || exit
  mkdir -p "$dir" || die 74 "$dir: cannot be made; set XDG_CACHE_HOME to a folder you can write to"
  exec 9>"$dir/lock" || die 74 "$dir: not writable; change its owner or set XDG_CACHE_HOME"
  flock -n 9 || { say "another fetch is downloading; waiting for it"; flock 9; }
  while read -r _ _ package ver sum bytes file globs; do
    [[ $sum =~ ^[0-9a-f]{64}$ && $bytes =~ ^[0-9]+$ && -n $globs ]] ||
      die 65 "$lock_file: the line for $package is not complete; restore it with git checkout third_party/libtorch.lock"
    download "$package" "$ver" "$sum" "$bytes" "$file"
  done <<<"$rows"
  flock -u 9
}

# take_wheels PACKAGES: downloads and unpacks the pinned wheels (all, or only those beside torch).
take_wheels() {
  local rows dir file globs list
  download_wheels "$1"
  while read -r _ _ _ _ _ _ file globs; do
    say "unpacking $file"
    read -ra list <<<"$globs"
    unpack "$dir/$file" torch "${list[@]}"
  done <<<"$rows"
}

# complete NAME: whether the staged libtorch is whole, after the CUDA libraries that it names are brought too.
complete() {
  if [ "$kind" = cuda ] && [ ! -e "$stage/libtorch/lib/libtorch_cuda.so" ]; then
    say "$1: has no libtorch_cuda.so"
    return 1
  fi
  if [ -n "$(missing)" ]; then
    say "$1: names libraries that are not beside it: $(missing)"
    rm -rf "$stage/nvidia"
    mkdir "$stage/nvidia"
    take_wheels beside
  fi
  [ -z "$(missing)" ] || { say "$1: still missing: $(missing)"; return 1; }
}

if [ -n "$download_only" ]; then
  download_wheels all
  printf '%s\n' "$dir"
  exit 0
fi

# --- the sources, in order ---------------------------------------------------------------------------

from_zip() {
  local top sum torch
  read -r _ _ _ _ sum _ torch _ <<<"$(pinned torch | head -n 1)"
  if sum_is "$zip" "$sum"; then
    say "$zip is the pinned wheel $torch"
    local globs
    globs=$(pinned torch | cut -d' ' -f8- | tr '\n' ' ')
    read -ra globs <<<"$globs"
    unpack "$zip" torch "${globs[@]}"
  else
    top=torch
    [[ $(basename "$zip") == *.whl ]] || top=libtorch
    say "unpacking $zip (not the pinned wheel: its version is checked, its hash is not)"
    unpack "$zip" "$top" "$top/include/*" "$top/lib/*.so*"
    take "$(version_of "$stage/libtorch")" "$zip" 'give another file'
  fi
  complete "$zip" || die 65 "$zip: cannot be used for $kind (reason above); use the wheel of torch $newest"
}

from_folder() {
  [ -f "$LIBTORCH/lib/libtorch_cpu.so" ] && [ -f "$LIBTORCH/include/ATen/ATen.h" ] ||
    die 66 "LIBTORCH=$LIBTORCH: no lib/libtorch_cpu.so and include/ATen/ATen.h in it; set it to an unpacked libtorch, or unset it"
  take "$(version_of "$LIBTORCH")" "LIBTORCH=$LIBTORCH" 'set it to one of these, or unset it'
  adopt "$LIBTORCH"
  complete "LIBTORCH=$LIBTORCH" || die 65 "LIBTORCH=$LIBTORCH: cannot be used for $kind (reason above); unset it to fetch the pinned wheel"
}

# from_python: succeeds, and sets `from`, if the user's PyTorch is of the pinned version and whole.
from_python() {
  local found have folder
  [ -n "$python" ] || return 1
  # From /, since a folder named torch where we stand would be found too. PyTorch itself is not imported: slow.
  found=$(cd / && "$python" - 2>/dev/null <<'PY'
import importlib.util, os, re
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folder = os.path.dirname(spec.origin)
    with open(os.path.join(folder, "version.py")) as f:
        print(re.search(r"^__version__ = '([^']+)'", f.read(), re.M).group(1), folder)
PY
  ) || return 1
  [ -n "$found" ] || return 1
  have=${found%% *} folder=${found#* }
  if [ "${have%%+*}" != "$version" ]; then
    say "PyTorch $have of $python is not the pinned $version; not used (LIBTORCH=$folder insists on it)"
    return 1
  fi
  [ -f "$folder/lib/libtorch_cpu.so" ] && [ -f "$folder/include/ATen/ATen.h" ] || return 1
  adopt "$folder"
  if ! complete "PyTorch $have of $python"; then
    say "PyTorch $have of $python is not used"
    return 1
  fi
  from="python $(command -v "$python"), PyTorch $have in $folder"
}

from=$wanted
case $wanted in
  zip*) from_zip ;;
  LIBTORCH*) from_folder ;;
  *)
    if ! from_python; then
      empty_stage # what was tried of the user's Python
      take_wheels all
      [ -z "$(missing)" ] || die 65 "the pinned wheels lack $(missing); $lock_file is not complete"
      from="wheel torch $version"
    fi
    ;;
esac

# detach: makes files of an adopted stage's links; of the libraries, for a CPU, only those that the loader wants.
detach() (
  cd "$stage" || exit
  if [ "$kind" = cpu ] && command -v ldd >/dev/null; then
    echo libtorch/lib/libtorch_cpu.so
    ldd libtorch/lib/libtorch_cpu.so | awk -v stage="$stage/" 'index($3, stage) == 1 { print $3 }' |
      xargs -d '\n' realpath -s --relative-to=.
  else
    find -L libtorch/lib nvidia -name '*.so*' -type f
  fi >wanted &&
    mkdir -p real/libtorch real/nvidia &&
    xargs -d '\n' cp -L --parents --reflink=auto -t real <wanted &&
    cp -RL --reflink=auto libtorch/include real/libtorch/include &&
    rm -rf libtorch nvidia &&
    mv real/libtorch real/nvidia .
)
[ -z "$prefix" ] || [ ! -L "$stage/libtorch/include" ] || detach ||
  die 74 "$prefix: could not be copied to (reason above); is there space?"

# --- into place --------------------------------------------------------------------------------------

{
  printf 'version %s\nkind %s\nfrom %s\nlock %s\n' "$version" "$kind" "$from" "$lock_sum"
  cd "$stage"
  for f in libtorch/lib/*.so* nvidia/*/lib/*.so*; do
    [ ! -e "$f" ] || printf 'file %s %s\n' "$(stat -L -c %s "$f")" "$f"
  done
} >"$stage/FETCHED"
mkdir "$stage/old"
for part in nvidia libtorch; do # libtorch holds the stamp and comes last
  [ ! -e "$dest/$part" ] && [ ! -L "$dest/$part" ] || mv "$dest/$part" "$stage/old/$part"
  [ "$part" = nvidia ] || mv "$stage/FETCHED" "$stage/libtorch/FETCHED"
  mv "$stage/$part" "$dest/$part"
done

if [ -n "$prefix" ]; then # no -std in Cflags: cgo would hand it to the C compiler too; package torch sets it for C++
  mkdir -p "$prefix/lib/pkgconfig"
  cat >"$prefix/lib/pkgconfig/libtorch.pc" <<PC
prefix=\${pcfiledir}/../bwlm/libtorch
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: libtorch
Description: the C++ library of PyTorch that bwlm is built with ($kind)
Version: $version
Cflags: -I\${includedir} -I\${includedir}/torch/csrc/api/include
Libs: -L\${libdir} -ltorch_cpu -lc10 -Wl,-rpath,\${libdir}
PC
fi
say "libtorch $version ($kind) is in $dest/libtorch, from $from"
