#!/usr/bin/env bash
# A parcel from the shop to the customer's hand, over real services and a real PC/SC stack with acd-card in the reader: bought
# with the card, collected at a kiosk that is offline, refused the second time, synced, proven to the merchant, judged. Then
# without a card, refusals, two PCs of one office at once, two offices with one label, kill -9 at every step of a visit, a
# full disk, a damaged journal, a month offline, and what must stand in no file. `delivery.sh story`: the first part alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/card_rig.sh
enter_rig "$0" "$@"
. Tests/Scenarios/lib.sh
trap 'stop_all; end_reader' EXIT
story=${1:-}
mkdir -p build/scenarios/delivery-in
in=$PWD/build/scenarios/delivery-in
printf 'Packing slip: one teapot, blue.\n' >"$in/teapot.txt"
MORE=()
more_parties() {
  $KIOSK init --name "Post office Mitte" --data-dir "$W/mitte" >/dev/null
  $KIOSK init --name "Post office Nord" --data-dir "$W/nord" >/dev/null
  MORE=(mitte nord)
}
world build/scenarios/delivery
tell() { echo "delivery.sh: $*"; }
says() { grep -q -- "$1" "$W/err" "$W/out" || fail "does not say '$1': $(cat "$W/err" "$W/out")"; }
mitte() { $KIOSK "$@" --data-dir "$W/mitte" --language en; }
nord() { $KIOSK "$@" --data-dir "$W/nord" --language en; }
is() { [ "$2" = "$3" ] || fail "$1 is '$2' instead of '$3'"; }
delivery() { merchant deliveries --json | json "next((d['$2'] for d in v if d['parcel'] == '$1'), None)"; }
# parcel_of NUMBER: the label of a purchase.
newest_parcel() { merchant deliveries --json | json 'v[-1]["parcel"]'; }
labels() { merchant deliveries --json | json '" ".join(d["parcel"] for d in v)'; }
counter=246810 payment=1357902
# new_label COMMAND...: buys, and leaves in `label` the parcel that it made.
new_label() {
  local before known; before=" $(labels) "
  "$@"
  label=
  for known in $(labels); do [[ "$before" == *" $known "* ]] || label=$known; done
  [ -n "$label" ] || fail "no parcel was made"
}
buy_teapot() { expect 0 wallet buy teapot.txt --yes -o "$W/slip.txt" "$@"; }
# arrive LABEL SHELF [KIOSK]: the parcel is on its shelf.
arrive() { expect 0 "${3:-mitte}" parcels add "$1" --shelf "$2"; }

$ACD merchant offer add "$in/teapot.txt" --price EUR:1.25 --description "A blue teapot, sent to a post office" \
  --deliver-to "$W/mitte" --deliver-to "$W/nord" --data-dir "$W/merchant" >/dev/null
start_all
start_reader "$W"
for office in mitte nord; do expect 0 $office trust add "$W/trust.acd"; done

tell "a card is made, loaded, and buys a teapot for the post office in the middle of town"
insert "$W/card.acd"
printf '%s\n' $counter $payment | $ACD wallet card init >"$W/puk"
expect 0 wallet card load EUR:5.00 <<<$payment
expect 1 wallet buy teapot.txt --yes --card <<<$payment
says 'office'
new_label buy_teapot --card --office "Post office Mitte" <<<$payment
grep -q "the receipt is on the card" "$W/out" || fail "$(cat "$W/out")"
tell "  parcel $label, paid with the card; the receipt is on it"
is "before it is sent, the parcel" "$(delivery "$label" state)" "to send"

tell "the shop announces it, sends it, and the kiosk scans it in"
expect 0 merchant parcels --office "Post office Mitte" --out "$W/parcels.acd"
expect 0 mitte parcels import "$W/parcels.acd"
says 'expected: 1'
expect 1 mitte collect --parcel "$label" --handed-over <<<$counter
says 'not-arrived'
arrive "$label" A-12
expect 1 mitte parcels add "$label" --shelf B-1
says 'known-label'

tell "at the counter, offline: first the wrong parcel, then a wrong PIN"
pause bank; pause merchant; pause archive
expect 1 mitte collect --parcel AC12345678901230 --handed-over <<<$counter
says 'wrong-parcel'
expect 1 mitte collect --parcel "$label" --handed-over <<<000000
says 'Tries left: 2'
expect 1 mitte collect --parcel "$label" --handed-over <<<$payment
says 'Tries left: 1'
tell "then the right one, the counter PIN, and the parcel is handed over"
expect 0 mitte collect --parcel "$label" --handed-over --record "$W/record.acd" <<<$counter
cp "$W/out" "$W/handed-over"
says 'YES: Handed over and recorded'
tell "a second collection is refused: at this counter, and on the office's other PC"
expect 1 mitte collect --parcel "$label" --handed-over <<<$counter
says 'handed-over-before'
go_on bank; go_on merchant; go_on archive
is "before the sync, the parcel" "$(delivery "$label" state)" "to send"

