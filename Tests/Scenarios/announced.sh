#!/usr/bin/env bash
# The announced purchase (FIG. 3) over real services: by every route of completion; a merchant that is silent after it got
# S_t(PO); one that gives the sale up; an archive that is away until the expiry; what the judge says; kill -9 of each
# party. After each the token is spent and the goods are there, or neither.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
points=${1:-8}
mkdir -p build/scenarios/announced-in
in=$PWD/build/scenarios/announced-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 50000 /dev/urandom >"$in/core.bin"
world build/scenarios/announced "$in/core.bin"
PROTOCOL=announced offer "$in/goods.bin"

last() { merchant sales --json | json "v[-1]['$1']"; }
buy() { expect "$1" wallet buy goods.bin --protocol announced --yes -o "$W/goods.bin" "${@:2}"; }
delivered() {
  [ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase), not delivered"
  [ "$(newest protocol)" = announced ] || fail "the purchase is $(newest protocol), not announced"
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm -f "$W/goods.bin"
  until_is 0 locked
  until_is credited sale "$(newest transaction)" phase
}

start_all
expect 0 wallet withdraw EUR:15.00
for route in archive merchant; do
  echo "announced.sh: a purchase, completed by the $route"
  buy 0 --completion $route
  delivered
done
stop merchant; start merchant --completion early; started
buy 0 --completion early
delivered
merchant sales --json | json '[s["protocol"] for s in v]' | grep -q announced || fail "no sale is announced"

echo "announced.sh: merchant, bank and archive are asked where a purchase stands"
for party in merchant bank archive; do
  expect 0 wallet status "$(newest number)" --at $party
  grep -q "the $party says: committed" "$W/out" || fail "asked, the $party says: $(cat "$W/out")"
done

echo "announced.sh: what is not to be had is refused before anything is paid"
before=$(purse)
expect 1 wallet buy core.bin --protocol announced --yes
grep -q 'nothing was paid' "$W/err" || fail "the refusal does not say so: $(cat "$W/err")"
PRICE=EUR:9.99 PROTOCOL=announced offer "$in/core.bin"
dear=$(merchant offers --json | json 'v[-1]["id"] if v[-1]["price"] == "EUR:9.99" else next(o["id"] for o in v if o["price"] == "EUR:9.99")')
expect 3 wallet buy "$dear" --protocol announced --yes
grep -q 'paid with one token' "$W/err" || fail "it is not said that one token has to do: $(cat "$W/err")"
unharmed "$before"

# announced_without_bank OPTION...: a purchase whose consent the merchant has, and which no bank has seen yet.
announced_without_bank() {
  stop bank
  $ACD wallet buy goods.bin --protocol announced --yes -o "$W/goods.bin" --data-dir "$W/wallet" "$@" >"$W/buy.log" 2>&1 &
  buyer=$!
  until_is claiming last phase
  n=$(last n)
  kill -9 $buyer; wait $buyer 2>/dev/null || true
  [ "$(newest phase)" = authorised ] || fail "the purchase is $(newest phase), not authorised"
}
# expired SECONDS: waits until so many seconds after `begun`.
expired() { while [ "$(date +%s)" -le $((begun + $1)) ]; do sleep 0.2; done; }

echo "announced.sh: the merchant gives up a sale for which the token is announced"
announced_without_bank
expect 0 merchant cancel "$n"
grep -q "^$n  declined" "$W/out" || fail "the sale is not given up: $(cat "$W/out")"
start bank; started
SECONDS=0
expect 0 wallet resume
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ $SECONDS -lt 30 ] || fail "the abort took $SECONDS seconds, the expiration is after 600"
unharmed "$before"
until_is aborted sale "$n" phase

echo "announced.sh: the merchant is silent once it has S_t(PO)"
begun=$(date +%s)
announced_without_bank --expiration 5
kill_hard merchant
expired 7
start bank; started
expect 0 wallet resume
[ "$(newest phase)" = refused ] || fail "the purchase is $(newest phase), not refused by the bank"
unharmed "$before"
start merchant; started
until_is declined sale "$n" phase

echo "announced.sh: the merchant is away when it is to get S_t(PO), and gets it when it is back"
stop archive
wallet buy goods.bin --protocol announced --yes -o "$W/goods.bin" >"$W/buy.log" 2>&1 && fail "announced at an archive that is away"
[ "$(newest phase)" = announced ] || fail "the purchase is $(newest phase), not announced"
stop merchant; start archive; started archive bank
$ACD wallet resume --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
until_is 1 grep -c 'merchant cannot be reached now' "$W/buy.log"
sleep 2
start merchant; started
SECONDS=0
wait $buyer || fail "the purchase did not go on: $(cat "$W/buy.log")"
[ $SECONDS -lt 20 ] || fail "the merchant got S_t(PO) after $SECONDS seconds"
delivered
before=$(purse)

echo "announced.sh: the archive is away from the lock to the expiry"
begun=$(date +%s)
announced_without_bank --expiration 6
stop archive
start bank
until_is submitted sale "$n" phase
until_is 125 locked
expired 8
start archive; started
expect 0 wallet resume
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
unharmed "$before"
until_is aborted sale "$n" phase

