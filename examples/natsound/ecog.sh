#!/usr/bin/env bash
# Evaluates the untuned model and the floors on the electrodes, fold by fold, from the root of the repository, once
# data/natsound-ecog is built, and prints means over folds:
#
#   examples/natsound/ecog.sh
#
# A fold that is there is not evaluated again. SET has more settings, such as SET="model.extraction=clip".
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
bwlm=${BWLM:-bin/bwlm}
runs=${RUNS:-runs/natsound-ecog}
set=()
for x in ${SET:-}; do set+=(--set "$x"); done
for k in 0 1 2 3 4; do
	[ -e "$runs/$k/eval/summary.json" ] ||
		"$bwlm" eval "$here/ecog.yaml" "${set[@]}" --quiet --set "out=$runs/$k" --set "data.test=[fold=$k]" \
			--set "data.val=[fold=$(((k + 1) % 5))]" \
			--set "data.train=[fold=$(((k + 2) % 5)),fold=$(((k + 3) % 5)),fold=$(((k + 4) % 5))]" >/dev/null
done
go run ./examples/natsound/ecog "$runs"/{0,1,2,3,4}
