#!/usr/bin/env bash
# The ridge at 4000 x 3072 x 5000, 10 lambdas and 5 folds, in turn with himalaya. BWLM_PEER_PYTHON names a Python that has it
# (bench/requirements.txt). ROWS, FEATURES, VOXELS, FOLDS, ROUNDS, THREADS and TARGETS_BATCH change what is
# measured.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${BWLM_PEER_PYTHON:-}" ]; then
  echo 'BWLM_PEER_PYTHON names no Python with himalaya; see bench/README.md' >&2
  exit 2
fi
"$BWLM_PEER_PYTHON" bench/ridge.py --rows "${ROWS:-4000}" --features "${FEATURES:-3072}" --voxels "${VOXELS:-5000}" \
  --folds "${FOLDS:-5}" --rounds "${ROUNDS:-3}" --threads "${THREADS:-2}" \
  ${TARGETS_BATCH:+--targets-batch "$TARGETS_BATCH"}
