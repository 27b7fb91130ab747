#!/usr/bin/env bash
# The invoice purchase (FIG. 2) over real services, in all its ways: the merchant deposits what the archive approved, or the
# archive does; direct deposit; a passive archive. A merchant that is silent; an invoice that expires; a token at two
# archives; squatters at an address; kill -9 of each party.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
points=${1:-4}
mkdir -p build/scenarios/invoice-in
in=$PWD/build/scenarios/invoice-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 40000 /dev/urandom >"$in/core.bin"

# archive2 is only a record, archive3 is like archive.
more_parties() {
  local ports; ports=($(free_ports 2))
  $ACD archive init --passive --name archive2 --data-dir "$W/archive2" --port "${ports[0]}" --ca "$W/ca" >/dev/null
  $ACD archive init --name archive3 --data-dir "$W/archive3" --port "${ports[1]}" --ca "$W/ca" >/dev/null
  MORE+=(archive2 archive3)
}
PRICE=EUR:1.28 world build/scenarios/invoice "$in/core.bin"
PRICE=EUR:1.28 PROTOCOL="invoice invoice-direct invoice-passive" offer "$in/goods.bin"

purse() { wallet balance --json | json 'sorted((b.get("archive") or "", b["available"], b["held"]) for b in v)'; }
last() { merchant sales --json | json "v[-1]['$1']"; }
buy() { expect "$1" wallet buy goods.bin --protocol "$2" --yes -o "$W/goods.bin" "${@:3}"; }
delivered() {
  [ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase), not delivered"
  [ "$(newest protocol)" = "$1" ] || fail "the purchase is $(newest protocol), not $1"
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm -f "$W/goods.bin"
  until_is credited sale "$(newest transaction)" phase
  expect 0 bank books
}

start bank; start archive2 --passive; start archive; start archive3; start merchant
started bank archive archive2 archive3 merchant
echo "invoice.sh: tokens that are bound to an archive"
for archive in archive archive2 archive3; do
  for _ in 1 2 3; do expect 0 wallet withdraw EUR:1.28 --archive $archive; done
done
grep -q 'bound to archive3' "$W/out" || fail "the balance does not say what is bound: $(cat "$W/out")"
expect 3 wallet buy core.bin --yes
grep -q 'not enough tokens' "$W/err" || fail "bound tokens pay a core purchase"
for way in invoice invoice-direct; do
  echo "invoice.sh: a purchase, by the $way protocol"
  buy 0 $way --archive archive
  delivered $way
done
echo "invoice.sh: a purchase by the invoice-passive protocol"
buy 0 invoice-passive
delivered invoice-passive
echo "invoice.sh: the archive deposits by itself"
stop archive; start archive --deposits archive; started
buy 0 invoice --archive archive
delivered invoice
stop archive; start archive; started archive

# held_up ARGUMENT...: a purchase whose token the merchant has, while the archive is away since the token was registered; the
# buyer is killed. The merchant serves with these arguments.
held_up() {
  stop archive
  wallet buy goods.bin --protocol invoice --archive archive --yes -o "$W/goods.bin" >"$W/buy.log" 2>&1 &&
    fail "a token was registered at an archive that is away"
  stop merchant; start archive; started archive
  wallet resume >"$W/buy.log" 2>&1 || true
  stop archive; start merchant "$@"; started merchant
  $ACD wallet resume --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  until_is submitted last phase
  n=$(last n)
  kill_buyer
  [ "$(newest phase)" = authorised ] || fail "the purchase is $(newest phase), not authorised"
}

echo "invoice.sh: the merchant is silent once it has deposited: k comes from the archive"
for _ in 1 2 3; do expect 0 wallet withdraw EUR:1.28 --archive archive; done
held_up
start archive; started archive
until_is credited sale "$n" phase
kill_hard merchant
expect 0 wallet resume
[ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase), not delivered"
cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
rm "$W/goods.bin"
start merchant; started merchant

echo "invoice.sh: an invoice expires before the archive saw the token: it is free, and what comes later is refused"
before=$(purse)
held_up --expiration 6
kill_hard merchant
sleep 7
start archive; started archive
expect 0 wallet resume
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ "$(purse)" = "$before" ] || fail "the wallet had $before and has $(purse)"
start merchant; started merchant
until_is aborted sale "$n" phase
[ ! -e "$W/goods.bin" ] || fail "there are goods that nobody paid for"
expect 0 bank books