echo "announced.sh: the judge decides it from the parties' evidence"
buy 0
delivered
n=$(newest transaction); shop=$(field key "$W/merchant/identity.json")
expect 0 wallet evidence export "$(newest number)" --out "$W/wallet.ev"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 $ACD bank evidence export "$shop" "$n" --out "$W/bank.ev" --data-dir "$W/bank"
all=("$W/wallet.ev" "$W/merchant.ev" "$W/merchant.ev.sealed" "$W/merchant.ev.seed" "$W/bank.ev")
expect 0 $ACD judge "${all[@]}" --trust "$W/trust.acd" --heard bank --heard archive --heard merchant --json
python3 - "$W/out" <<'PY' || fail "the judge says otherwise: $(cat "$W/out")"
import json, sys
found = {v["dispute"]: v["finding"] for v in json.load(open(sys.argv[1]))["verdicts"]}
assert found["not-credited"] == found["value-taken"] == "no-fault", found
assert "convicted" not in found.values(), found
PY

echo "announced.sh: a refund, under the token's key"
expect 0 wallet refund "$(newest number)" --amount EUR:0.25
expect 0 merchant refunds approve "$(merchant refunds --json | json 'v[-1]["id"]')"
expect 0 wallet resume
expect 0 bank account statement shop
grep -q 'refund  -25' "$W/out" || fail "the shop's account shows no refund: $(cat "$W/out")"
expect 2 wallet refund "$(newest number)" --amount EUR:9.00

echo "announced.sh: a wallet restored from its 24 words, also of a purchase on its way"
begun=$(date +%s)
announced_without_bank --expiration 8
stop archive
start bank
until_is submitted sale "$n" phase
restored() { $ACD wallet "$1" --data-dir "$W/restored" "${@:2}"; }
phases() { json 'sorted((p["transaction"], p["phase"]) for p in v if p["protocol"] == "announced" and p["phase"] in ("delivered", "locked", "aborted"))'; }
had=$(wallet list --json | json 'sum(p["protocol"] == "announced" and p["phase"] == "delivered" for p in v)')
field mnemonic "$W/wallet.json" >"$W/words"
restored restore --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words" >"$W/restore.log" 2>&1 & restoring=$!
expired 10
start archive; started
wait $restoring || fail "the wallet was not restored: $(cat "$W/restore.log")"
for side in wallet restored; do expect 0 $side resume; done
[ "$(restored list --json | phases)" = "$(wallet list --json | phases)" ] \
  || fail "restored $(restored list --json | phases) instead of $(wallet list --json | phases)"
[ "$(restored balance --json | json '[(b["available"], b["held"]) for b in v]')" = "$(purse)" ] || fail "the restored wallet has other money"
[ "$(restored list --json | json 'sum(p["phase"] == "delivered" for p in v)')" = "$had" ] || fail "not all deliveries came back"

echo "announced.sh: a wallet restored while the merchant has S_t(PO) and no bank has seen it"
begun=$(date +%s)
announced_without_bank --expiration 20
stop merchant
start bank; started
rm -rf "$W/restored"
# The merchant comes back to tell the order; the bank stays unasked until it has been.
start merchant; started merchant
$ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words" >"$W/restore.log" 2>&1 ||
  fail "the wallet was not restored: $(cat "$W/restore.log")"
[ "$(restored list --json | json "sum(p['transaction'] == '$n' for p in v)")" = 1 ] || fail "the announced purchase was not found"
for side in wallet restored; do expect 0 $side resume; done
[ "$(restored list --json | phases)" = "$(wallet list --json | phases)" ] \
  || fail "restored $(restored list --json | phases) instead of $(wallet list --json | phases)"

echo "announced.sh: when the lifetimes are over, all of it goes"
stop_all
$ACD trust export --data-dir "$W/authority" --out "$W/short.acd" --lifetime 4 --party "$W/bank" --party "$W/archive" --party "$W/merchant" >/dev/null
cp "$W/short.acd" "$W/trust.acd"
start bank; start archive --keep 0; start merchant --expiration 8 --keep 0; started
$ACD wallet init --json --data-dir "$W/brief" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" >"$W/brief.json"
expect 0 bank account open brief --key "$(field accountKey "$W/brief.json")"
expect 0 bank account deposit brief EUR:3.00 --reference brief
brief() { $ACD wallet "$@" --data-dir "$W/brief"; }
expect 0 brief withdraw EUR:2.56
expect 0 brief buy goods.bin --protocol announced --expiration 6 --yes -o "$W/goods.bin"
n=$(brief list --json | json 'v[-1]["transaction"]')
until_is credited sale "$n" phase
eventually() { for _ in 1 2 3; do (until_is "$@") 2>/dev/null && return; done; until_is "$@"; }
eventually None sale "$n" phase
expect 0 brief prune --keep 0
grep -q 'forgot 1 purchases' "$W/out" || fail "the wallet says: $(cat "$W/out")"

echo "announced.sh: kill -9 at random points"
stop_all
Tests/Scenarios/kill.sh "$points" "" announced
expect 0 $ACD bank books --data-dir "$W/bank"
echo "announced.sh: passed"
