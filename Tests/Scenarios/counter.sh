#!/usr/bin/env bash
# A day at the counter's screen: `acd-kiosk run` in a terminal of 80 by 24 (tmux), with a card in the reader and a scanner that
# types. What it shows is kept in build/scenarios/counter/screens; docs/KIOSK.md has them (scripts/kiosk_screens.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/card_rig.sh
[ -n "${ACD_CARD_RIG:-}" ] || scripts/setup.sh tmux >&2
enter_rig "$0" "$@"
. Tests/Scenarios/lib.sh
export LC_ALL=C.UTF-8
at() { tmux -L "acd-$$" -u -f /dev/null "$@"; }
end_all() { at kill-server 2>/dev/null || true; stop_all; end_reader; }
trap end_all EXIT
mkdir -p build/scenarios/counter-in
in=$PWD/build/scenarios/counter-in
printf 'Packing slip: one teapot, blue.\n' >"$in/teapot.txt"
MORE=()
more_parties() { $KIOSK init --name "Post office Mitte" --data-dir "$W/mitte" >/dev/null; MORE=(mitte); }
world build/scenarios/counter
mkdir -p "$W/screens"
counter=246810 payment=1357902
mitte() { $KIOSK "$@" --data-dir "$W/mitte" --language en; }
# new_parcel OPTION…: buys; `label` is its parcel, in the office on a shelf.
new_parcel() {
  local shelf=$1 before one; shift
  before=" $(merchant deliveries --json | json '" ".join(d["parcel"] for d in v)') "
  $ACD wallet buy teapot.txt --yes -o "$W/slip.txt" --data-dir "$W/wallet" "$@" >"$W/out" 2>"$W/err" || fail "$(cat "$W/err")"
  for one in $(merchant deliveries --json | json '" ".join(d["parcel"] for d in v)'); do
    [[ "$before" == *" $one "* ]] || label=$one
  done
  expect 0 mitte parcels add "$label" --shelf "$shelf"
}
# counter_opens [OPTION…]: the screen is there.
counter_opens() {
  at new-session -d -x 80 -y 24 "NO_COLOR=${NO_COLOR-1} $PWD/$KIOSK run --data-dir $PWD/$W/mitte $* 2>$PWD/$W/run.err"
  at set-option -g status off
}
shows() {
  for _ in $(seq 100); do
    at capture-pane -p >"$W/screen" 2>/dev/null || true
    grep -q -- "$1" "$W/screen" && return
    sleep 0.1
  done
  fail "the screen does not say '$1': $(cat "$W/screen" "$W/run.err")"
}
# keep NAME WORDS: the screen that says this, as NAME.
keep() {
  shows "$2"
  cp "$W/screen" "$W/screens/$1.txt"
  [ "$(wc -L <"$W/screen")" -le 80 ] && [ "$(wc -l <"$W/screen")" -le 24 ] || fail "$1 does not fit"
}
types() { at send-keys -l "$1"; at send-keys Enter; }
# scans TEXT: all at once, as a scanner does it.
scans() { printf '%s\r' "$1" >"$W/scan"; at load-buffer "$W/scan"; at paste-buffer; }
key() { at send-keys "${1:-Space}"; }

$ACD merchant offer add "$in/teapot.txt" --price EUR:1.25 --description "A blue teapot" --deliver-to "$W/mitte" \
  --data-dir "$W/merchant" >/dev/null
start_all
start_reader "$W"
expect 0 mitte trust add "$W/trust.acd"
expect 0 mitte shift heron
insert "$W/card.acd"
printf '%s\n' $counter $payment | $ACD wallet card init >"$W/puk"
expect 0 wallet card load EUR:5.00 <<<$payment
new_parcel A-12 --card <<<$payment
first=$label
remove

echo "counter.sh: a visit with a card"
: >"$W/paper.bin"
counter_opens --printer "$PWD/$W/paper.bin"
keep waiting 'Ready'
insert "$W/card.acd"
keep fetch 'Paid: fetch the parcel'
scans AC12345678901230
keep wrong-parcel 'STOP: this is the wrong parcel'
scans "$first"
shows 'Ignored'
cp "$W/screen" "$W/screens/ignored.txt"
key
shows 'Ready'
remove
sleep 2
insert "$W/card.acd"
shows 'Paid: fetch the parcel'
scans "$first"
keep pin 'enters the COUNTER PIN'
types 000000
keep wrong-pin 'Wrong counter PIN'
key
shows 'enters the COUNTER PIN'
at send-keys -l 2468
sleep 0.5
at capture-pane -p | grep -q '\*\*\*\*' || fail "what is typed of the PIN is not shown as stars"
! at capture-pane -p | grep -q 2468 || fail "a PIN is shown"
types 10
keep hand-over 'HAND THE PARCEL OVER'
key Enter
keep handed-over 'Handed over and recorded'
key p
shows 'Printed'
[ -s "$W/paper.bin" ] || fail "nothing was printed"
remove
sleep 2
insert "$W/card.acd"
shows 'Ignored'
key
shows 'Ready'
remove
sleep 2
insert "$W/card.acd"
keep collected-before 'Collected or ended before'
remove
key
types q
sleep 1
at has-session 2>/dev/null && fail "Q does not end it"

echo "counter.sh: a phone, damage, a month later, after a crash; in German and French, in plain lines"
expect 0 wallet withdraw EUR:5.00
new_parcel B-3
number=$(newest number)
expect 0 wallet receipt export "$number" --out "$W/receipt.acd"
# codes FILE: what a scanner types of the receipt's QR codes.
codes() { python3 - "$1" <<'PY'
import hashlib, sys
data = open(sys.argv[1], "rb").read()
alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
def base45(part):
    out = ""
    for i in range(0, len(part), 2):
        pair = part[i:i + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            out += alphabet[value % 45]
            value //= 45
    return out
count = -(-len(data) // 700)
name = hashlib.sha256(data).hexdigest()[:8].upper()
for i in range(1, count + 1):
    part = data[(i - 1) * len(data) // count:i * len(data) // count]
    print("ACD1:" + base45(part) if count == 1 else f"ACD1/{i}/{count}/{name}:" + base45(part))
PY
}
codes "$W/receipt.acd" >"$W/codes"
counter_opens --challenge-png "$PWD/$W/challenge.png"
shows 'Ready'
while read -r code; do scans "$code"; sleep 0.4; done <"$W/codes"
shows 'Paid: fetch the parcel'
types 'd lid broken'
sleep 0.3
scans "$label"
shows 'without a card\|Without a card'
in_time test -s "$W/challenge.png" # for the customers' display
key
key Enter
shows 'Ready'
types q
sleep 0.5
for language in de fr; do
  counter_opens --language $language
  keep "waiting-$language" "$([ $language = de ] && echo Bereit || echo Prêt)"
  scans RR473124820DE
  keep "bad-label-$language" 'bad-label'
  key
  types q
  sleep 0.5
done
expect 1 mitte collect --receipt "$W/receipt.acd" --parcel "$label" </dev/null
counter_opens --at $(($(date +%s) + 30 * 86400))
shows 'Ready'
while read -r code; do scans "$code"; sleep 0.4; done <"$W/codes"
keep hold-over 'The time to collect is over'
key
types q
sleep 0.5
counter_opens --plain
shows 'Ready'
types q
[ ! -s "$W/run.err" ] || fail "$(cat "$W/run.err")"
echo "counter.sh: passed"
