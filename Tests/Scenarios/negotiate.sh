#!/usr/bin/env bash
# Prices that are bargained for, purchases that are declined, and goods that arrive damaged, over real services: a bid
# that is taken, counter-offers up to a limit, by hand and by the merchant's operator, with kill -9 in between; NAK
# before and after the payment; a damaged download of which only the bad part is fetched again.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/negotiate-in
in=$PWD/build/scenarios/negotiate-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 60000 /dev/urandom >"$in/asked.bin"
head -c 60000 /dev/urandom >"$in/fixed.bin"
head -c 40M /dev/urandom >"$in/big.bin"
world build/scenarios/negotiate "$in/fixed.bin" "$in/big.bin"
merchant offer add "$in/goods.bin" --price EUR:1.00 --least EUR:0.75 --description "bargained" --protocol core joint early compact >/dev/null
merchant offer add "$in/asked.bin" --price EUR:1.00 --ask --description "asked about" >/dev/null

bought() {
  [ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase)"
  [ "$(newest price)" = "$2" ] || fail "the price was $(newest price), not $2"
  cmp -s "$W/out.bin" "$in/$1" || fail "the goods arrived changed"
  [ "$(sale "$(newest transaction)" price)" = "$2" ] || fail "the merchant sold at another price"
  rm -f "$W/out.bin"
}

start_all
expect 0 wallet withdraw EUR:15.00
echo "negotiate.sh: bids that are taken, in every protocol"
for mode in core joint early compact; do
  expect 0 wallet buy goods.bin --price EUR:0.80 --protocol $mode --yes -o "$W/out.bin"
  bought goods.bin EUR:0.80
done
expect 2 wallet buy fixed.bin --price EUR:1.00 --yes
grep -q 'not negotiated' "$W/err" || fail "a fixed price is not named: $(cat "$W/err")"
[ "$(newest phase)" = abandoned ] || fail "a refused bid leaves the purchase $(newest phase)"

echo "negotiate.sh: counter-offers, up to a limit and by hand, across a crash of the merchant"
expect 0 wallet buy goods.bin --price EUR:0.10 --most EUR:0.90 --yes -o "$W/out.bin"
bought goods.bin EUR:0.88
expect 9 wallet buy goods.bin --price EUR:0.10 --yes -o "$W/out.bin"
grep -q 'asks EUR:0.88' "$W/err" || fail "the counter-offer is not told: $(cat "$W/err")"
kill_hard merchant; start merchant; started
number=$(newest number)
expect 9 wallet bid "$number" EUR:0.20
grep -q 'asks EUR:0.82' "$W/err" || fail "the second counter-offer is not told: $(cat "$W/err")"
expect 0 wallet accept "$number"
bought goods.bin EUR:0.82
expect 1 wallet accept "$number"
for round in 1 2 3 4 5 6 7 8; do
  got=0
  if [ $round = 1 ]; then wallet buy goods.bin --price EUR:0.01 --yes >"$W/out" 2>"$W/err" || got=$?
  else wallet bid "$(newest number)" EUR:0.0$round >"$W/out" 2>"$W/err" || got=$?; fi
  [ $got = 9 ] || break
done
[ $round = 7 ] && [ $got = 2 ] || fail "bargaining went on: round $round, status $got"
[ "$(newest phase)" = abandoned ] || fail "after the last bid the purchase is $(newest phase)"

echo "negotiate.sh: the operator is asked"
expect 4 wallet buy asked.bin --price EUR:0.50 --yes -o "$W/out.bin"
bid() { merchant bids --json | json 'v[0]["id"]'; }
bid=$(bid)
expect 0 merchant bids counter "$bid" EUR:0.70
[ "$(merchant bids --json | json 'len(v)')" = 0 ] || fail "the bid still waits"
wallet resume >/dev/null 2>"$W/err"; grep -q 'asks EUR:0.70' "$W/err" || fail "resume does not tell: $(cat "$W/err")"
expect 4 wallet bid "$(newest number)" EUR:0.60
kill_hard merchant; start merchant; started
bid=$(bid)
expect 0 merchant bids accept "$bid"
expect 0 wallet resume
bought asked.bin EUR:0.60
expect 4 wallet buy asked.bin --price EUR:0.10 --yes
expect 0 merchant bids refuse "$(bid)"
expect 0 wallet resume
[ "$(newest phase)" = abandoned ] || fail "a refused bid leaves the purchase $(newest phase)"
expect 5 merchant bids accept "$bid"

# The answer is taken by another process than the one that asked, and by what was chosen when it was begun.
expect 4 wallet buy asked.bin --price EUR:0.50 --most EUR:0.65 --expiration 77 --yes -o "$W/out.bin"
kill_hard merchant; start merchant; started
expect 0 merchant bids counter "$(bid)" EUR:0.60
now=$(date +%s)
expect 0 wallet resume
bought asked.bin EUR:0.60
ends=$(($(sale "$(newest transaction)" expiration) - now))
[ $ends -le 80 ] || fail "a purchase that was to end within 77 seconds had $ends"

echo "negotiate.sh: declined before and after the payment"
before=$(purse)
expect 9 wallet buy goods.bin --price EUR:0.10 --yes
expect 0 wallet decline "$(newest number)"
[ "$(newest phase)" = abandoned ] || fail "declined, but it is $(newest phase)"
expect 1 wallet decline "$(newest number)"
unpaid fixed.bin -o "$W/out.bin"
expect 0 wallet decline "$(newest number)"
[ "$(sale "$(newest transaction)" phase)" = declined ] || fail "the sale is $(sale "$(newest transaction)" phase)"
start bank; started
SECONDS=0
expect 0 wallet resume
[ $SECONDS -lt 20 ] || fail "the abort took $SECONDS seconds"
[ "$(newest phase)" = aborted ] || fail "declined after P2, and it is $(newest phase)"
[ "$(purse)" = "$before" ] || fail "the money is not back: $(purse) instead of $before"
until_is 0 locked

echo "negotiate.sh: a damaged download"
$ACD wallet buy big.bin --yes -o "$W/out.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
for _ in $(seq 500); do
  for part in "$W"/wallet/goods/*.sealed; do
    [ "$(stat -c %s "$part" 2>/dev/null || echo 0)" -gt 3000000 ] && [ "$part" -nt "$in/big.bin" ] && break 2
  done
  sleep 0.01
done
kill -9 $buyer; wait $buyer 2>/dev/null || true
[ "$(newest phase)" = offered ] || fail "the download was over: $(newest phase)"
part=$W/wallet/goods/$(newest transaction).sealed
flip "$part" 5 100000 2000000
wallet resume >"$W/out" 2>"$W/err"
grep -q '3 damaged parts of the goods are fetched again' "$W/err" || fail "the damage is not told: $(cat "$W/err")"
[ "$(newest phase)" = delivered ] || fail "the damaged purchase is $(newest phase)"
n=$(newest transaction)
cmp -s "$W/out.bin" "$in/big.bin" || fail "the repaired goods are not what was sold"
wallet status "$(newest number)" | grep -q NAK || fail "the complaint is not kept"
expect 0 $ACD merchant evidence export "$n" --out "$W/damaged.ev" --data-dir "$W/merchant"
grep -q NAK "$W/out" || fail "the merchant has no complaint"
stop_all
expect 0 $ACD bank books --data-dir "$W/bank"
echo "negotiate.sh: passed"
