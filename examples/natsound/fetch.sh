#!/usr/bin/env bash
# Fetches the sounds and the fMRI components of examples/natsound from their authors' repository at one commit, and
# compares each file with its SHA-256; with ecog first, the electrodes of the same sounds from another one. The
# repositories state no licence: the files are for your own use.
#
#   examples/natsound/fetch.sh FOLDER [REPOSITORY]
#   examples/natsound/fetch.sh ecog FOLDER [REPOSITORY]
#
# REPOSITORY may be a copy of it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
from=https://github.com/snormanhaignere/natsound165-neuron2015
commit=b41b99ff620d7997dbf278fc770f58566707726a
sums=$here/files.sha256
files=(sounds/category_labels.csv data/components.mat stimuli/wav)
if [ "${1:-}" = ecog ]; then
	shift
	from=https://github.com/snormanhaignere/song-ecog-current-biology
	commit=03bb41e95d04c191acd3b76b1c11d7185096f1f3
	sums=$here/ecog.sha256
	files=(data/individual-electrodes)
fi
to=${1:?usage: fetch.sh [ecog] FOLDER [REPOSITORY]}
from=${2:-$from}

mkdir -p "$to"
cd "$to"
if ! sha256sum --check --quiet --status "$sums" 2>/dev/null; then
	git init --quiet .
	git config gc.auto 0
	git fetch --quiet --depth 1 --filter=blob:none "$from" "$commit"
	git config remote.origin.url "$from" # where the files come from that the filter left out
	git config remote.origin.promisor true
	git checkout --quiet "$commit" -- "${files[@]}"
fi
sha256sum --check --quiet "$sums"
echo "$to: $(wc -l <"$sums") files are the authors'"
