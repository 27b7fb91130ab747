#!/usr/bin/env bash
# Disputes, as the parties hand them to a judge: evidence of core and joint sales exported from wallet, merchant and bank,
# running or not, and `acd judge` on it. An honest sale convicts nobody; an unheard bank is not convicted; a bank's evidence
# clears it; a rightly refused double spend convicts nobody; a changed file counts for nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/judge-in
in=build/scenarios/judge-in
head -c 50000 /dev/urandom >"$in/first.bin"
head -c 50000 /dev/urandom >"$in/second.bin"
head -c 50000 /dev/urandom >"$in/joint.bin"
world build/scenarios/judge "$in/first.bin" "$in/second.bin"
$ACD merchant offer add "$in/joint.bin" --price EUR:1.25 --description "sold jointly" --protocol core joint \
  --data-dir "$W/merchant" >/dev/null

transaction() { wallet status "$1" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["transaction"])'; }
credited() {
  for _ in $(seq 100); do
    merchant sales | grep -q "^$1  credited" && return
    sleep 0.1
  done
  fail "sale $1 is not credited"
}

merchant_phase() { merchant sales --json | json 'v[-1]["phase"]'; }
start_all
expect 0 wallet withdraw EUR:5.00
# What has the same tokens: a wallet that was copied.
cp -r "$W/wallet" "$W/copy"
expect 0 wallet buy first.bin --yes --two-sided -o "$W/first.bin"
expect 0 wallet buy second.bin --yes -o "$W/second.bin"
n=$(transaction 0)
shop=$(field key "$W/merchant/identity.json")
credited "$n"

echo "judge.sh: evidence of a two-sided sale, from running parties"
expect 0 wallet evidence export 0 --out "$W/wallet.ev"
goods=$(sed -n 's/.*sealed goods, if they are in dispute: //p' "$W/out")
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
for file in wallet.ev merchant.ev merchant.ev.sealed merchant.ev.seed bank.ev; do
  [ "$(stat -c %a "$W/$file")" = 600 ] || fail "$file is open to others"
done
all=("$W/wallet.ev" "$W/merchant.ev" "$W/merchant.ev.sealed" "$W/merchant.ev.seed" "$W/bank.ev")
expect 0 judge "${all[@]}" "$goods" --heard bank --heard archive --heard merchant
grep -q "THE CUSTOMER'S CLAIM FAILS: exactly this was delivered" "$W/out" || fail "two-sided: $(cat "$W/out")"
grep -q "AT FAULT" "$W/out" && fail "an honest party is at fault: $(cat "$W/out")"
cp "$W/out" "$W/text"
expect 0 judge "$goods" "${all[@]}" "${all[@]}" --heard bank --heard archive --heard merchant
cmp -s "$W/out" "$W/text" || fail "order and duplicates make a difference"
says claim-fails delivered-this "${all[@]}"
says no-fault bad-goods "${all[@]}" "$goods"
says no-fault value-taken "${all[@]}"
says no-fault not-credited "${all[@]}"

echo "judge.sh: what a party keeps back convicts nobody"
says undecided not-credited "$W/wallet.ev"
says "convicted bank" not-credited "$W/wallet.ev" --heard bank
expect 6 judge "$W/wallet.ev" --heard bank
says no-fault not-credited "$W/wallet.ev" "$W/bank.ev" --heard bank

echo "judge.sh: a refused double spend convicts nobody: the refusal shows the use"
expect 2 $ACD wallet buy first.bin --yes -o "$W/copied.bin" --data-dir "$W/copy"
grep -q 'refused (spent)' "$W/err" || fail "the copied wallet is not refused: $(cat "$W/err")"
expect 0 $ACD wallet evidence export 0 --out "$W/copy.ev" --data-dir "$W/copy"
cp "$W/out" "$W/copied"
says no-fault refused-wrongly "$W/copy.ev" "$W/bank.ev"
says undecided refused-wrongly "$W/copy.ev"
# The bank is heard: it shows all that it has of these tokens, running or not, and the wallet has asked it about each.
tokens=()
for token in $(sed -n 's/^  token //p' "$W/copied"); do
  expect 0 bank evidence export --token "$token" --out "$W/token-$token.ev"
  tokens+=("$W/token-$token.ev")
