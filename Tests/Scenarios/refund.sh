#!/usr/bin/env bash
# Money back, over real services: all or part of it, asked of the operator or agreed by policy, in core and compact sales;
# bank, merchant and wallet killed in between; never more than was paid; restored from the 24 words.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/refund-in
in=$PWD/build/scenarios/refund-in
head -c 30000 /dev/urandom >"$in/goods.bin"
world build/scenarios/refund
merchant offer add "$in/goods.bin" --price EUR:1.25 --description "given back" --protocol core joint compact >/dev/null
available() { wallet balance --json | json 'v[0]["available"]'; }
shop() { $ACD bank account statement shop --data-dir "$W/bank" | tail -1 | cut -d' ' -f2; }
phases() { merchant refunds --json | json 'sorted(r["phase"] for r in v)'; }

start_all
expect 0 wallet withdraw EUR:10.00
expect 0 wallet buy goods.bin --yes -o "$W/a.bin"
expect 0 wallet buy goods.bin --yes --protocol compact -o "$W/b.bin"
until_is EUR:2.50 shop
is "the purse" "$(available)" EUR:7.50

echo "refund.sh: asked for, and the operator agrees, across crashes"
expect 0 wallet refund 0 --amount EUR:0.50
grep -q 'has not answered yet' "$W/out" || fail "the request is not told: $(cat "$W/out")"
expect 0 wallet refund 0
is "a second request" "$(merchant refunds --json | json 'len(v)')" 1
kill_hard merchant; start merchant; started
id=$(merchant refunds --json | json 'v[0]["id"]')
stop bank
expect 0 merchant refunds approve "$id"
expect 4 wallet refund 0
kill_hard merchant; start merchant; start bank; started
expect 0 wallet resume
is "the purse" "$(available)" EUR:8.00
until_is EUR:2.00 shop
until_is "['done']" phases
expect 0 wallet resume
is "the purse, after resuming again" "$(available)" EUR:8.00

echo "refund.sh: refused by the operator, and never more than was paid"
expect 0 wallet refund 0 --amount EUR:0.25
expect 0 merchant refunds refuse "$(merchant refunds --json | json 'next(r["id"] for r in v if r["phase"] == "waiting")')"
expect 2 wallet refund 0
is "the purse" "$(available)" EUR:8.00
expect 2 wallet refund 0 --amount EUR:0.80
grep -q 'given back already' "$W/err" || fail "too much is not named: $(cat "$W/err")"
expect 1 wallet refund 0 --amount USD:0.80

echo "refund.sh: by policy, killed at random points"
stop merchant; start merchant --refund auto; started
for amount in 0.10 0.15 0.20 0.30; do
  before=$(available)
  $ACD wallet refund 1 --amount EUR:$amount --data-dir "$W/wallet" >"$W/refund.log" 2>&1 & asker=$!
  sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
  case $((RANDOM % 3)) in
    0) kill_hard bank; start bank; started ;;
    1) kill_hard merchant; start merchant --refund auto; started ;;
    2) kill -9 $asker 2>/dev/null || true ;;
  esac
  wait $asker 2>/dev/null || true
  wallet resume >/dev/null 2>&1 || true
  # A wallet that was killed before it stored the request has asked for nothing.
  [ "$(available)" != "$before" ] || expect 0 wallet refund 1 --amount EUR:$amount
  is "the purse" "$(available)" "$(python3 -c "print('EUR:%.2f' % (float('$before'[4:]) + $amount))")"
done
until_is EUR:1.25 shop

echo "refund.sh: the fresh tokens pay, and come back with the 24 words"
expect 0 wallet buy goods.bin --yes --protocol joint -o "$W/c.bin"
cmp -s "$W/c.bin" "$in/goods.bin" || fail "the goods arrived changed"
before=$(available)
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
after=$($ACD wallet balance --json --data-dir "$W/restored" | json 'v[0]["available"]')
is "what was restored" "$after" "$before"
expect 0 $ACD wallet refund 2 --amount EUR:0.05 --data-dir "$W/restored"
n=$(wallet status 0 --json | json 'v["transaction"]')
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
grep -q RF2 "$W/out" || fail "the merchant's evidence has no refund: $(cat "$W/out")"
expect 0 wallet evidence export 0 --offline --out "$W/wallet.ev"
says no-fault refund-withheld "$W/wallet.ev" --heard bank
if without acd-rf3 acd-refusal "$W/wallet.ev" "$W/silent.ev"; then
  says "convicted bank" refund-withheld "$W/silent.ev" --heard bank
  says undecided refund-withheld "$W/silent.ev"
fi
stop_all
expect 0 $ACD bank books --data-dir "$W/bank"
echo "refund.sh: passed"
