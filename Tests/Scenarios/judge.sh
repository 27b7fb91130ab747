#!/usr/bin/env bash
# Disputes, as the parties hand them to a judge: evidence exported from wallet, merchant and bank, running or not, and
# `acd judge` on it. An honest sale convicts nobody; an unheard bank is not convicted; a bank's evidence clears it; a
# changed file counts for nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/judge-in
in=build/scenarios/judge-in
head -c 50000 /dev/urandom >"$in/first.bin"
head -c 50000 /dev/urandom >"$in/second.bin"
world build/scenarios/judge "$in/first.bin" "$in/second.bin"

start_all
expect 0 wallet withdraw EUR:5.00
expect 0 wallet buy first.bin --yes --two-sided -o "$W/first.bin"
expect 0 wallet buy second.bin --yes -o "$W/second.bin"
n=$(wallet status 0 --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["transaction"])')
shop=$(field key "$W/merchant/identity.json")
for _ in $(seq 100); do
  merchant sales | grep -q "^$n  credited" && break
  sleep 0.1
done

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

echo "judge.sh: the one-sided sale, and the parties stopped"
stop_all
n=$(wallet status 1 --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["transaction"])')
expect 0 merchant evidence export "$n" --out "$W/merchant2.ev"
lock=$($ACD decode "$W/merchant2.ev" --json | python3 -c 'import json,sys
print(next(m["hash"] for m in json.load(sys.stdin)["fields"]["messages"] if m["label"] == "P3"))')
expect 0 bank evidence export "$lock" --out "$W/bank2.ev"
expect 0 wallet evidence export 1 --out "$W/wallet2.ev"
expect 0 judge "$W/merchant2.ev" "$W/bank2.ev" "$W/wallet2.ev" --heard bank
grep -q "NO FAULT" "$W/out" || fail "a good sale: $(cat "$W/out")"
says "" delivered-this "$W/merchant2.ev" "$W/bank2.ev" "$W/wallet2.ev"

echo "judge.sh: changed evidence counts for nothing"
python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[20000] ^= 1; open(sys.argv[2], "wb").write(b)' "$goods" "$W/changed.sealed"
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
