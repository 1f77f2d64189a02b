#!/usr/bin/env bash
# One training step of the recipe at the size of WavLM Base, and the reading of features. If BWLM_PEER_PYTHON names a Python
# with the peer (bench/requirements.txt), that runs in turn with bwlm and tables are printed; else bwlm runs alone. With
# BWLM_SHARED the prototype there is in the table, too.
set -euo pipefail
cd "$(dirname "$0")/.."
step=(--windows "${WINDOWS:-16}" --voxels "${VOXELS:-20000}" --steps "${STEPS:-5}")
dtypes=${DTYPE:-f32,bf16}

if [ -z "${BWLM_PEER_PYTHON:-}" ]; then
  for dtype in ${dtypes//,/ }; do
    bin/bwlm bench step "${step[@]}" --dtype "$dtype"
  done
  echo 'no comparison: BWLM_PEER_PYTHON names no Python with the peer; see bench/README.md' >&2
  exit
fi
prototype=${BWLM_SHARED:+$BWLM_SHARED/bench/prototype_step.py}
"$BWLM_PEER_PYTHON" bench/compare.py --rounds "${ROUNDS:-3}" --dtypes "$dtypes" \
  ${prototype:+--prototype "$prototype"} -- "${step[@]}"
echo
"$BWLM_PEER_PYTHON" bench/features.py --rounds "${ROUNDS:-3}" --seconds "${SECONDS_OF_AUDIO:-30}"
