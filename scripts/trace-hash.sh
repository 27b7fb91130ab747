#!/usr/bin/env bash
# The trace hashes of seeds 1 to 24 as one: what the simulator does, whoever built it.
#
# Usage: trace-hash.sh ACD LIARS     WORKERS=NUMBER of processes
set -euo pipefail
"$1" simulate --json --workers "${WORKERS:-$(nproc)}" --seeds 1..24 --transactions 12 --byzantine "$2" | python3 -c '
import hashlib, json, sys
flat = json.load(sys.stdin)["hashes"]
print(hashlib.sha256(repr(sorted(zip(flat[::2], flat[1::2]))).encode()).hexdigest()[:32])'
