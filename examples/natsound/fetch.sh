#!/usr/bin/env bash
# Fetches the sounds and the fMRI components of examples/natsound from their authors' repository at one commit, and
# compares each file with its SHA-256. The repository states no licence: the files are for your own use.
#
#   examples/natsound/fetch.sh FOLDER [REPOSITORY]
#
# REPOSITORY may be a copy of it.
set -euo pipefail
to=${1:?usage: fetch.sh FOLDER [REPOSITORY]}
from=${2:-https://github.com/snormanhaignere/natsound165-neuron2015}
commit=b41b99ff620d7997dbf278fc770f58566707726a
sums=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/files.sha256

mkdir -p "$to"
cd "$to"
if ! sha256sum --check --quiet --status "$sums" 2>/dev/null; then
	git init --quiet .
	git config gc.auto 0
	git fetch --quiet --depth 1 --filter=blob:none "$from" "$commit"
	git config remote.origin.url "$from" # where the files come from that the filter left out
	git config remote.origin.promisor true
	git checkout --quiet "$commit" -- sounds/category_labels.csv data/components.mat stimuli/wav
fi
sha256sum --check --quiet "$sums"
echo "$to: $(wc -l <"$sums") files are the authors'"
