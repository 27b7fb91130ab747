#!/usr/bin/env bash
# How sales end when they do not end well, and what the operators do meanwhile, over real services: abort by expiration,
# a sale that the merchant gives up, commands on books and offers while the parties run. After each: the money is back
# where it was, and the bank's books add up without stopping the bank.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/outcomes-in
in=$PWD/build/scenarios/outcomes-in
head -c 50000 /dev/urandom >"$in/first.bin"
head -c 70000 /dev/urandom >"$in/second.bin"
world build/scenarios/outcomes "$in/first.bin"

# no_receipt NUMBER: an aborted purchase leaves nothing to show at a counter, and no goods.
no_receipt() {
  [ "$(newest phase)" = aborted ] || fail "purchase $1 is $(newest phase), not aborted"
  expect 5 wallet receipt export "$1" --out "$W/none.acd"
  [ ! -e "$W/none.acd" ] && [ ! -e "$W/goods.bin" ] || fail "there is a receipt, or goods, of an aborted purchase"
}

# refusals FILE: what the operators are told when something is wrong, with statuses.
refusals() {
  : >"$1"
  local shop; shop=$(field key "$W/merchant/identity.json")
  while read -r want command; do
    command=${command//SHOP/$shop}
    expect "$want" $ACD ${command%% *} ${command#* } --data-dir "$W/${command%% *}"
    { echo "$want $command"; cat "$W/out" "$W/err"; } >>"$1"
  done <<'LIST'
1 bank account deposit alice USD:1.00 --reference usd
1 bank account deposit alice EUR:0.00 --reference nothing
1 bank account deposit alice EUR:7.00 --reference first
5 bank account deposit nobody EUR:1.00 --reference nobody
5 bank account deposit system:fees:EUR EUR:1.00 --reference fees
5 bank account statement nobody
1 bank account open alice --key SHOP
64 bank account open alice --key 12
1 merchant offer add /nowhere/at.all --price EUR:1.00 --description none
5 merchant offer remove 00
5 merchant cancel 00000000000000000000000000000000
64 merchant cancel 12
LIST
}

echo "outcomes.sh: refusals read the same, whether the party runs or not"
refusals "$W/refusals-stopped"
start_all
refusals "$W/refusals-running"
cmp "$W/refusals-stopped" "$W/refusals-running" || fail "refusals differ"
grep -q 'there is no account nobody' "$W/refusals-running" || fail "an unknown account is not named"
grep -q "accounts are in EUR" "$W/refusals-running" || fail "the wrong currency is not named"

echo "outcomes.sh: accounts and offers while the parties run"
[ "$(stat -c %a "$W/bank/control.sock")" = 600 ] || fail "others can reach the bank's operator channel"
expect 0 wallet withdraw EUR:15.00
for _ in 1 2; do
  expect 0 bank account deposit alice EUR:5.00 --reference second
  grep -qx 'balance EUR:10.00' "$W/out" || fail "after the deposit: $(cat "$W/out")"
done
for number in $(seq 8); do bank account deposit alice EUR:0.01 --reference "copper $number" >/dev/null & done; wait $(jobs -p | tail -8)
expect 0 bank account statement alice
grep -qx 'balance EUR:10.08' "$W/out" || fail "deposits at the same time: $(tail -1 "$W/out")"
[ "$(grep -c ' deposit ' "$W/out")" = 10 ] || fail "the statement does not have the 10 deposits"
expect 0 bank books
# A path is the operator's, not the merchant's.
(cd "$in" && "$OLDPWD/$ACD" merchant offer add second.bin --price EUR:0.50 --description "added while running" \
  --data-dir "$OLDPWD/$W/merchant" >/dev/null)
expect 0 wallet buy second.bin --yes -o "$W/second.bin"
cmp -s "$W/second.bin" "$in/second.bin" || fail "the goods of the new offer arrived changed"
until_is credited sale "$(newest transaction)" phase
expect 1 merchant cancel "$(newest transaction)"
grep -q 'with the archive already' "$W/err" || fail "a paid sale cannot be given up, and this does not say so"
id=$(merchant offers --json | json 'next(o["id"] for o in v if o["name"] == "second.bin")')
expect 0 merchant offer remove "$id"
expect 5 wallet buy second.bin --yes
expect 0 bank books

echo "outcomes.sh: a killed bank's socket hinders nobody, a stopped one leaves none"
kill -9 "${PIDS[bank]}"; wait "${PIDS[bank]}" 2>/dev/null || true
[ -S "$W/bank/control.sock" ] || fail "kill -9 left no socket: this check is worth nothing"
expect 0 bank books
start bank; started
expect 0 bank books
stop bank
[ ! -e "$W/bank/control.sock" ] || fail "the stopped bank left its socket"
expect 0 bank books
start bank; started

echo "outcomes.sh: the archive is away until the expiration"
before=$(purse)
stop archive
# Not by the function: then $! would be a shell.
$ACD wallet buy first.bin --yes --expiration 4 -o "$W/goods.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
last() { merchant sales --json | json 'v[-1]["phase"]'; }
until_is submitted last
until_is 125 locked
kill -9 $buyer; wait $buyer 2>/dev/null || true
end=$(merchant sales --json | json 'v[-1]["expiration"]')
while [ "$(date +%s)" -le "$end" ]; do sleep 0.2; done
start archive; started
expect 0 wallet resume
no_receipt "$(newest number)"
unharmed "$before"
until_is aborted sale "$(newest transaction)" phase

# bought_without_bank OPTION...: a purchase with its contract, goods and stored P2, which no bank has seen yet. The
# wallet is killed then: it would knock at the bank for ten seconds.
bought_without_bank() {
  stop bank
  $ACD wallet buy first.bin --yes -o "$W/goods.bin" --data-dir "$W/wallet" "$@" >"$W/buy.log" 2>&1 & buyer=$!
  for _ in $(seq 20); do
    sleep 0.7
    kill -9 $buyer; wait $buyer 2>/dev/null || true
    [ "$(newest phase)" = authorised ] && break
    $ACD wallet resume --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  done
  n=$(newest transaction)
  [ "$(newest phase)" = authorised ] || fail "the purchase is $(newest phase), not authorised"
  [ "$(sale "$n" phase)" = offered ] || fail "the sale is $(sale "$n" phase), not offered"
}

echo "outcomes.sh: the merchant gives a sale up before the money is locked"
bought_without_bank
expect 0 merchant cancel "$n"
expect 0 merchant cancel "$n"
grep -q "^$n  declined" "$W/out" || fail "the sale is not given up: $(cat "$W/out")"
start bank; started
SECONDS=0
expect 0 wallet resume
[ $SECONDS -lt 20 ] || fail "the abort took $SECONDS seconds, the expiration is after 600"
no_receipt "$(newest number)"
unharmed "$before"
until_is aborted sale "$n" phase

for way in running stopped; do
  echo "outcomes.sh: the $way merchant gives up a sale that waits for S_p(P1)"
  bought_without_bank --two-sided
  # P3 reaches the customer, whose S_p(P1) finds no merchant; then the customer is gone, and P3 reaches the merchant.
  stop merchant
  start bank; started
  $ACD wallet resume --data-dir "$W/wallet" >"$W/resume.log" 2>&1 & buyer=$!
  until_is 125 locked
  sleep 0.5
  kill -9 $buyer; wait $buyer 2>/dev/null || true
  [ "$(newest phase)" = locked ] || fail "the purchase is $(newest phase), not locked"
  start merchant; started
  until_is authorised sale "$n" phase
  [ "$way" = running ] || stop merchant
  expect 0 merchant cancel "$n"
  grep -q "^$n  cancelling" "$W/out" || fail "the sale is not given up: $(cat "$W/out")"
  [ "$way" = running ] || { start merchant; started; }
  SECONDS=0
  expect 0 wallet resume
  [ $SECONDS -lt 20 ] || fail "the abort took $SECONDS seconds, the expiration is after 600"
  no_receipt "$(newest number)"
  unharmed "$before"
  until_is aborted sale "$n" phase
done

expect 0 wallet buy first.bin --yes -o "$W/goods.bin"
cmp -s "$W/goods.bin" "$in/first.bin" || fail "after all this, goods arrive changed"
stop_all
expect 0 bank books
echo "outcomes.sh: passed"
