#!/usr/bin/env bash
# Runs what takes long: all tests with the tag slow, a program of another module, and tests with the oldest libtorch. It goes
# by parts, each of which takes at most 40 minutes on 2 cores.
#
#   scripts/slow.sh --list          # the parts and their packages
#   scripts/slow.sh [PART]          # one part, or all, one after the other
#
# A part prints every test with its result and time, the reason of every skip, and its own time; out/slow/PART.log has the
# whole output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
parts=(model study statistics demo transfer command death ranks packages outside libtorch)
script() { # script PART: what a part runs that is no package
  case $1 in
    outside) echo scripts/outside_module_test.sh ;;
    libtorch) echo scripts/oldest_libtorch_test.sh ;;
  esac
}
deaths='^Test(Death|Failure)AtEveryStep$' # of cmd/bwlm, a part of their own
ranks='^Test(RanksKilledAtEveryStep|RandomFaultsOfRanks)$' # likewise

# packages PART: its packages. model is what no other part has, so that every package is in a part.
packages() {
  case $1 in
    demo) echo ./internal/brain/demo ;;
    transfer) echo ./brain/transfer ;;
    statistics) echo ./brain/stats ./brain/ridge ./internal/brain/timing ./brain/probe ;;
    study) list "$module/(internal/)?brain(/|\$)" "$module/(internal/)?brain/(demo|transfer|stats|ridge|timing|probe)\$" ;;
    command) echo ./cmd/... ./examples/... ;;
    death | ranks) echo ./cmd/bwlm ;;
    packages) echo ./tools/dist ;;
    model) list . "$module/(internal/brain|brain|cmd|examples|tools/dist)(/|\$)" ;;
  esac
}
list() { # list WANTED UNWANTED: the packages that match the first and not the second
  "$go" list -tags slow ./... | grep -E "$1" | grep -vE "$2" | sed "s,^$module,.," | tr '\n' ' '
}
module=$("$go" list -m)

run() { # run PART
  local part=$1 log=out/slow/$1.log begun=$SECONDS code=0 command
  mkdir -p out/slow
  if [ -n "$(script "$part")" ]; then
    command=("$(script "$part")")
  else
    read -ra command <<<"$(packages "$part")"
    case $part in
      death) command=(-run "$deaths" "${command[@]}") ;;
      ranks) command=(-run "$ranks" "${command[@]}") ;;
      command) command=(-skip "$deaths|$ranks" "${command[@]}") ;;
    esac
    command=("$go" test -tags slow -v -p 1 -timeout 40m "${command[@]}")
  fi
  printf '== %s: %s\n' "$part" "${command[*]}"
  "${command[@]}" 2>&1 | tee "$log" | grep -a --line-buffered -E '^(--- |ok |FAIL|panic|#|    [[:alnum:]_]+_test\.go:[0-9]+: )' || code=${PIPESTATUS[0]}
  if [ "$code" -ne 0 ]; then
    printf '== %s: FAILED after %d s; %s has all of it\n' "$part" $((SECONDS - begun)) "$log"
    return 1
  fi
  printf '== %s: passed in %d s\n' "$part" $((SECONDS - begun))
}

case ${1:-} in
  --list)
    for part in "${parts[@]}"; do
      printf '%-12s%s\n' "$part" "$(script "$part")$(packages "$part")"
    done
    ;;
  '')
    failed=()
    for part in "${parts[@]}"; do
      run "$part" || failed+=("$part")
    done
    [ ${#failed[@]} = 0 ] || { printf '== failed: %s\n' "${failed[*]}"; exit 1; }
    ;;
  *)
    [[ " ${parts[*]} " == *" $1 "* ]] || { printf 'slow.sh: no part %s; the parts are: %s\n' "$1" "${parts[*]}" >&2; exit 2; }
    run "$1"
    ;;
esac
