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
  local before; before=" $(labels) "
  "$@"
  label=
  for one in $(labels); do [[ "$before" == *" $one "* ]] || label=$one; done
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
