#!/usr/bin/env bash
# The simulator at length: the same seeds give the same trace twice and in debug and release builds; then the campaigns
# with faults and with liars, and a crash at every boundary and at every pair of boundaries of each protocol. Builds what
# it needs.
#
# Usage: simulate.sh [RUNS]   RUNS: how many seeds with faults, 30 purchases each (default 2800); half as many with
#                             liars. WORKERS=NUMBER of processes; STOPS=once or twice (default).
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-2800}
export WORKERS=${WORKERS:-$(nproc)}
stops=${STOPS:-twice}
swift build --product acd
swift build -c release --product acd

for who in none all; do
  debug=$(scripts/trace-hash.sh .build/debug/acd $who)
  for again in .build/debug/acd .build/release/acd .build/release/acd; do
    [ "$(scripts/trace-hash.sh $again $who)" = "$debug" ] || { echo "the same seeds gave another trace in $again"; exit 1; }
  done
  echo "seeds 1 to 24, liars $who: trace hash $debug, twice in each of the debug and release builds"
done

simulate() {
  echo "acd simulate $*"
  nice -n 10 .build/release/acd simulate --workers "$WORKERS" "$@"
}
simulate --seeds "1..$runs"
simulate --seeds "1..$(((runs + 1) / 2))" --byzantine all
simulate --crash-everywhere "$stops"
