#!/usr/bin/env bash
# Customers who are known, or want to be known again, over real services: a named customer, whose account's key pays and
# signs; a pseudonym with a name, under which a merchant knows the customer again; tokens that share a key. Bank and
# wallet killed in between; all of it back from the 24 words. Anonymous tokens never mix with named ones.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/named-in
in=$PWD/build/scenarios/named-in
head -c 30000 /dev/urandom >"$in/goods.bin"
world build/scenarios/named
$ACD merchant offer add "$in/goods.bin" --price EUR:1.25 --least EUR:1.00 --description "sold to somebody" \
  --protocol core joint compact --data-dir "$W/merchant" >/dev/null
available() { wallet balance --json | json 'v[0]["available"] if v else "EUR:0.00"'; }
account() { $ACD bank account statement alice --data-dir "$W/bank" | tail -1 | cut -d' ' -f2; }
bought() {
  expect 0 wallet buy goods.bin --yes -o "$W/out.bin" "$@"
  cmp -s "$W/out.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm "$W/out.bin"
}
# pseudonym: of the newest purchase, as its contract says; keys: which tokens' keys signed its payment.
pseudonym() {
  $ACD wallet evidence export "$(newest number)" --out "$W/purchase.ev" --data-dir "$W/wallet" >/dev/null
  $ACD decode "$W/purchase.ev" --json | json 'next(m["fields"]["contract"]["fields"]["P"] for m in v["fields"]["messages"] if m["label"] == "P1")'
}
keys() {
  $ACD decode "$W/purchase.ev" --json | json 'sorted({t["fields"]["token"]["fields"]["Q"] for m in v["fields"]["messages"]
    if m["label"] in ("P2", "JA2", "JB2") for t in m["fields"]["tokens"]})' || true
}
alice=$(field accountKey "$W/wallet.json")

start_all
echo "named.sh: a named customer pays from the account, and bank and merchant know the key"
for mode in core joint compact; do
  before=$(account)
  bought --named --protocol $mode
  is "the pseudonym" "$(pseudonym)" "$alice"
  is "the keys" "$(keys)" "['$alice']"
  is "the purse" "$(available)" EUR:0.00
done
is "alice's account" "$(account)" EUR:16.25
bought --named --price EUR:1.10
bought --named --price EUR:1.10
is "alice's account, after bids under the same key" "$(account)" EUR:14.05

echo "named.sh: killed in between, the account pays once"
for point in 1 2 3; do
  before=$(account)
  $ACD wallet buy goods.bin --yes --named -o "$W/out.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  case $point in 1) kill_hard bank; start bank; started ;; *) kill -9 $buyer 2>/dev/null || true ;; esac
  wait $buyer 2>/dev/null || true
  expect 0 wallet resume
  is "nothing open" "$(wallet resume)" "nothing is open"
  rm -f "$W/out.bin"
done
is "what a named customer's purchases left" "$(wallet balance --json | json 'sum(b["tokens"] for b in v if b["held"] != "EUR:0.00")')" 0

echo "named.sh: anonymous tokens and named ones do not mix"
left=$(available)
expect 3 wallet buy goods.bin --yes
expect 0 wallet withdraw EUR:5.00
bought
[ "$(pseudonym)" != "$alice" ] || fail "an anonymous purchase is under the account's key"
keys | grep -q "$alice" && fail "an anonymous purchase was paid by the account's key"

echo "named.sh: a pseudonym with a name, and tokens of one key"
bought --pseudonym "Mr. Blue"; blue=$(pseudonym)
bought --pseudonym "Mr. Blue"; is "the pseudonym" "$(pseudonym)" "$blue"
bought --pseudonym "Mr. Green" --price EUR:1.00; [ "$(pseudonym)" != "$blue" ] || fail "two names, one pseudonym"
expect 64 wallet buy goods.bin --yes --named --pseudonym "Mr. Blue"
expect 0 wallet withdraw EUR:2.00 --reuse-key
bought --reuse-key --price EUR:1.03
pseudonym >/dev/null
is "the number of keys that paid" "$(keys | tr ',' '\n' | wc -l)" 1

echo "named.sh: a purchase that begins after a random time"
expect 0 wallet withdraw EUR:2.00
bought --delay 2
grep -q 'begins in [0-2] seconds' "$W/err" || fail "nothing is said of the delay: $(cat "$W/err")"

echo "named.sh: restored from the 24 words"
before=$(available) count=$(wallet list --json | json 'sum(p["phase"] == "delivered" for p in v)')
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
restore() { expect 0 $ACD wallet restore --data-dir "$W/$1" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words" "${@:2}"; }
restored() { $ACD wallet list --json --data-dir "$W/$1" | json 'sum(p["phase"] == "delivered" for p in v)'; }
restore again --pseudonym "Mr. Blue" --pseudonym "Mr. Green"
is "the restored purse" "$($ACD wallet balance --json --data-dir "$W/again" | json 'v[0]["available"]')" "$before"
is "the restored purchases" "$(restored again)" "$count"
restore partly
is "the purchases restored without the names" "$(restored partly)" "$((count - 3))"
is "the purse restored without the names" "$($ACD wallet balance --json --data-dir "$W/partly" | json '(v[0]["available"], v[0]["held"])')" \
  "('$before', 'EUR:0.00')"
stop_all
expect 0 $ACD bank books --data-dir "$W/bank"
echo "named.sh: passed"
