#!/usr/bin/env bash
# run.sh of a kit made by scripts/cuda_kit.sh: every device test, then a step of WavLM Base beside PyTorch's. It goes on after
# failures, ends with a summary and the failures' messages, and fails if anything did.
#
#   [PYTHON=python3] [OUT=cuda_kit_out] [BWLM_TEST_DEVICE=cuda] cuda_kit/run.sh
set -uo pipefail
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
export BWLM_TEST_DEVICE=${BWLM_TEST_DEVICE:-cuda} BWLM_REQUIRE_CUDA=1 OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=5000 # as in Makefile
OUT=${OUT:-cuda_kit_out}
mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || exit 74
torch=$(cd / && "$python" -c 'import importlib.util as i, os; print(os.path.dirname(i.find_spec("torch").origin))') ||
  { echo "run.sh: $python has no PyTorch; set PYTHON" >&2; exit 69; }
export LD_LIBRARY_PATH=$torch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
summary=$OUT/summary.txt
: >"$summary"

note() { # note NAME CODE TEXT
  printf '%-5s %-20s %s\n' "$([ "$2" = 0 ] && echo ok || echo FAIL)" "$1" "$3" | tee -a "$summary"
}
count() { grep -c -- "^ *--- $1" "$log"; }

for package in $(cd "$kit" && find . -name run.test -printf '%h\n' | sed 's,^\./,,' | sort); do
  log=$OUT/${package//\//_}.log code=0
  (cd "$kit/$package" && timeout -k 5 180 ./run.test -test.v) >"$log" 2>&1 || code=$?
  note "$package" $code "$(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped"
done

step() { # step NAME COMMAND...
  local name=$1 code=0
  shift
  timeout -k 5 120 "$@" >"$OUT/$name.json" 2>"$OUT/$name.log" || code=$?
  note "$name" $code "$(tail -n 1 "$OUT/$name.json")"
}
size=(--windows 16 --voxels 20000 --steps 10 --device "$BWLM_TEST_DEVICE")
for dtype in f32 bf16; do
  step "bwlm_$dtype" "$kit/bwlm" bench step "${size[@]}" --dtype $dtype --json
  step "chunks_$dtype" "$kit/bwlm" bench step --windows 32 --voxels 20000 --steps 10 --device "$BWLM_TEST_DEVICE" --dtype $dtype \
    --extraction chunks --chunk 12 --json
  LD_LIBRARY_PATH='' step "peer_$dtype" "$python" "$kit/peer_train_step.py" "${size[@]}" --dtype $dtype
done

for log in "$OUT"/*.log; do
  grep -q -- '--- FAIL\|^FAIL:\|^panic\|^fatal' "$log" || continue
  printf '\n== %s\n' "$(basename "$log")"
  grep -A6 -- '--- FAIL\|^FAIL:\|Error:  \|^panic\|^fatal' "$log" | grep -v 'Error Trace\|^--$' | cut -c1-200 | head -60
done
printf '\n== summary\n'
cat "$summary"
! grep -q ^FAIL "$summary"
