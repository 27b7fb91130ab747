#!/usr/bin/env bash
# `make delivery`: the story of one parcel over real services and a card behind pcscd, then the twenty requirements of a point of
# delivery, each with the result of the test that is named after it.
set -euo pipefail
cd "$(dirname "$0")/.."
Tests/Scenarios/delivery.sh story
echo
echo "The twenty requirements:"
log=build/delivery.log
got=0
swift test --skip-build --filter RequirementTests >"$log" 2>&1 || got=$?
python3 - "$log" <<'PY'
import re, sys
results = {}
for line in open(sys.argv[1], errors="replace"):
    found = re.match(r'^(\S+) Test "(\d+)\. (.*)" (passed|failed)', line)
    if found:
        results[int(found[2])] = (found[4] == "passed", found[3])
missing = [number for number in range(1, 21) if number not in results]
for number in sorted(results):
    passed, name = results[number]
    print(f"  {'passed' if passed else 'FAILED'}  {number:2}. {name}")
for number in missing:
    print(f"  MISSING {number:2}.")
sys.exit(1 if missing or not all(passed for passed, _ in results.values()) else 0)
PY
exit $got
