#!/usr/bin/env bash
# The same seeds give the same traces in two processes. The order of dictionaries and sets differs from process to
# process: within one, nobody sees that something depends on it.
#
# Usage: traces.sh [SEEDS]   SEEDS: such as 1..24 (default 1..12). ACD=PROGRAM
set -euo pipefail
cd "$(dirname "$0")/../.."
export SEEDS=${1:-1..12} TRANSACTIONS=10
acd=${ACD:-.build/debug/acd}
for who in none all; do
  first=$(scripts/trace-hash.sh "$acd" $who)
  [ "$first" = "$(scripts/trace-hash.sh "$acd" $who)" ] || { echo "FAILED: seeds $SEEDS, liars $who: two processes, two traces"; exit 1; }
done
echo "traces.sh: seeds $SEEDS, with and without liars, are the same in two processes"
