#!/usr/bin/env bash
# Who tells whom of a commit, and how long it is kept, over real services. An archive that sends no copies: the merchant
# brings the bank its commits in batches, or bank and merchant read the record; the customer has the key from the archive,
# from the merchant, or early, on trust. A bank that is started as a joint archive. When lifetimes are over, records, sales
# and goods go; what is open stays; readers of the record go on behind what is gone.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/keep-in
in=$PWD/build/scenarios/keep-in
head -c 30000 /dev/urandom >"$in/goods.bin"
TRUST_OPTIONS="--lifetime 4 --answer 1" PROTOCOL="core joint early" world build/scenarios/keep "$in/goods.bin"

bought() {
  expect 0 wallet buy goods.bin --yes -o "$W/out.bin" "$@"
  cmp -s "$W/out.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm "$W/out.bin"
  n=$(newest transaction)
  until_is credited sale "$n" phase
}
selling() { start merchant --expiration 12 --keep 0 "$@"; }
# record: how many outcomes the archive shows of the sale n.
record() {
  curl -fs --cacert "$W/ca/ca.pem" "$(field url "$W/archive/identity.json")/v1/records/$(field key "$W/merchant/identity.json")/$n" |
    $ACD decode - --json | json 'len(v["fields"]["messages"])'
}
sales() { merchant sales --json | json 'len(v)'; }
# eventually WANT COMMAND...: as until_is, but for what waits for lifetimes.
eventually() { for _ in 1 2; do (until_is "$@") 2>/dev/null && return; done; until_is "$@"; }

echo "keep.sh: no copies from the archive: the merchant brings its commits, several at once"
start bank; start archive --no-copies --keep 0; selling --forward 2; started
expect 0 wallet withdraw EUR:15.00
for number in 1 2; do expect 0 wallet buy goods.bin --yes -o "$W/out.bin"; done
until_is "['credited', 'credited']" eval 'merchant sales --json | json "[s[\"phase\"] for s in v]"'
bought --protocol early
for party in merchant bank archive; do
  expect 0 wallet status 0 --at $party
  grep -q "the $party says: committed" "$W/out" || fail "asked, the $party says: $(cat "$W/out")"
done
expect 0 wallet statement
grep -q '^balance EUR:5.00' "$W/out" || fail "the statement is: $(cat "$W/out")"
expect 0 wallet refund 0 --amount EUR:0.25

echo "keep.sh: when the lifetimes are over, all of it goes, but for a refund that waits for an answer"
eventually 0 record
eventually 1 sales
[ "$(ls "$W/merchant/goods" | wc -l)" = 1 ] || fail "goods that stay: $(ls "$W/merchant/goods")"
expect 0 wallet prune --keep 0
grep -q 'forgot 2 purchases' "$W/out" || fail "the wallet says: $(cat "$W/out")"
expect 0 merchant refunds approve "$(merchant refunds --json | json 'v[0]["id"]')"
expect 0 wallet resume
eventually 0 sales
expect 0 wallet prune --keep 0
grep -q 'forgot 1 purchases' "$W/out" || fail "the wallet says: $(cat "$W/out")"
[ "$(purse)" = "[('EUR:11.50', 'EUR:0.00')]" ] || fail "the purse: $(purse)"

echo "keep.sh: the 24 words bring the money of purchases whose contracts are gone, a refund's too, and the one that is not"
expect 0 wallet backup --yes; cp "$W/out" "$W/words"
# comes_back DIRECTORY COUNT: the purse as it is, and so many purchases.
comes_back() {
  expect 0 $ACD wallet restore --data-dir "$W/$1" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
  grep -q " and $2 purchases\$" "$W/out" && grep -q '^3 purchases are left out' "$W/out" || fail "restoring says: $(cat "$W/out")"
  [ "$(WALLET=$1 purse)" = "$(purse)" ] || fail "the purse restored: $(WALLET=$1 purse) instead of $(purse)"
}
comes_back again 0
bought
comes_back later 1

echo "keep.sh: bank and merchant read the record, behind what is gone"
stop merchant; stop bank
start bank --poll-archives; selling --poll-archives; started
bought
bought --completion merchant

echo "keep.sh: early completion on trust, and a joint archive"
stop merchant; stop bank
$ACD archive serve --joint --data-dir "$W/bank" --trust "$W/trust.acd" --poll-archives >>"$W/bank.log" 2>&1 & PIDS[bank]=$!
selling --completion early; started
expect 0 wallet buy goods.bin --yes --completion early -o "$W/out.bin"
grep -qE 'opened early|delivered' "$W/err" || fail "the wallet says: $(cat "$W/err")"
until_is credited sale "$(newest transaction)" phase
bought --protocol joint
expect 64 $ACD archive serve --joint --no-copies --data-dir "$W/bank"
stop_all
expect 0 bank books
echo "keep.sh: passed"