tell "online again, the kiosk tells merchant and archive"
expect 0 mitte sync --ca "$W/ca/ca.pem"
says 'synced: 3 of 3'
is "the merchant's parcel" "$(delivery "$label" state)" "handed over"
is "its proof" "$(delivery "$label" isProven)" True
merchant deliveries | sed 's/^/  /'
n=$(delivery "$label" n)
expect 0 mitte sync
says 'synced: 0 of 0'

tell "a judge, who knows nothing but public keys, reads the merchant's evidence"
expect 0 merchant evidence export "$n" --out "$W/merchant.evidence"
is "the verdict" "$(finding parcel "$W/merchant.evidence")" "claim-fails"
expect 0 mitte journal --export "$W/kiosk.evidence"
is "the verdict on the kiosk's own" "$(finding parcel "$W/kiosk.evidence" "$W/merchant.evidence")" "claim-fails"
judge "$W/merchant.evidence" | grep -A4 -i parcel | sed 's/^/  /' || true
expect 0 wallet collect "$(newest number)" --record "$W/record.acd"
says 'handedOver'
remove
[ "$story" = story ] && { tell "passed"; exit 0; }

# at_counter KIOSK NUMBER OPTION…: a visit without a card. The kiosk's challenge goes to wallet purchase NUMBER, and its answer
# back; WALLET_OPTIONS go to the wallet. Ends with the kiosk's status.
at_counter() {
  local office=$1 number=$2 got=0 challenge answer; shift 2
  rm -f "$W/keys"; mkfifo "$W/keys"
  $KIOSK collect --data-dir "$W/$office" --language en --receipt "$W/receipt-$number.acd" "$@" \
    <"$W/keys" >"$W/out" 2>"$W/err" & visit=$!
  exec 7>"$W/keys"
  for _ in $(seq 100); do grep -q '^ACDM:' "$W/out" && break; kill -0 $visit 2>/dev/null || break; sleep 0.05; done
  challenge=$(grep '^ACDM:' "$W/out" || true)
  if [ -n "$challenge" ]; then
    answer=$(wallet collect "$number" --challenge "$challenge" --json ${WALLET_OPTIONS:-} | json 'v["answer"]') || answer=none
    printf '%s\n' "$answer" >&7 || true
  fi
  exec 7>&-
  wait $visit || got=$?
  return $got
}
receipt_of() { expect 0 wallet receipt export "$1" --out "$W/receipt-$1.acd"; }
place() { $KIOSK parcels list --all --data-dir "$W/mitte" | sed -n "s/.*$1  \(IN DOUBT\|[a-zA-Z]*\)  .*/\1/p"; }
expect 0 wallet withdraw EUR:7.00

tell "without a card: a phone answers, and nobody else's does"
new_label buy_teapot --office "Post office Mitte"
one=$label first=$(newest number)
receipt_of "$first"
arrive "$one" A-1
new_label buy_teapot --office "Post office Mitte"
two=$label second=$(newest number)
receipt_of "$second"
arrive "$two" A-2
expect 1 nord collect --receipt "$W/receipt-$first.acd" --parcel "$one"
says 'other-office'
expect 1 at_counter mitte "$first" --parcel "$two" --handed-over
says 'wrong-parcel'
expect 0 at_counter mitte "$first" --parcel "$one" --handed-over
is "$one" "$(place "$one")" handedOver
tell "a code that was made before is refused"
expect 1 mitte collect --receipt "$W/receipt-$second.acd" --parcel "$two" --handed-over <<<"ACDM:6BFOXN"
is "$two" "$(place "$two")" shelved

tell "damaged: opened before both, refused with what was found, printed twice, sent back"
WALLET_OPTIONS=--damaged expect 0 at_counter mitte "$second" --parcel "$two" --refuse damaged --inventory "lid broken"
says 'Refused because of damage'
expect 0 mitte print "$two" --columns 32
says 'lid broken'
! grep -q COPY "$W/out" || fail "the first print says COPY"
expect 0 mitte print "$two" --printer "$W/paper.bin"
grep -aq 'COPY' "$W/paper.bin" || fail "the second print does not say COPY"
expect 1 mitte print "$two" --printer "$W/no/such/printer"
is "$two" "$(place "$two")" refusedDamaged
expect 0 mitte end "$two" --returned
expect 0 mitte sync
is "the merchant's $two" "$(delivery "$two" state)" returned
is "what was found in it" "$(delivery "$two" inventory)" "lid broken"
is "proof of delivery of $two" "$(delivery "$two" isProven)" False

