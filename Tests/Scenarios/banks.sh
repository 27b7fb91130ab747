#!/usr/bin/env bash
# Two banks in one trust list, over real services: the customer's tokens are the first bank's, the merchant's account is
# at the second. Transfers between them, either bank away or killed in between, a limit that is reached and settled, a
# purchase from the merchant's own bank, a bank that shows its transfer to the judge, tokens that the first bank issued and
# the second takes, and a wallet with all of these that comes back from its 24 words.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/banks-in
in=$PWD/build/scenarios/banks-in
head -c 30000 /dev/urandom >"$in/goods.bin"
W=build/scenarios/banks
rm -rf "$W"; mkdir -p "$W"
ports=($(free_ports)) more=($(free_ports))
quiet() { "$@" >/dev/null; }
quiet $ACD archive init --data-dir "$W/archive" --port "${ports[1]}" --ca "$W/ca"
quiet $ACD bank init --name "First Bank" --data-dir "$W/bank" --port "${ports[0]}" --ca "$W/ca" --denominations 10
quiet $ACD bank init --name "Second Bank" --data-dir "$W/bank2" --port "${more[0]}" --ca "$W/ca" --denominations 10
quiet $ACD merchant init --bank "$W/bank2" --data-dir "$W/merchant" --port "${ports[2]}" --ca "$W/ca"
quiet $ACD trust export --data-dir "$W/authority" --out "$W/trust.acd" \
  --party "$W/bank" --party "$W/bank2" --party "$W/archive" --party "$W/merchant"
$ACD wallet init --json --data-dir "$W/wallet" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" >"$W/wallet.json"
alice=$(field accountKey "$W/wallet.json") shop=$(field key "$W/merchant/identity.json")
first=$(field key "$W/bank/identity.json") second=$(field key "$W/bank2/identity.json")
for bank in bank bank2; do
  quiet $ACD bank account open alice --data-dir "$W/$bank" --key "$alice"
  quiet $ACD bank account deposit alice EUR:20.00 --reference first --data-dir "$W/$bank"
done
quiet $ACD bank account open shop --merchant --data-dir "$W/bank2" --key "$shop"
quiet $ACD merchant offer add "$in/goods.bin" --price EUR:1.25 --description "sold across banks" \
  --protocol core joint compact --data-dir "$W/merchant"

one() { $ACD bank "$@" --data-dir "$W/bank"; }
two() { $ACD bank "$@" --data-dir "$W/bank2"; }
start2() { $ACD bank serve --data-dir "$W/bank2" --trust "$W/trust.acd" >>"$W/bank2.log" 2>&1 & PIDS[bank2]=$!; }
up2() { for _ in $(seq 100); do curl -fs --cacert "$W/ca/ca.pem" "$(field url "$W/bank2/identity.json")/healthz" >/dev/null && break; sleep 0.05; done; }
owed() { $ACD bank clearing --json --data-dir "$W/$1" | json 'v[0]["owed"]'; }
bought() {
  expect 0 wallet buy goods.bin --yes -o "$W/out.bin" "$@"
  cmp -s "$W/out.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm "$W/out.bin"
  n=$(newest transaction)
}

start_all; start2; up2
expect 0 wallet withdraw EUR:10.00 --bank "First Bank"

echo "banks.sh: without clearing nothing is locked for a merchant whose account is elsewhere"
expect 2 wallet buy goods.bin --yes
grep -q noSuchAccount "$W/err" || fail "the refusal does not say why: $(cat "$W/err")"
expect 0 one clearing open "$W/bank2" --limit EUR:0.00
expect 0 two clearing open "$W/bank" --limit EUR:5.00

echo "banks.sh: the value goes to the merchant's bank, in core and joint sales"
bought; until_is credited sale "$n" phase
bought --protocol joint; until_is credited sale "$n" phase
[ "$(owed bank)" = 250 ] && [ "$(owed bank2)" = -250 ] || fail "owed: $(owed bank) and $(owed bank2)"
expect 0 two account statement shop
grep -q 'balance EUR:2.50' "$W/out" || fail "the shop has: $(tail -1 "$W/out")"
expect 0 one books; expect 0 two books

echo "banks.sh: evidence of the transfer clears the first bank"
until_is True eval '$ACD bank evidence export "$shop" "$n" --out "$W/one.ev" --json --data-dir "$W/bank" | json "\"BT2\" in v[\"labels\"]"'
expect 0 $ACD merchant evidence export "$n" --out "$W/merchant.ev" --data-dir "$W/merchant"
expect 0 $ACD judge "$W/one.ev" --trust "$W/trust.acd" --heard "First Bank"
if without acd-bt2 "$W/one.ev" "$W/silent.ev"; then
  # It did what it has to: the merchant's own bank owes the credit.
  says undecided not-credited "$W/silent.ev" --heard "First Bank"
  says "convicted bank" not-credited "$W/silent.ev" --heard "Second Bank"
fi

echo "banks.sh: the merchant's bank is away, then the customer's is killed"
stop bank2
bought
[ "$(sale "$n" phase)" = committed ] || fail "the sale is $(sale "$n" phase) without the merchant's bank"
kill_hard bank; start bank; started
start2; up2
until_is credited sale "$n" phase
[ "$(owed bank)" = 375 ] && [ "$(owed bank2)" = -375 ] || fail "owed: $(owed bank) and $(owed bank2)"

