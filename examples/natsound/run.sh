#!/usr/bin/env bash
# The study of examples/natsound, from the root of the repository, once data/natsound is built:
#
#   examples/natsound/run.sh smoke    # a minute: one fold and one epoch, to see that all of it runs; quotes no figure
#   examples/natsound/run.sh whole    # all folds and seeds; the same command continues what was interrupted
#
# SET has more settings, such as SET="model.path=models/whisper-base".
set -euo pipefail
study=$(dirname "${BASH_SOURCE[0]}")/study.yaml
bwlm=${BWLM:-bin/bwlm}
runs=${RUNS:-runs/natsound}
set=()
for x in ${SET:-}; do set+=(--set "$x"); done

# fold OUT K: the splits of fold K, as eval.folds makes them.
fold() {
	local k=$2
	splits=(--set eval.folds=none --set "out=$1/folds/$k" --set "data.test=[fold=$k]"
		--set "data.val=[fold=$(((k + 1) % 5))]"
		--set "data.train=[fold=$(((k + 2) % 5)),fold=$(((k + 3) % 5)),fold=$(((k + 4) % 5))]")
}

case ${1:-} in
smoke)
	fold "$runs/smoke" 0
	"$bwlm" lock-analysis "$study" "${splits[@]}" "${set[@]}" --quiet >/dev/null
	"$bwlm" train "$study" "${splits[@]}" "${set[@]}" --set train.epochs=1 --quiet >/dev/null
	echo "the study runs"
	;;
whole)
	for k in 0 1 2 3 4; do # the untuned model and the labels
		fold "$runs/untuned" $k
		[ -e "$runs/untuned/folds/$k/eval/summary.json" ] ||
			"$bwlm" eval "$study" "${splits[@]}" "${set[@]}" --quiet >/dev/null
	done
	for seed in 1 2 3; do
		for k in 0 1 2 3 4; do # before the first training
			fold "$runs/seed-$seed" $k
			[ -e "$runs/seed-$seed/folds/$k.analysis_plan.json" ] ||
				"$bwlm" lock-analysis "$study" "${splits[@]}" --set train.seed=$seed "${set[@]}" --quiet >/dev/null
		done
	done
	for seed in 1 2 3; do
		"$bwlm" train "$study" --set train.seed=$seed --set "out=$runs/seed-$seed" "${set[@]}"
	done
	go run ./examples/natsound/table -sounds data/natsound/sounds.tsv "$runs"/seed-{1,2,3}
	;;
*)
	echo "usage: run.sh smoke|whole" >&2
	exit 2
	;;
esac
