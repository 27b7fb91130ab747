#!/usr/bin/env bash
# Does the simulator find bugs? Each bug of Tests/PlantedBugs is planted into a copy of the sources, all in one release
# build, each switched on by its number in the environment; the sources themselves have no hooks. With all of them
# switched off it has to do what the sources do. Then the simulator looks for each: prints what found it, and fails if
# more than one in twenty stays unfound.
#
# Usage: planted-bugs.sh [NAME…]     BUDGET=SECONDS of processor time for each bug (default 30), WORKERS=NUMBER at a time
set -euo pipefail
cd "$(dirname "$0")/.."
# Under .build, where this package's own manifest looks for nothing.
tree=.build/planted/tree
scratch=.build/planted/build
python3 scripts/planted_bugs.py plant "$tree"
swift build --package-path "$tree" --scratch-path "$scratch" -c release --product acd
# A bug that is switched off changes nothing: the build with all of them does what the sources do.
swift build --product acd
for who in none all; do
  plain=$(scripts/trace-hash.sh .build/debug/acd $who)
  [ "$(scripts/trace-hash.sh "$scratch/release/acd" $who)" = "$plain" ] ||
    { echo "liars $who: a planted bug acts although it is switched off"; exit 1; }
done
exec python3 scripts/planted_bugs.py hunt "$scratch/release/acd" "$@"
