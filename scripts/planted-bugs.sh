#!/usr/bin/env bash
# Does the simulator find bugs? Each bug of Tests/PlantedBugs is planted into a copy of the sources, all in one release
# build, each switched on by its number in the environment; the sources themselves have no hooks. Then the simulator
# looks for each. Prints what found it, and fails if more than one in twenty stays unfound.
#
# Usage: planted-bugs.sh [NAME…]     BUDGET=SECONDS of processor time for each bug (default 30), WORKERS=NUMBER at a time
set -euo pipefail
cd "$(dirname "$0")/.."
# Under .build, where this package's own manifest looks for nothing.
tree=.build/planted/tree
scratch=.build/planted/build
python3 scripts/planted_bugs.py plant "$tree"
swift build --package-path "$tree" --scratch-path "$scratch" -c release --product acd
exec python3 scripts/planted_bugs.py hunt "$scratch/release/acd" "$@"
