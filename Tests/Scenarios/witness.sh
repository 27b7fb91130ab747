#!/usr/bin/env bash
# An archive that does not answer, over real services with three witnesses: dead, then withholding (it takes connections and
# says nothing). Merchant, customer and bank have it asked; `acd judge` convicts it, and not without a quorum or a hearing.
# After the lifetime the witnesses' abort gives the money back. An archive that was only slow or away is not convicted.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/witness-in
in=$PWD/build/scenarios/witness-in
head -c 50000 /dev/urandom >"$in/first.bin"
WITNESSES=3 TRUST_OPTIONS="--answer 2 --lifetime 60" world build/scenarios/witness "$in/first.bin"
shop=$(field key "$W/merchant/identity.json")
judge() { $ACD judge "$@" --trust "$W/trust.acd"; }
merchant() { $ACD merchant "$@" --data-dir "$W/merchant"; }
bank() { $ACD bank "$@" --data-dir "$W/bank"; }
stop() { kill "${PIDS[$1]}"; wait "${PIDS[$1]}" 2>/dev/null || true; unset "PIDS[$1]"; }
json() { python3 -c "import json,sys; v=json.load(sys.stdin); print($1)"; }
newest() { wallet list --json | json "v[-1]['$1']"; }
sale() { merchant sales --json | json "next((s.get('$2') for s in v if s['n'] == '$1'), None)"; }
locked() { bank books --json | json 'v["locked"]'; }
purse() { wallet balance --json | json '[(b["available"], b["held"]) for b in v]'; }
finding() {
  local dispute=$1 got=0; shift
  judge "$@" --json >"$W/json" || got=$?
  python3 -c 'import json,sys
print(*sorted(v["finding"] + (" " + v["against"]["role"] if "against" in v else "")
        for v in json.load(open(sys.argv[2]))["verdicts"] if v["dispute"] == sys.argv[1]))' "$dispute" "$W/json"
}
says() {
  local want=$1; shift
  local got; got=$(finding "$@")
  [ "$got" = "$want" ] || fail "the judge says '$got' instead of '$want': $*"
}
until_is() {
  local want=$1 got=; shift
  for _ in $(seq 150); do
    got=$("$@" 2>/dev/null) || true
    [ "$got" = "$want" ] && return
    sleep 0.1
  done
  fail "$* stays at '$got' instead of '$want'"
}
until_time() { while [ "$(date +%s)" -lt "$1" ]; do sleep 0.2; done; }
# begun EXPIRATION: a purchase that is with the archive; the wallet is gone then. Sets n, number and end.
begun() {
  $ACD wallet buy first.bin --yes --expiration "$1" -o "$W/goods.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  until_is submitted last
  until_is 125 locked
  kill -9 $buyer; wait $buyer 2>/dev/null || true
  n=$(newest transaction); number=$(newest number); end=$(sale "$n" expiration)
}
last() { merchant sales --json | json 'v[-1]["phase"]'; }
silent() { [ "$(grep -c 'NO ANSWER from the archive' "$W/out")" = "$1" ] || fail "not $1 silences: $(cat "$W/out")"; }

start bank; start archive; start merchant --expiration 30
for number in 1 2 3; do start "witness$number"; done
started bank archive merchant witness1 witness2 witness3
expect 0 wallet withdraw EUR:10.00
before=$(purse)

echo "witness.sh: the archive is dead"
stop archive
begun 20
expect 0 merchant witness ask "$n"
silent 3
expect 1 wallet witness ask "$number"
grep -q 'may still commit' "$W/err" || fail "the abort is not due yet, and this does not say so"
expect 0 wallet witness ask "$number" --for status
silent 3
expect 1 wallet witness abort "$number"
expect 5 merchant witness ask 00000000000000000000000000000000
expect 5 wallet witness ask "$number" --for status --witness nobody
until_time "$end"

echo "witness.sh: a witness is killed while it waits, and starts again from its store"
$ACD wallet witness ask "$number" --data-dir "$W/wallet" >"$W/ask.log" 2>&1 & asker=$!
sleep 1
kill -9 "${PIDS[witness1]}"; wait "${PIDS[witness1]}" 2>/dev/null || true
again=$(date +%s)
start witness1; started witness1
wait $asker || true
expect 0 wallet witness ask "$number" --json
python3 - "$W/out" "$again" <<'PY'
import json, sys
reports = {r["witness"]: r for r in json.load(open(sys.argv[1]))}
assert set(reports) == {"witness1", "witness2", "witness3"}, reports
for report in reports.values():
    assert "answer" not in report and report["waitedUntil"] >= report["sentAt"] + 2, report
