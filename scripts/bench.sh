#!/usr/bin/env bash
# One training step of the recipe at the size of WavLM Base. If BWLM_PEER_PYTHON names a Python with the peer
# (bench/requirements.txt), that runs in turn with bwlm and a table is printed; else bwlm runs alone.
set -euo pipefail
cd "$(dirname "$0")/.."
step=(--windows "${WINDOWS:-16}" --voxels "${VOXELS:-20000}" --steps "${STEPS:-5}" --dtype "${DTYPE:-f32}")

if [ -z "${BWLM_PEER_PYTHON:-}" ]; then
  bin/bwlm bench step "${step[@]}"
  echo 'no comparison: BWLM_PEER_PYTHON names no Python with the peer; see bench/README.md' >&2
  exit
fi
"$BWLM_PEER_PYTHON" bench/compare.py --rounds "${ROUNDS:-3}" -- "${step[@]}"
