#!/usr/bin/env bash
# The joint bank-archive (FIG. 6) over real services: a purchase with no archive running, two-sided and not; the bank
# killed in the middle; a sale that the merchant gives up; messages of one protocol for a sale of another.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/joint-in
in=$PWD/build/scenarios/joint-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 50000 /dev/urandom >"$in/core.bin"
world build/scenarios/joint "$in/core.bin"
$ACD merchant offer add "$in/goods.bin" --price EUR:1.25 --description "sold jointly" --protocol core joint \
  --data-dir "$W/merchant" >/dev/null

start bank; start merchant; started
expect 0 wallet withdraw EUR:15.00
for more in "" --two-sided; do
  echo "joint.sh: a purchase without any archive ${more:-(one-sided)}"
  expect 0 wallet buy goods.bin --protocol joint --yes -o "$W/goods.bin" $more
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  [ "$(newest protocol)" = joint ] || fail "the purchase is $(newest protocol), not joint"
  [ "$(locked)" = 0 ] || fail "something is locked after the commit"
  rm -f "$W/goods.bin"
done
$ACD merchant sales --json --data-dir "$W/merchant" | json '[s["protocol"] for s in v]' | grep -q joint ||
  fail "the merchant's sales do not say joint"

echo "joint.sh: what is not sold jointly is refused before anything is paid"
expect 1 wallet buy core.bin --protocol joint --yes
grep -q 'nothing was paid' "$W/err" || fail "the refusal does not say that nothing was paid: $(cat "$W/err")"

echo "joint.sh: the bank is killed at random points"
for point in $(seq 6); do
  $ACD wallet buy goods.bin --protocol joint --yes -o "$W/goods.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  kill -9 "${PIDS[bank]}"; wait "${PIDS[bank]}" 2>/dev/null || true
  start bank; started
  wait $buyer || true
  expect 0 wallet resume
  [ "$(newest phase)" = delivered ] || fail "purchase $(newest number) is $(newest phase) after a crash of the bank"
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm -f "$W/goods.bin"
  [ "$(locked)" = 0 ] || fail "something is locked after the commit"
done
stop_all
expect 0 $ACD bank books --data-dir "$W/bank"
echo "joint.sh: passed"
