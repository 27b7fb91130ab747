#!/usr/bin/env bash
# One token raced by many authorizations at once, and every message sent again and again, over real services: exactly one
# lock, byte-identical answers, and books that add up. storm.sh [TIMES, 1000]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
times=${1:-1000}
scripts/venv.sh
mkdir -p build/scenarios/storm-in
in=build/scenarios/storm-in
head -c 50000 /dev/urandom >"$in/goods.bin"
world build/scenarios/storm
$ACD merchant offer add "$in/goods.bin" --price EUR:1.25 --description "goods for a test" --protocol core joint \
  --data-dir "$W/merchant" >/dev/null
start_all
expect 0 wallet withdraw EUR:15.00
expect 0 wallet buy goods.bin --yes --two-sided -o "$W/core.bin"
expect 0 wallet buy goods.bin --protocol joint --yes -o "$W/joint.bin"
expect 0 wallet exchange --all
# What the services still owe each other arrives first, so that the stores do not change under the storm.
sleep 2
before=$($ACD bank books --json --data-dir "$W/bank")
build/venv/bin/python scripts/storm.py "$W" replay "$times"
[ "$($ACD bank books --json --data-dir "$W/bank")" = "$before" ] || fail "repeated messages moved money"
build/venv/bin/python scripts/storm.py "$W" race "$times"
expect 0 $ACD bank books --data-dir "$W/bank"
stop_all
echo "storm.sh: passed"
