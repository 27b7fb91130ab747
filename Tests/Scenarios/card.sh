#!/usr/bin/env bash
# A wallet whose tokens' keys are on a card, over real services and a real PC/SC stack with acd-card in the reader: PINs, load,
# buy by every protocol that a card understands, exchange, restore. Wrong PIN, no card, another card, a blocked PIN, a new one;
# kill -9 of wallet and card. POINTS: how many kills; SEED: which.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/card_rig.sh
enter_rig "$0" "$@"
. Tests/Scenarios/lib.sh
trap 'stop_all; end_reader' EXIT
mkdir -p build/scenarios/card-in
in=$PWD/build/scenarios/card-in
head -c 30000 /dev/urandom >"$in/goods.bin"
world build/scenarios/card
$ACD merchant offer add "$in/goods.bin" --price EUR:0.75 --description "sold to a card" \
  --protocol core early joint compact announced --data-dir "$W/merchant" >/dev/null
reader() { $ACD wallet card "$@"; }
says() { grep -q "$1" "$W/err" || fail "does not say '$1': $(cat "$W/err")"; }
on_card() { wallet balance --json | json '[b["available"] for b in v if b.get("card")]'; }
tries() { reader status --json | json 'v["tries"]["payment"]'; }
one=1357902 two=5550005
# is_locked WHEN: whoever talks to the card now, without a PIN and without selecting anything, gets nothing.
is_locked() {
  local answer; answer=$(opensc-tool -s 00CA010100 2>/dev/null)
  grep -q 'SW1=0x6D, SW2=0x00' <<<"$answer" || fail "$1 leaves the card open: $answer"
}
signed() { grep -c 'signs pay' "$W/card.log" || true; }

