#!/usr/bin/env bash
# Repeated transactions (FIG. 8) over real services, in the long and the short form: one lock, several purchases, one
# record, the rest of the budget back. Ended by the customer, by time, by the operator; forced, with the goods and the key
# before them from the archive; goods that the archive refuses; abort; services and wallet killed in the middle; a restored
# wallet; what a judge says.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/repeated-in
in=$PWD/build/scenarios/repeated-in
head -c 60000 /dev/urandom >"$in/first.bin"
head -c 50000 /dev/urandom >"$in/second.bin"
head -c 40000 /dev/urandom >"$in/third.bin"
head -c 1000 /dev/urandom >"$in/core.bin"
world build/scenarios/repeated "$in/core.bin"
for offer in first.bin:1.25 second.bin:0.50 third.bin:0.30; do
  merchant offer add "$in/${offer%:*}" --price "EUR:${offer#*:}" --description "${offer%:*}, in a series" --protocol repeated >/dev/null
done
shop=$(field key "$W/merchant/identity.json")
earned() { bank account statement shop | sed -n 's/^balance //p'; }
same() { cmp -s "$1" "$in/$2" || fail "$2 arrived changed"; rm "$1"; }
series() { wallet status "$(newest number)" | grep ' left: '; }
# begin ARGUMENT...: a series of first.bin under EUR:3.00; `n` is the sale, `number` the purchase.
begin() {
  expect 0 wallet buy first.bin --yes --budget EUR:3.00 -o "$W/first.bin" "$@"
  number=$(newest number) n=$(newest transaction)
  [ "$(newest phase)" = locked ] || fail "the series is $(newest phase), not open"
  [ "$(locked)" = 300 ] || fail "locked $(locked) instead of the budget"
  same "$W/first.bin" first.bin
}
# ended CENTS: paid this much for the series, and nothing is locked any more.
ended() {
  [ "$(newest phase)" = delivered ] || fail "series $(newest number) is $(newest phase)"
  until_is 0 locked
  spent=$((spent + $1))
  until_is "EUR:$((spent / 100)).$(printf %02d $((spent % 100)))" earned
  [ "$(purse)" = "$(printf "[('EUR:%d.%02d', 'EUR:0.00')]" $(((funds - spent) / 100)) $(((funds - spent) % 100)))" ] ||
    fail "the wallet has $(purse) after $spent cents"
  expect 0 bank books
}
spent=0 funds=3500

bank account deposit alice EUR:20.00 --reference second >/dev/null
start_all
expect 0 wallet withdraw EUR:35.00
for form in repeated repeated-short; do
  echo "repeated.sh: three purchases and the end ($form)"
  begin --protocol $form
  expect 0 wallet again "$number" second.bin --yes -o "$W/second.bin"
  # In the short form the key comes with the next purchase, or at the end.
  if [ $form = repeated ]; then same "$W/second.bin" second.bin; else [ ! -e "$W/second.bin" ] || fail "a key without R7"; fi
  expect 0 wallet again "$number" third.bin --yes -o "$W/third.bin"
  if [ $form = repeated ]; then same "$W/third.bin" third.bin; else same "$W/second.bin" second.bin; fi
  [ "$(locked)" = 300 ] || fail "the bank was asked in between"
  expect 1 wallet again "$number" first.bin --yes
  grep -q 'the budget has EUR:0.95 left' "$W/err" || fail "the budget is not named: $(cat "$W/err")"
  expect 5 wallet again "$number" nothing.bin --yes
  expect 0 wallet finish "$number"
  [ $form = repeated ] || same "$W/third.bin" third.bin
  ended 205
  expect 1 wallet again "$number" second.bin --yes
  until_is credited sale "$n" phase
  expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
  expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
  expect 0 wallet evidence export "$number" --out "$W/wallet.ev"
  all=("$W/merchant.ev" "$W/bank.ev" "$W/wallet.ev")
  goods=$(sed -n 's/.*sealed goods, if they are in dispute: //p' "$W/out" | tr '\n' ' ')
  says no-fault not-credited "${all[@]}" --heard bank
  says no-fault value-taken "${all[@]}"
  says "claim-fails claim-fails" delivered-this "${all[@]}"
  says "no-fault no-fault no-fault" bad-goods "${all[@]}" $goods
done

echo "repeated.sh: the first purchase alone, under a budget of just that"
expect 0 wallet buy first.bin --protocol repeated --yes -o "$W/first.bin"
[ "$(locked)" = 125 ] || fail "locked $(locked) instead of the price"
expect 0 wallet finish "$(newest number)"
same "$W/first.bin" first.bin
ended 125

echo "repeated.sh: nobody says that it is over: the merchant archives in time"
begin --protocol repeated --expiration 10
expect 0 wallet again "$number" second.bin --yes -o "$W/second.bin"
same "$W/second.bin" second.bin
until_is credited sale "$n" phase
expect 0 wallet resume
ended 175