tell "somebody else collects, with the customer's leave"
new_label buy_teapot --office "Post office Mitte"
three=$label third=$(newest number)
receipt_of "$third"
arrive "$three" A-3
friend=$(wallet pseudonym heron)
expect 0 wallet delegate "$third" --to "$friend" --out "$W/leave.acd"
as_friend() { # the friend has the receipt and the leave, and nothing else
  local got=0
  rm -f "$W/keys"; mkfifo "$W/keys"
  $KIOSK collect --data-dir "$W/mitte" --language en --receipt "$W/receipt-$third.acd" --parcel "$three" --handed-over "$@" \
    <"$W/keys" >"$W/out" 2>"$W/err" & visit=$!
  exec 7>"$W/keys"
  until grep -qs '^ACDM:' "$W/out"; do sleep 0.05; done
  wallet collect --receipt "$W/receipt-$third.acd" --as heron --challenge "$(grep '^ACDM:' "$W/out")" --json |
    json 'v["answer"]' >&7
  exec 7>&-
  wait $visit || got=$?
  return $got
}
expect 1 as_friend
says 'not-collector'
expect 0 as_friend --leave "$W/leave.acd"
expect 0 mitte sync
is "the merchant's $three" "$(delivery "$three" isProven)" True
expect 0 merchant evidence export "$(delivery "$three" n)" --out "$W/three.evidence"
is "the verdict" "$(finding parcel "$W/three.evidence")" "claim-fails"

tell "two PCs of the office at once: one of them hands over"
new_label buy_teapot --office "Post office Mitte"
four=$label fourth=$(newest number)
receipt_of "$fourth"
arrive "$four" A-4
for pc in 1 2; do
  rm -f "$W/keys$pc"; mkfifo "$W/keys$pc"
  $KIOSK collect --data-dir "$W/mitte" --language en --receipt "$W/receipt-$fourth.acd" --parcel "$four" --handed-over \
    <"$W/keys$pc" >"$W/out$pc" 2>"$W/err$pc" & eval "pc$pc=$!"
done
exec 7>"$W/keys1" 8>"$W/keys2"
for pc in 1 2; do
  until grep -qs '^ACDM:' "$W/out$pc"; do sleep 0.05; done
  wallet collect "$fourth" --challenge "$(grep '^ACDM:' "$W/out$pc")" --json | json 'v["answer"]' >"$W/answer$pc"
done
cat "$W/answer1" >&7; cat "$W/answer2" >&8; exec 7>&- 8>&-
released=0
for pc in pc1 pc2; do wait "${!pc}" && released=$((released + 1)) || true; done
is "hand-overs" $released 1
is "$four" "$(place "$four")" handedOver

tell "the machine is killed in the middle of visits: each parcel is in one place, and handed over once"
insert "$W/card.acd"
RANDOM=${SEED:-$$}
seed=$RANDOM RANDOM=$seed
expect 0 wallet card load EUR:5.00 <<<$payment
for point in $(seq "${POINTS:-5}"); do
  new_label buy_teapot --card --office "Post office Mitte" <<<$payment
  arrive "$label" "B-$point"
  delay=$(printf '0.%03d' $((RANDOM % 250)))
  $KIOSK collect --data-dir "$W/mitte" --parcel "$label" --handed-over <<<$counter >"$W/kill.log" 2>&1 & visit=$!
  sleep "$delay"
  kill -9 $visit 2>/dev/null || true
  wait $visit 2>/dev/null || true
  case $(place "$label") in
    shelved) in_time $KIOSK collect --data-dir "$W/mitte" --parcel "$label" --handed-over <<<$counter ;;
    "IN DOUBT")
      expect 1 mitte collect --parcel "$label" --handed-over <<<$counter
      says 'in-doubt'
      expect 0 mitte resolve "$label" --handed-over ;;
    handedOver) ;;
    *) fail "point $point, seed $seed: the parcel is $(place "$label")" ;;
  esac
  is "$label" "$(place "$label")" handedOver
  is "final records of $label" "$(mitte journal --parcel "$label" | grep -c '  final  ')" 1
done
expect 0 mitte sync
expect 0 mitte sync
says 'synced: 0 of 0'
is "parcels without proof" "$(merchant deliveries --json | json '[d["parcel"] for d in v if d["state"] == "handed over" and not d["isProven"]]')" "[]"

