#!/usr/bin/env bash
# Early commitment (FIG. 5) over real services: the tokens are locked before the goods come. Acknowledged; forced, with
# the goods from the archive alone; goods that the archive refuses; abort at the expiration and by Cancel; a restored
# wallet; what a judge says of each.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/early-in
in=$PWD/build/scenarios/early-in
head -c 3000000 /dev/urandom >"$in/goods.bin"
head -c 60000 /dev/urandom >"$in/core.bin"
world build/scenarios/early "$in/core.bin"
merchant offer add "$in/goods.bin" --price EUR:1.25 --description "sold with early commitment" --protocol early >/dev/null
shop=$(field key "$W/merchant/identity.json")
sealed() { sed -n 's/.*sealed goods, if they are in dispute: //p' "$W/out"; }
arrived() {
  [ "$(newest phase)" = delivered ] || fail "purchase $(newest number) is $(newest phase)"
  cmp -s "$1" "$in/goods.bin" || fail "the goods arrived changed"
  until_is 0 locked
}
labels() { wallet status "$(newest number)" | grep messages; }

start_all
expect 0 wallet withdraw EUR:15.00
for more in "" "--completion merchant"; do
  echo "early.sh: acknowledged ${more:-(by the archive)}"
  expect 0 wallet buy goods.bin --protocol early --yes -o "$W/goods.bin" $more
  arrived "$W/goods.bin"
  [ "$(newest protocol)" = early ] || fail "the purchase is $(newest protocol), not early"
  labels | grep -q 'E3, E4, E5, E7a' || fail "not all messages are kept: $(labels)"
  rm "$W/goods.bin"
done
n=$(newest transaction)
until_is credited sale "$n" phase
url=$(field url "$W/archive/identity.json")
[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca/ca.pem" "$url/v1/goods/$n")" = 404 ] ||
  fail "the archive serves goods to anybody"

echo "early.sh: a judge on the acknowledged sale"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
expect 0 wallet evidence export "$(newest number)" --out "$W/wallet.ev"
goods=$(sealed)
all=("$W/merchant.ev" "$W/bank.ev" "$W/wallet.ev")
says claim-fails delivered-this "${all[@]}"
says no-fault bad-goods "${all[@]}" "$goods"
says no-fault not-credited "${all[@]}" --heard bank
says no-fault value-taken "${all[@]}"

echo "early.sh: what is not sold so is refused before anything is paid"
expect 1 wallet buy core.bin --protocol early --yes
grep -q 'nothing was paid' "$W/err" || fail "the refusal does not say that nothing was paid"

echo "early.sh: no E5: the merchant leaves the goods with the archive, and the customer has them from there alone"
locked_without_goods goods.bin -o "$W/goods.bin" --protocol early --expiration 20
kill_buyer
[ "$(newest phase)" = locked ] || fail "the purchase is $(newest phase), not locked"
pause archive
go_on merchant
# Killed in the middle of the upload, both go on from their stores.
until_is forcing sale "$n" phase
kill_hard archive; kill_hard merchant
start archive; start merchant; started
until_is credited sale "$n" phase
stop merchant
expect 0 wallet resume
arrived "$W/goods.bin"
labels | grep -q 'E7a' || fail "no commit: $(labels)"
labels | grep -q 'E5' && fail "acknowledged after all: $(labels)"
grep -q 'asking the archive' "$W/err" || fail "the goods did not come from the archive: $(cat "$W/err")"
rm "$W/goods.bin"
start merchant; started
expect 0 wallet evidence export "$(newest number)" --out "$W/wallet.ev"
goods=$(sealed)
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
says no-fault bad-goods "${all[@]}" "$goods"
says no-fault not-credited "${all[@]}" --heard bank
says "" delivered-this "${all[@]}"

echo "early.sh: a damaged copy: a NAK names what is damaged, and that alone is sent again"
locked_without_goods goods.bin -o "$W/goods.bin" --protocol early
kill_buyer
cp "$W/merchant/goods/$n" "$W/wallet/goods/$n.sealed"
flip "$W/wallet/goods/$n.sealed" 30 100000 100001 2000000 -1
go_on merchant
expect 0 wallet resume
grep -q '4 damaged parts of the goods are fetched again' "$W/err" || fail "nothing was mended: $(cat "$W/err")"
labels | grep -q 'E4, NAK, E5, E7a' || fail "the mended goods are not acknowledged: $(labels)"
arrived "$W/goods.bin"
rm "$W/goods.bin"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
grep -q NAK "$W/out" || fail "the merchant has no NAK: $(cat "$W/out")"

echo "early.sh: goods that are not what E4 says: no E5, the archive refuses them, and the money comes back"
before=$(purse)
locked_without_goods goods.bin -o "$W/goods.bin" --protocol early --expiration 12
flip "$W/merchant/goods/$n" 100000
go_on merchant
wait $buyer && fail "bought, though the goods are bad"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
labels | grep -q 'E5' && fail "bad goods are acknowledged: $(labels)"
grep -q 'other-goods' "$W/merchant.log" || fail "the archive did not refuse the goods: $(cat "$W/merchant.log")"
unharmed "$before"
until_is aborted sale "$n" phase
[ "$(ls "$W/archive/held" | wc -l)" = 1 ] || fail "the archive keeps bad goods"

echo "early.sh: the merchant is gone until the expiration"
locked_without_goods goods.bin -o "$W/goods.bin" --protocol early --expiration 6
kill_hard merchant
wait $buyer && fail "bought without a merchant"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ ! -e "$W/goods.bin" ] || fail "aborted, but the goods are there"
unharmed "$before"
start merchant; started
until_is aborted sale "$n" phase

echo "early.sh: the merchant gives a locked sale up"
locked_without_goods goods.bin -o "$W/goods.bin" --protocol early
kill_buyer
go_on merchant
until_is authorised sale "$n" phase
expect 0 merchant cancel "$n"
SECONDS=0
expect 0 wallet resume
[ $SECONDS -lt 20 ] || fail "the abort took $SECONDS seconds"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
unharmed "$before"

echo "early.sh: the merchant on trust, polling archives"
stop merchant; stop bank
start merchant --completion early --poll-archives; start bank --poll-archives; started
expect 0 wallet buy goods.bin --protocol early --yes --completion early -o "$W/goods.bin"
arrived "$W/goods.bin"

echo "early.sh: the 24 words bring the purchases back, and their goods"
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
phases=$($ACD wallet list --json --data-dir "$W/restored" | json '" ".join(sorted(p["phase"] for p in v))')
[ "$phases" = "aborted aborted aborted delivered delivered delivered delivered delivered" ] || fail "restored: $phases"
cmp -s "$W/restored/goods/goods.bin" "$in/goods.bin" || fail "the restored goods differ"

stop_all
expect 0 bank books
echo "early.sh: passed"