done
[ ${#tokens[@]} -gt 0 ] || fail "the evidence names no tokens: $(cat "$W/copied")"
says no-fault refused-wrongly "$W/copy.ev" "${tokens[@]}" --heard bank
judge "$W/copy.ev" "${tokens[@]}" --heard bank >"$W/out" || true
grep -q "AT FAULT" "$W/out" && fail "an honest bank is at fault: $(cat "$W/out")"
grep -q "NO FAULT: value was taken without delivery" "$W/out" || fail "the tokens are not accounted for: $(cat "$W/out")"
expect 5 bank evidence export --token "$n$n" --out "$W/none.ev"
expect 64 bank evidence export --token "$n$n" "$n" --out "$W/none.ev"

echo "judge.sh: a joint sale, two-sided: the bank is its own archive"
stop archive
expect 0 wallet buy joint.bin --protocol joint --yes --two-sided -o "$W/joint.bin"
jn=$(transaction 2)
credited "$jn"
expect 0 wallet evidence export 2 --out "$W/jwallet.ev"
jgoods=$(sed -n 's/.*sealed goods, if they are in dispute: //p' "$W/out")
expect 0 merchant evidence export "$jn" --out "$W/jmerchant.ev"
expect 0 bank evidence export "$shop" "$jn" --out "$W/jbank.ev"
jlock=$($ACD decode "$W/jwallet.ev" --json | python3 -c 'import json,sys
print(next(m["hash"] for m in json.load(sys.stdin)["fields"]["messages"] if m["label"] == "JA3"))')
expect 0 bank evidence export "$jlock" --out "$W/jbank2.ev"
cmp -s "$W/jbank.ev" "$W/jbank2.ev" || fail "by L the bank exports something else than by M and n"
jall=("$W/jwallet.ev" "$W/jmerchant.ev" "$W/jmerchant.ev.sealed" "$W/jmerchant.ev.seed" "$W/jbank.ev")
expect 0 judge "${jall[@]}" "$jgoods" --heard bank --heard merchant
grep -q "AT FAULT" "$W/out" && fail "an honest party is at fault: $(cat "$W/out")"
says claim-fails delivered-this "${jall[@]}"
says no-fault bad-goods "${jall[@]}" "$jgoods"
says no-fault value-taken "${jall[@]}"
says no-fault not-credited "${jall[@]}" --heard bank
says undecided not-credited "$W/jwallet.ev"
says "convicted bank" not-credited "$W/jwallet.ev" --heard bank
says no-fault not-credited "$W/jwallet.ev" "$W/jbank.ev" --heard bank
# Evidence of the core sale beside it changes nothing of either.
says "no-fault no-fault" not-credited "${all[@]}" "${jall[@]}" --heard bank
says "" both-outcomes "${all[@]}" "${jall[@]}"
says "" locked-twice "${all[@]}" "${jall[@]}"

echo "judge.sh: the one-sided sale, and the parties stopped"
stop_all
n=$(transaction 1)
expect 0 merchant evidence export "$n" --out "$W/merchant2.ev"
lock=$($ACD decode "$W/merchant2.ev" --json | python3 -c 'import json,sys
print(next(m["hash"] for m in json.load(sys.stdin)["fields"]["messages"] if m["label"] == "P3"))')
expect 0 bank evidence export "$lock" --out "$W/bank2.ev"
expect 0 wallet evidence export 1 --out "$W/wallet2.ev"
expect 0 judge "$W/merchant2.ev" "$W/bank2.ev" "$W/wallet2.ev" --heard bank
grep -q "NO FAULT" "$W/out" || fail "a good sale: $(cat "$W/out")"
says "" delivered-this "$W/merchant2.ev" "$W/bank2.ev" "$W/wallet2.ev"

echo "judge.sh: a bank that nobody gave the record credits it when it is heard, and is not convicted"
hear() { $ACD hear "$@" --trust "$W/trust.acd" --ca "$W/ca/ca.pem"; }
start_all
pause archive
buy_in_background first.bin -o "$W/late.bin"
until_is submitted merchant_phase
kill_hard bank
go_on archive
wait $buyer || fail "not delivered without the bank: $(cat "$W/buy.log")"
stop archive; stop merchant
start bank; started
expect 0 wallet evidence export 3 --out "$W/late.ev"
says "convicted bank" not-credited "$W/late.ev" --heard bank
expect 0 hear "$W/late.ev" --party bank --out "$W/hearing.acd"
grep -q 'shown P5a: bank answers: Credit' "$W/out" || fail "the bank does not credit: $(cat "$W/out")"
says no-fault not-credited "$W/late.ev" "$W/hearing.acd" --heard bank
until_is 0 locked
expect 4 hear "$W/late.ev" --party archive --out "$W/none.acd"
expect 5 hear "$W/late.ev" --party merchant --out "$W/none.acd"
expect 5 hear "$W/trust.acd" --party bank --out "$W/none.acd"
stop_all

echo "judge.sh: changed evidence counts for nothing"
cp "$goods" "$W/changed.sealed"
flip "$W/changed.sealed" 20000
says "" bad-goods "$W/wallet.ev" "$W/changed.sealed"
grep -q "another root" "$W/json" || fail "changed goods are not named"
head -c 3000 "$W/wallet.ev" >"$W/cut.ev"
expect 7 judge "$W/cut.ev"
expect 5 wallet evidence export 9 --out "$W/none.ev"
expect 5 merchant evidence export 00000000000000000000000000000000 --out "$W/none.ev"
expect 5 bank evidence export "$shop" 00000000000000000000000000000000 --out "$W/none.ev"
expect 64 bank evidence export 12
expect 1 judge "$W/nothing.ev"
expect 64 judge "$W/wallet.ev" --heard nobody
[ ! -e "$W/none.ev" ] || fail "evidence of nothing was written"

echo "judge.sh: passed"