echo "banks.sh: over the limit nothing is credited until it is settled"
bought; until_is credited sale "$n" phase
bought
sleep 1
[ "$(sale "$n" phase)" = committed ] || fail "beyond the limit the sale is $(sale "$n" phase)"
[ "$(owed bank)" = 625 ] && [ "$(owed bank2)" = -500 ] || fail "owed: $(owed bank) and $(owed bank2)"
for _ in 1 2; do
  expect 0 one clearing settle "$second" EUR:5.00 --reference march
  expect 0 two clearing settle "$first" EUR:5.00 --reference march --received
done
# The transfer is sent again every minute; a restart of the sender does not wait for that.
stop bank
python3 - "$W/bank/store.sqlite" <<'PY'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("UPDATE machines SET due = 1 WHERE kind = 'transfer' AND due IS NOT NULL")
base.commit()
PY
start bank; started
until_is credited sale "$n" phase
[ "$(owed bank)" = 125 ] && [ "$(owed bank2)" = -125 ] || fail "owed: $(owed bank) and $(owed bank2)"

echo "banks.sh: a refund comes from the merchant's bank, in its own tokens, and is found again"
expect 0 wallet refund "$(newest number)" --amount EUR:0.25
expect 0 $ACD merchant refunds approve "$($ACD merchant refunds --json --data-dir "$W/merchant" | json 'v[-1]["id"]')" --data-dir "$W/merchant"
expect 0 wallet resume
[ -z "$(wallet refund "$(newest number)" --amount EUR:9.00 2>&1 >/dev/null | grep unknownTransaction)" ] || fail "the refund is unknown"
expect 0 two account statement shop
grep -q 'refund' "$W/out" || fail "the shop's account shows no refund: $(cat "$W/out")"
expect 0 wallet evidence export "$(newest number)" --out "$W/refund.ev"
says no-fault refund-withheld "$W/refund.ev" --heard "Second Bank"
if without acd-rf3 "$W/refund.ev" "$W/norefund.ev"; then
  # It owes nothing of what it was not paid: the merchant shows its Credit.
  says undecided refund-withheld "$W/norefund.ev" --heard "Second Bank"
  expect 0 $ACD merchant evidence export "$n" --out "$W/credited.ev" --data-dir "$W/merchant"
  without acd-rf3 "$W/credited.ev" "$W/paid.ev"
  says "convicted bank" refund-withheld "$W/norefund.ev" "$W/paid.ev" --heard "Second Bank"
  expect 0 $ACD hear "$W/norefund.ev" --party "Second Bank" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --out "$W/heard.acd"
  says no-fault refund-withheld "$W/norefund.ev" "$W/paid.ev" "$W/heard.acd" --heard "Second Bank"
fi

echo "banks.sh: tokens of the merchant's own bank, compactly, and both banks' tokens restored"
expect 0 wallet withdraw EUR:5.00 --bank "Second Bank"
bought --protocol compact; until_is credited sale "$n" phase
bought --bank "Second Bank"; until_is credited sale "$n" phase
[ "$(owed bank)" = 125 ] || fail "a local sale went through clearing"

echo "banks.sh: tokens that the first bank issued are used at the second, which claims them"
for _ in 1 2; do bought --bank "Second Bank"; until_is credited sale "$n" phase; done
expect 0 wallet withdraw EUR:3.00 --bank "First Bank" --usable-at "Second Bank"
bought --bank "Second Bank"; until_is credited sale "$n" phase
until_is 250 owed bank
[ "$(owed bank2)" = -250 ] || fail "owed: $(owed bank2)"
issued=$n
until_is True eval '$ACD bank evidence export "$shop" "$issued" --out "$W/two.ev" --json --data-dir "$W/bank2" | json "\"BT4\" in v[\"labels\"]"'
says no-fault claim-withheld "$W/two.ev" --heard "First Bank"
if without acd-bt4 "$W/two.ev" "$W/withheld.ev"; then
  says "convicted bank" claim-withheld "$W/withheld.ev" --heard "First Bank"
  expect 0 $ACD hear "$W/withheld.ev" --party "First Bank" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --out "$W/heard.acd"
  says no-fault claim-withheld "$W/withheld.ev" "$W/heard.acd" --heard "First Bank"
fi

echo "banks.sh: the issuer is away, and the bank where they are usable is killed"
stop bank
bought --protocol joint --bank "Second Bank"; until_is credited sale "$n" phase
kill_hard bank2; start2; up2
start bank; started
until_is 375 owed bank
expect 0 wallet withdraw EUR:1.00 --bank "First Bank" --usable-at "Second Bank"
expect 0 two clearing open "$W/bank" --limit EUR:6.00
expect 0 wallet exchange --all --bank "Second Bank"
until_is -525 owed bank2; until_is 525 owed bank
echo "banks.sh: beyond the limit nothing is locked, and the rest of the tokens stays with the wallet"
expect 0 two clearing open "$W/bank" --limit EUR:5.30
expect 0 wallet withdraw EUR:1.00 --bank "First Bank" --usable-at "Second Bank"
expect 2 wallet exchange --all --bank "Second Bank"
grep -q 'settle first\|owes this bank too much' "$W/err" || fail "the refusal does not say why: $(cat "$W/err")"
expect 0 one books; expect 0 two books
before=$(wallet balance --json | json 'v[0]["available"]')
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
after=$($ACD wallet balance --json --data-dir "$W/restored" | json 'v[0]["available"]')
[ "$before" = "$after" ] || fail "restored $after instead of $before"
stop_all
expect 0 one books; expect 0 two books
echo "banks.sh: passed"
