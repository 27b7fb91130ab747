#!/usr/bin/env bash
# The same seeds give the same traces in two processes. The order of dictionaries and sets differs from process to
# process: within one, nobody sees that something depends on it.
#
# Usage: traces.sh [SEEDS]   SEEDS: such as 1..24 (default 1..12). ACD=PROGRAM
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${1:-1..12}
hashes() {
  "${ACD:-.build/debug/acd}" simulate --json --seeds "$seeds" --transactions 10 --byzantine "$1" | python3 -c '
import json, sys
flat = json.load(sys.stdin)["hashes"]
print(sorted(zip(flat[::2], flat[1::2])))'
}
for who in none all; do
  first=$(hashes $who)
  [ -n "$first" ] && [ "$first" = "$(hashes $who)" ] || { echo "FAILED: seeds $seeds, liars $who: two processes, two traces"; exit 1; }
done
echo "traces.sh: seeds $seeds, with and without liars, are the same in two processes"
