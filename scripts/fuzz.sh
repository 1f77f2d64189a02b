#!/usr/bin/env bash
# Runs every fuzz target for a time, one after the other: scripts/fuzz.sh 30s. What fails goes on to the next, and the
# script fails at its end; go test leaves the input in testdata/fuzz of the package.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
go=${GO:-go}
failed=0 n=0
while IFS=: read -r file line; do
  name=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' <<<"$line")
  n=$((n + 1))
  printf '== %s %s\n' "$(dirname "$file")" "$name"
  "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "${1:-30s}" "./$(dirname "$file")" || failed=$((failed + 1))
done < <(grep -rE --include='*_test.go' --exclude-dir=third_party --exclude-dir=.venv '^func Fuzz' . | sed 's,^\./,,' | sort)
[ "$n" -gt 0 ] || { echo 'fuzz.sh: no fuzz targets' >&2; exit 1; }
printf '== %d targets, %d failed\n' "$n" "$failed"
[ "$failed" = 0 ]