start_all
start_reader "$W"
echo "card.sh: an empty reader, then a new card"
expect 1 reader status
says 'is empty'
insert "$W/one.acd"
is "a new card" "$(reader status --json | json 'v["isNew"]')" True
expect 1 wallet card load EUR:5.00 <<<123456
says 'card init'
expect 1 reader init <<<$'12345\n1357902'
expect 1 reader init <<<$'246810\n246810'
says 'differ'
is "the card after that" "$(reader status --json | json 'v["isNew"]')" True
puk=$(reader init --json <<<$'246810\n'$one | json 'v["puk"]')
is "the PUK's length" ${#puk} 12
expect 1 reader init <<<$'246810\n'$one
says 'nothing was changed'

echo "card.sh: tokens whose keys are on the card"
expect 0 wallet card load EUR:6.00 <<<$one
is "the purse on the card" "$(on_card)" "['EUR:6.00']"
expect 3 wallet buy goods.bin --yes -o "$W/out.bin"
for mode in core early joint compact; do
  expect 0 wallet buy goods.bin --yes --card --protocol $mode -o "$W/out.bin" <<<$one
  cmp -s "$W/out.bin" "$in/goods.bin" || fail "$mode: the goods arrived changed"
  rm "$W/out.bin"
done
is "the purse on the card" "$(on_card)" "['EUR:3.00']"
is_locked "a wallet that is done"
grep -q 'signs pay (P2), EUR 75' "$W/card.log" || fail "the card did not show what it signed: $(cat "$W/card.log")"
expect 1 wallet buy goods.bin --yes --card --protocol announced -o "$W/out.bin" <<<$one
says 'a card pays by'

echo "card.sh: a wrong PIN, no card, another card: nothing is paid"
before=$(purse)
expect 1 wallet buy goods.bin --yes --card -o "$W/out.bin" <<<000000
says '2 tries are left'
is "tries left" "$(tries)" 2
remove
expect 1 wallet buy goods.bin --yes --card -o "$W/out.bin" <<<$one
says 'is empty'
unharmed "$before"
insert "$W/two.acd"
reader init --json <<<$'246811\n'$two >/dev/null
expect 1 wallet buy goods.bin --yes --card -o "$W/out.bin" <<<$two
says 'right card'
unharmed "$before"
remove
is "the purchase" "$(newest phase)" checked
insert "$W/one.acd"
expect 0 wallet resume --card <<<$one
cmp -s "$W/out.bin" "$in/goods.bin" || fail "the goods of the resumed purchase arrived changed"
is "tries left" "$(tries)" 3
is "the purse on the card" "$(on_card)" "['EUR:2.25']"

echo "card.sh: the card signs an exchange; a restored wallet has its tokens again, with the card"
expect 0 wallet exchange --all --card <<<$one
is "the purse on the card" "$(on_card)" "['EUR:2.25']"
$ACD wallet backup --yes --data-dir "$W/wallet" >"$W/words"
again() {
  rm -rf "$W/wallet2"
  expect 0 $ACD wallet restore --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words" --data-dir "$W/wallet2" "$@"
}
again
says 'left out'
again --card <<<$one
is "the restored purse" "$($ACD wallet balance --json --data-dir "$W/wallet2" | json '[b["available"] for b in v if b.get("card")]')" \
  "['EUR:2.25']"

echo "card.sh: wallet and card are killed in the middle of loading and of paying"
# Afterwards what was begun is ended, no token is lost or made, and the card signed one payment for each purchase.
money() { python3 -c 'import sys; print(sum(round(float(part.split(":")[1]) * 100) for part in sys.argv[1:]))' "$@"; }
account() { bank account statement alice | tail -1 | cut -d' ' -f2; }
goes_on() {
  for _ in $(seq 40); do
    wallet resume --card <<<$one >"$W/resume.log" 2>&1 || true
    grep -q 'nothing is open' "$W/resume.log" && return
    sleep 0.25
  done
  fail "a purchase stays open: $(cat "$W/resume.log")"
}
RANDOM=${SEED:-$$}
seed=$RANDOM RANDOM=$seed
paid=0
all=$(money "$(account)" "$(wallet balance --json | json 'v[0]["available"]')")
for point in $(seq "${POINTS:-8}"); do
  doing=$((RANDOM % 2)) victim=$((RANDOM % 2)) delay=$(printf '0.%03d' $((RANDOM % 400)))
  if [ $doing = 0 ]; then
    $ACD wallet card load EUR:0.20 --data-dir "$W/wallet" <<<$one >"$W/kill.log" 2>&1 & busy=$!
  else
    $ACD wallet buy goods.bin --yes --card --expiration 5 -o "$W/killed-$point" --data-dir "$W/wallet" \
      <<<$one >"$W/kill.log" 2>&1 & busy=$!
  fi
  sleep "$delay"
  if [ $victim = 0 ]; then
    kill -9 $busy 2>/dev/null || true
  else
    kill -9 "$inserted" 2>/dev/null || true
    wait "$inserted" 2>/dev/null || true
    wait $busy 2>/dev/null || true # it has the reader for itself meanwhile
    in_time is_empty # a card that comes back before pcscd saw it go does not answer
    insert "$W/one.acd"
  fi
  wait $busy 2>/dev/null || true
  goes_on
  if [ -e "$W/killed-$point" ]; then
    cmp -s "$W/killed-$point" "$in/goods.bin" || fail "point $point, seed $seed: the goods arrived changed"
    paid=$((paid + 75))
  fi
  now=$(money "$(account)" "$(wallet balance --json | json 'v[0]["available"]')")
  [ $((now + paid)) = "$all" ] || fail "point $point, seed $seed: $all cents became $now and $paid paid"
  until_is 0 locked
done
expect 0 wallet card load EUR:1.50 <<<$one # for this purchase and the last one, whatever the others took
before=$(signed)
$ACD wallet buy goods.bin --yes --card --expiration 5 -o "$W/left.bin" --data-dir "$W/wallet" <<<$one >"$W/kill.log" 2>&1 & busy=$!
for _ in $(seq 2000); do [ "$(signed)" = "$before" ] || break; sleep 0.01; done
kill -9 $busy 2>/dev/null || true
wait $busy 2>/dev/null || true
[ "$(signed)" -gt "$before" ] || fail "the card signed nothing: $(cat "$W/kill.log")"
is_locked "a wallet that was killed"
goes_on
expect 0 bank books
echo "card.sh: ${POINTS:-8} points, seed $seed: $paid cents were paid"

echo "card.sh: a blocked PIN, the PUK, and a card that is wiped"
for left in 2 1; do
  expect 1 reader status --contents <<<000000
  says "$left tr"
done
expect 1 reader status --contents <<<000000
says 'card unblock'
expect 1 wallet buy goods.bin --yes --card -o "$W/out.bin" <<<$one
says 'blocked'
expect 1 reader unblock <<<$'111111111111\n'$two
expect 0 reader unblock <<<"$puk"$'\n'$two
expect 0 wallet buy goods.bin --yes --card -o "$W/last.bin" <<<$two
expect 1 reader wipe --yes <<<$one
expect 0 reader wipe --yes <<<$two
is "a wiped card" "$(reader status --json | json 'v["isNew"]')" True
expect 1 wallet buy goods.bin --yes --card -o "$W/none.bin" <<<$two
remove
! grep -rqE "$one|$two|$puk" "$W/wallet" "$W"/*.log || fail "a PIN or PUK stands in the wallet or in a log"
expect 0 bank books
echo "card.sh: passed"
