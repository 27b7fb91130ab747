#!/usr/bin/env bash
# The trace hashes of some seeds as one: what the simulator does, whoever built it.
#
# Usage: trace-hash.sh ACD LIARS     SEEDS=A..B (default 1..24), TRANSACTIONS=NUMBER (default 12), WORKERS=NUMBER of processes
set -euo pipefail
"$1" simulate --json --workers "${WORKERS:-$(nproc)}" --seeds "${SEEDS:-1..24}" --transactions "${TRANSACTIONS:-12}" \
  --byzantine "$2" | python3 -c '
import hashlib, json, sys
flat = json.load(sys.stdin)["hashes"]
assert flat, "no seed was run"
print(hashlib.sha256(repr(sorted(zip(flat[::2], flat[1::2]))).encode()).hexdigest()[:32])'