tell "in hand when the power went: the clerk says what became of it"
new_label buy_teapot --card --office "Post office Mitte" <<<$payment
expect 0 merchant parcels --out "$W/parcels.acd"
expect 0 mitte parcels import "$W/parcels.acd"
arrive "$label" C-1
cp -r "$W/mitte" "$W/copy"
expect 0 mitte collect --parcel "$label" --stop-in-hand <<<$counter
expect 1 mitte shift heron
says 'unresolved'
expect 0 mitte resolve "$label" --back "customer left"
is "$label" "$(place "$label")" shelved
expect 0 mitte collect --parcel "$label" --handed-over <<<$counter
remove

tell "a full disk: nothing is handed over"
mkdir -p "$W/small"
mount -t tmpfs -o size=600k none "$W/small"
cp -r "$W/copy/." "$W/small/"
cat /dev/zero >"$W/small/filler" 2>/dev/null || true
full=
for place in $(seq 200); do # what is left of the journal's last page
  $KIOSK parcels move "$label" --shelf "C-$place" --data-dir "$W/small" >/dev/null 2>&1 || { full=$?; break; }
done
is "a full disk's status" "$full" 3
insert "$W/card.acd"
expect 3 $KIOSK collect --data-dir "$W/small" --language en --parcel "$label" --handed-over <<<$counter
says 'Hand nothing over'
rm "$W/small/filler"
expect 0 $KIOSK collect --data-dir "$W/small" --language en --parcel "$label" --handed-over <<<$counter
umount "$W/small"

tell "a journal that was brought back from an old copy hears of it when it syncs"
expect 0 mitte sync
expect 0 $KIOSK sync --data-dir "$W/copy"
expect 1 $KIOSK collect --data-dir "$W/copy" --language en --parcel "$label" --handed-over <<<$counter
says 'elsewhere'
remove

tell "a damaged journal stops the kiosk, a torn end does not"
cp -r "$W/mitte/." "$W/damaged"
flip "$W/damaged/journal.acd" 400
expect 3 $KIOSK parcels list --data-dir "$W/damaged"
says 'damaged at line'
cp "$W/mitte/journal.acd" "$W/damaged/journal.acd"
truncate -s -20 "$W/damaged/journal.acd"
expect 0 $KIOSK journal --data-dir "$W/damaged"
says 'torn line'

tell "a month offline, a clock that is wrong by a day, a day's close"
new_label buy_teapot --office "Post office Mitte"
late=$(newest number)
receipt_of "$late"
expect 0 merchant parcels --out "$W/parcels.acd"
expect 0 mitte parcels import "$W/parcels.acd"
arrive "$label" D-1
now=$(date +%s)
expect 0 mitte selftest --without-reader
expect 1 mitte selftest --without-reader --at $((now - 86400))
says 'set back'
expect 0 mitte parcels list --at $((now - 86400))
says 'clock-back'
expect 1 mitte end "$label" --expired
says 'in-time'
expect 1 mitte close
says 'missing'
expect 0 mitte close "$label"
expect 0 mitte shift heron
expect 0 mitte parcels list --at $((now + 30 * 86400))
says "PULL  $label"
expect 1 mitte collect --receipt "$W/receipt-$late.acd" --parcel "$label" --at $((now + 30 * 86400))
says 'hold-over'
expect 0 mitte end "$label" --expired --at $((now + 30 * 86400))
expect 0 mitte end "$label" --returned --at $((now + 30 * 86400))

tell "a kiosk that does not know the merchant; trust lists that do not follow one another"
$KIOSK init --name "Post office West" --data-dir "$W/west" >/dev/null
expect 0 $ACD trust export --data-dir "$W/authority2" --out "$W/other.acd" --party "$W/archive" --party "$W/west"
west() { $KIOSK "$@" --data-dir "$W/west" --language en; }
expect 1 west collect --receipt "$W/receipt-$late.acd" --parcel "$label"
says 'no-trust'
expect 0 west trust add "$W/other.acd"
expect 1 west collect --receipt "$W/receipt-$late.acd" --parcel "$label"
says 'receipt-merchant-trusted'
expect 1 west trust update "$W/other.acd"
says 'not newer'
expect 1 west trust update "$W/trust.acd"
says 'no list of the authority'
expect 0 $ACD trust export --data-dir "$W/authority2" --out "$W/next.acd" --party "$W/archive" --party "$W/merchant" --party "$W/west"
expect 0 west trust update "$W/next.acd"
expect 1 west collect --receipt "$W/receipt-$late.acd" --parcel "$label"
says 'other-office'
expect 0 west trust list

tell "no PIN stands in a journal, a print, a log or what was sent"
! grep -rqaE "$counter|$payment" "$W/mitte" "$W/copy" "$W"/*.log "$W"/*.bin "$W/merchant.evidence" "$W/record.acd" ||
  fail "a PIN stands in: $(grep -rlaE "$counter|$payment" "$W/mitte" "$W/copy" "$W"/*.log "$W"/*.bin)"
expect 0 bank books
tell "passed"