echo "invoice.sh: bad goods are paid back, and the token pays again; good ones are not"
buy 0 invoice --archive archive
delivered invoice
expect 1 wallet complain "$(newest number)"
grep -q 'the sale stands' "$W/err" || fail "a complaint about good goods: $(cat "$W/err")"
cp "$in/goods.bin" "$W/kept.bin"
head -c 60000 /dev/zero >"$in/goods.bin"
before=$(purse)
expect 1 wallet buy goods.bin --protocol invoice --archive archive --yes -o "$W/goods.bin"
[ "$(newest phase)" = paid ] || fail "goods of another digest are $(newest phase)"
expect 0 wallet complain "$(newest number)"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ "$(purse)" = "$before" ] || fail "the wallet had $before and has $(purse)"
expect 0 bank books
mv "$W/kept.bin" "$in/goods.bin"
buy 0 invoice --archive archive
delivered invoice

echo "invoice.sh: a complaint about what the token's own key endorsed does not stand"
expect 1 wallet complain "$(newest number)" --about taken
grep -q 'the sale stands' "$W/err" || fail "the archive showed no S_c{INV}: $(cat "$W/err")"

echo "invoice.sh: the judge decides from the parties' evidence"
n=$(newest transaction)
expect 0 wallet evidence export "$(newest number)" --out "$W/wallet.ev"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
says no-fault approved-unendorsed "$W/wallet.ev" "$W/merchant.ev"
says claim-fails delivered-this "$W/wallet.ev" "$W/merchant.ev"
# What a token is worth stands in its bank's key list, which everybody can fetch.
curl -fs --cacert "$W/ca/ca.pem" "$(field url "$W/bank/identity.json")/v1/keys" >"$W/keys"
says no-fault not-credited "$W/merchant.ev" "$W/wallet.ev" "$W/keys"

echo "invoice.sh: merchant and bank are asked where a purchase stands"
expect 0 wallet status "$(newest number)" --at merchant
grep -q 'the merchant says: committed' "$W/out" || fail "the merchant says: $(cat "$W/out")"
expect 0 wallet status "$(newest number)" --at bank
grep -q 'the bank says: spent' "$W/out" || fail "the bank says: $(cat "$W/out")"
expect 1 wallet status "$(newest number)" --at archive
grep -q 'wallet complain' "$W/err" || fail "it is not said what the archive answers: $(cat "$W/err")"

echo "invoice.sh: a wallet restored from its 24 words"
field mnemonic "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
after=$($ACD wallet balance --json --data-dir "$W/restored" | json 'sorted((b.get("archive") or "", b["available"], b["held"]) for b in v)')
[ "$after" = "$(purse)" ] || fail "restored $after instead of $(purse)"
again=$($ACD wallet list --json --data-dir "$W/restored" | json 'sum(p["protocol"].startswith("invoice") and p["phase"] == "delivered" for p in v)')
had=$(wallet list --json | json 'sum(p["phase"] == "delivered" for p in v)')
[ "$again" = "$had" ] || fail "restored $again invoice purchases instead of $had"
stop_all

echo "invoice.sh: when the lifetimes are over, all of it goes but that the token was approved"
$ACD trust export --data-dir "$W/authority" --out "$W/trust.acd" --lifetime 4 --party "$W/bank" --party "$W/archive" \
  --party "$W/archive2" --party "$W/archive3" --party "$W/merchant" >/dev/null
start bank; start archive --keep 0; start merchant --expiration 10 --keep 0; started
$ACD wallet init --json --data-dir "$W/brief" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" >"$W/brief.json"
expect 0 bank account open brief --key "$(field accountKey "$W/brief.json")"
expect 0 bank account deposit brief EUR:2.00 --reference brief
brief() { $ACD wallet "$@" --data-dir "$W/brief"; }
expect 0 brief withdraw EUR:1.28 --archive archive
expect 0 brief buy goods.bin --protocol invoice --yes -o "$W/brief.bin"
n=$(brief list --json | json 'v[-1]["transaction"]')
until_is credited sale "$n" phase
# kept: how many tokens the archive still has the messages of, and of how many it has only that they were approved.
kept() {
  python3 - "$W/archive/store.sqlite" <<'PY'
import sqlite3, sys
base = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(*[base.execute("SELECT count(*) FROM machines WHERE kind = ?", [kind]).fetchone()[0] for kind in ("token", "token ended")])
PY
}
before=$(kept)
eventually() { for _ in 1 2 3; do (until_is "$@") 2>/dev/null && return; done; until_is "$@"; }
eventually None sale "$n" phase
eventually True eval '[ "$(kept)" != "$before" ] && echo True'
[ "$(kept | cut -d" " -f2)" -gt 0 ] || fail "the archive has forgotten that it approved: $(kept)"
expect 0 brief prune --keep 0
grep -q 'forgot 1 purchases' "$W/out" || fail "the wallet says: $(cat "$W/out")"
stop_all

for way in invoice invoice-direct invoice-passive; do
  echo "invoice.sh: kill -9 at random points, $way"
  Tests/Scenarios/kill.sh "$points" "" $way
done
echo "invoice.sh: passed"