echo "repeated.sh: what is not sold so, or budgets that do not fit, are refused before anything is paid"
expect 1 wallet buy core.bin --protocol repeated --yes
expect 1 wallet buy first.bin --protocol repeated --budget EUR:1.00 --yes
grep -q 'nothing was paid' "$W/err" || fail "the refusal does not say that nothing was paid"

# cut_off I: asks for third.bin as purchase I, and the wallet finds no room for it: R6 is there, R7 never comes.
cut_off() {
  mkdir -p "$W/wallet/goods/$n-$1.sealed"
  expect 1 wallet again "$number" third.bin --yes -o "$W/third.bin"
  rmdir "$W/wallet/goods/$n-$1.sealed"
}

echo "repeated.sh: no R7: forced by the operator; goods and the key before them come from the archive alone (short form)"
begin --protocol repeated-short --expiration 300
expect 0 wallet again "$number" second.bin --yes -o "$W/second.bin"
cut_off 2
pause archive
expect 0 merchant finish "$n"
# Killed in the middle of the upload, both go on from their stores.
until_is forcing sale "$n" phase
kill_hard archive; kill_hard merchant
start archive; start merchant; started
until_is credited sale "$n" phase
stop merchant
expect 0 wallet resume
same "$W/third.bin" third.bin
same "$W/second.bin" second.bin
start merchant; started
ended 205
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
expect 0 wallet evidence export "$number" --out "$W/wallet.ev"
says no-fault not-credited "${all[@]}" --heard bank

echo "repeated.sh: bad goods that are forced: the archive refuses them, and the series ends with what was delivered"
begin --protocol repeated --expiration 30
cut_off 1
flip "$W/merchant/goods/$n-1" 20000
expect 0 merchant finish "$n"
for _ in 1 2 3; do
  [ "$(sale "$n" phase)" = credited ] && break
  sleep 10
done
until_is credited sale "$n" phase
grep -q 'other-goods' "$W/merchant.log" || fail "the archive did not refuse the goods: $(cat "$W/merchant.log")"
expect 0 wallet resume
ended 125
[ ! -e "$W/third.bin" ] || fail "goods that nobody could deliver are there"

echo "repeated.sh: the merchant is gone until the expiration: the money comes back"
before=$(purse)
begin --protocol repeated --expiration 15
kill_hard merchant
end=$(($(date +%s) + 15))
while [ "$(date +%s)" -le "$end" ]; do sleep 0.2; done
expect 0 wallet resume
[ "$(newest phase)" = aborted ] || fail "the series is $(newest phase), not aborted"
unharmed "$before"
start merchant; started

echo "repeated.sh: killed at random points of a series"
for point in $(seq 6); do
  form=$([ $((point % 2)) = 0 ] && echo repeated || echo repeated-short)
  begin --protocol $form
  for goods in second.bin third.bin; do
    victim=$([ $((RANDOM % 2)) = 0 ] && echo merchant || echo wallet)
    $ACD wallet again "$number" $goods --yes -o "$W/$goods" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    if [ $victim = merchant ]; then kill_hard merchant; start merchant; started; else kill -9 $buyer 2>/dev/null || true; fi
    wait $buyer 2>/dev/null || true
    wallet resume >"$W/out" 2>"$W/err" || true
  done
  kill_hard archive; start archive; kill_hard bank; start bank; started
  expect 0 wallet finish "$number"
  total=$(wallet status "$number" | sed -n 's/^  EUR:\([0-9]*\)\.\([0-9]*\) of .*/\1\2/p')
  names=$(wallet status "$number" | sed -n 's/.* left: \(.*\);.*/\1/p')
  for goods in second.bin third.bin; do
    case $names in *$goods*) same "$W/$goods" $goods ;; *) [ ! -e "$W/$goods" ] || fail "$goods is there, unpaid" ;; esac
  done
  ended $((10#$total))
done

echo "repeated.sh: the 24 words bring an open series back, and the ended ones"
begin --protocol repeated
expect 0 wallet again "$number" second.bin --yes -o "$W/second.bin"
same "$W/second.bin" second.bin
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
restored() { $ACD wallet "$@" --data-dir "$W/restored"; }
restored list --json | json 'v[-1]["phase"]' | grep -q locked || fail "the open series is not restored: $(restored list)"
expect 0 restored again "$number" third.bin --yes -o "$W/third.bin"
same "$W/third.bin" third.bin
expect 0 restored finish "$number"
cmp -s "$W/restored/goods/first.bin" "$in/first.bin" || fail "the restored first goods differ"
cmp -s "$W/restored/goods/1-second.bin" "$in/second.bin" || fail "the restored second goods differ"
wallet resume >/dev/null 2>&1 || true
until_is 0 locked
expect 0 bank books

stop_all
expect 0 bank books
echo "repeated.sh: passed"