assert reports["witness1"]["sentAt"] >= int(sys.argv[2]), "the killed witness certifies a time in which it was not there"
PY
expect 0 bank witness ask "$shop" "$n"
silent 3

echo "witness.sh: the judge convicts the archive, by a quorum and after hearing it"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 wallet evidence export "$number" --out "$W/wallet.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
submission=("$W/merchant.ev" "$W/merchant.ev.sealed" "$W/merchant.ev.seed")
expect 6 judge "$W/wallet.ev" --heard archive
grep -q 'AT FAULT, the archive archive: neither commit nor abort was published' "$W/out" || fail "$(cat "$W/out")"
says "convicted archive" key-leaked "${submission[@]}" --heard archive
says "convicted archive" neither-outcome "$W/bank.ev" --heard archive
says undecided key-leaked "${submission[@]}"
expect 7 judge "$W/wallet.ev"
# The sealed submission without its seed shows nothing.
says "" key-leaked "${submission[@]:0:2}" --heard archive
[ "$(purse)" != "$before" ] || fail "nothing is locked: this check is worth nothing"

echo "witness.sh: after the lifetime the witnesses' abort gives the money back"
until_time "$($ACD decode "$W/wallet.ev" --json | json 'next(m["fields"]["lifetime"] for m in v["fields"]["messages"] if m["label"] == "P3")')"
stop witness2; stop witness3
expect 2 wallet witness abort "$number"
[ "$(locked)" = 125 ] || fail "one witness of three unlocked money"
start witness2; started witness2
expect 0 wallet witness abort "$number"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ "$(purse)" = "$before" ] || fail "the wallet had $before and has $(purse)"
[ "$(locked)" = 0 ] || fail "something is still locked"
expect 0 bank books
expect 0 wallet witness ask "$number" --witness witness1
start witness3; started witness3
expect 0 bank evidence export "$shop" "$n" --out "$W/bank2.ev"
$ACD decode "$W/bank2.ev" --json | json '[m["label"] for m in v["fields"]["messages"]]' | grep -q P5c || fail "no P5c in the bank's evidence"
expect 0 merchant witness abort "$n"
until_is aborted sale "$n" phase

echo "witness.sh: an archive that withholds its answer, and gives it in time after all, is not convicted"
start archive; started archive
stop merchant; start merchant --expiration 300; started merchant
kill -STOP "${PIDS[archive]}"
begun 120
expect 0 merchant witness ask "$n"
silent 3
kill -CONT "${PIDS[archive]}"
until_is credited sale "$n" phase
expect 0 wallet resume
cmp -s "$W/goods.bin" "$in/first.bin" || fail "the goods arrived changed"
expect 0 merchant evidence export "$n" --out "$W/slow.ev"
expect 0 judge "$W/slow.ev" "$W/slow.ev.sealed" "$W/slow.ev.seed" --heard archive
says no-fault neither-outcome "$W/slow.ev" "$W/slow.ev.sealed" "$W/slow.ev.seed" --heard archive
says no-fault key-leaked "$W/slow.ev" "$W/slow.ev.sealed" "$W/slow.ev.seed" --heard archive
expect 0 wallet witness ask "$number" --for status
[ "$(grep -c 'the archive answered: Status' "$W/out")" = 3 ] || fail "the archive answers now: $(cat "$W/out")"

echo "witness.sh: an archive that was away at the expiration, and aborts when it is back, is not convicted"
rm -f "$W/goods.bin"
before=$(purse)
stop archive
begun 10
until_time "$end"
expect 0 wallet witness ask "$number"
silent 3
expect 0 wallet evidence export "$number" --out "$W/away.ev"
says "convicted archive" neither-outcome "$W/away.ev" --heard archive
start archive; started archive
expect 0 wallet resume
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ "$(purse)" = "$before" ] || fail "the wallet had $before and has $(purse)"
expect 0 wallet evidence export "$number" --out "$W/back.ev"
expect 0 judge "$W/back.ev" --heard archive
# The bank is asked about the tokens, and its word goes with the evidence.
$ACD decode "$W/back.ev" --json | json '[m["label"] for m in v["fields"]["messages"]]' | grep -q "Status" ||
  fail "the bank's answers are not in the evidence"
says no-fault neither-outcome "$W/back.ev" --heard archive
stop_all
expect 0 bank books
echo "witness.sh: passed"
