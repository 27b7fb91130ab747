#!/usr/bin/env bash
# Outcomes count as the archive's log shows them, over real services with three witnesses of logs: receipts carry the proof;
# without a quorum nothing commits, nobody sees a key, and all ends well when the witnesses are back; an archive that was
# restored from an old copy does not run; the judge wants the proof, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/fin-in
in=$PWD/build/scenarios/fin-in
head -c 50000 /dev/urandom >"$in/first.bin"
WITNESSES=3 TRUST_OPTIONS="--logs --checkpoint-age 3600" world build/scenarios/fin "$in/first.bin"
url=$(field url "$W/archive/identity.json")
shop=$(field key "$W/merchant/identity.json")
get() { curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca/ca.pem" "$1"; }
kiosk() { $KIOSK verify "$@" --trust "$W/trust.acd"; }
last() { merchant sales --json | json 'v[-1]["phase"]'; }

echo "fin.sh: the list demands a log, so an archive without one does not run"
expect 1 timeout 20 $ACD archive serve --data-dir "$W/archive" --trust "$W/trust.acd"
grep -q 'serve --log' "$W/err" || fail "no hint: $(cat "$W/err")"

start bank; start archive --log; start merchant
for number in 1 2 3; do start "witness$number"; done
started bank archive merchant witness1 witness2 witness3
expect 0 wallet withdraw EUR:10.00
expect 0 wallet buy first.bin --yes --two-sided -o "$W/first.bin"
cmp "$W/first.bin" "$in/first.bin"
until_is credited last

echo "fin.sh: the receipt carries the proof, and a counter wants it"
expect 0 wallet receipt export 0 --out "$W/receipt.acd"
expect 0 kiosk "$W/receipt.acd"
grep -q 'which witnesses saw' "$W/out" || fail "the report does not name the log: $(cat "$W/out")"
[ "$(stat -c %s "$W/receipt.acd")" -le 2600 ] || fail "a receipt of $(stat -c %s "$W/receipt.acd") bytes"
if [ -x build/venv/bin/python ]; then
  build/venv/bin/python - "$W/receipt.acd" "$W/bare.acd" <<'PY'
import sys
import cbor2
receipt = cbor2.loads(open(sys.argv[1], "rb").read())
del receipt[-4]
open(sys.argv[2], "wb").write(cbor2.dumps(receipt, canonical=True))
PY
  expect 1 kiosk "$W/bare.acd"
  grep -q 'log-proof' "$W/err" || fail "another check than the log's: $(cat "$W/err")"
fi

echo "fin.sh: without a quorum nothing commits, and no key is shown"
stop witness1; stop witness2
buy_in_background first.bin -o "$W/second.bin"
until_is 125 locked
sleep 3
n=$(merchant sales --json | json 'v[-1]["n"]')
[ "$(sale "$n" phase)" = submitted ] || fail "the sale is $(sale "$n" phase) without a quorum"
[ ! -e "$W/second.bin" ] || fail "the goods were opened without a quorum"
curl -fs --cacert "$W/ca/ca.pem" "$url/v1/records/$shop/$n" >"$W/record"
[ "$(stat -c %s "$W/record")" -lt 40 ] || fail "the archive shows an outcome that no quorum saw"
# It tries for ten seconds to connect.
says_why() { grep -c 'no quorum of witnesses' "$W/archive.log" | sed 's/[1-9][0-9]*/yes/'; }
until_is yes says_why

echo "fin.sh: the archive is killed meanwhile; when a quorum is back, the sale goes on by itself"
kill_hard archive
start archive; started archive
start witness1; started witness1
wait $buyer || fail "the purchase failed: $(cat "$W/buy.log")"
cmp "$W/second.bin" "$in/first.bin"
until_is credited last

echo "fin.sh: an abort counts by the log, too; P4 never reaches the archive"
stop archive; stop witness1
before=$(purse)
buy_in_background first.bin --expiration 6 -o "$W/third.bin"
until_is 125 locked
until_is submitted last
stop merchant
sleep 6
start archive; started archive
sleep 3
[ "$(locked)" = 125 ] || fail "the lock ended without a quorum"
start witness1; started witness1
wait $buyer || true
expect 0 wallet resume
start merchant; started merchant
unharmed "$before"
[ ! -e "$W/third.bin" ] || fail "goods by an abort"

echo "fin.sh: the judge wants the proof of what it counts against others"
n=$(wallet list --json | json 'v[0]["transaction"]')
expect 0 wallet evidence export 0 --out "$W/wallet.ev"
expect 0 merchant evidence export "$n" --out "$W/merchant.ev"
expect 0 bank evidence export "$shop" "$n" --out "$W/bank.ev"
for party in wallet merchant bank; do [ -s "$W/$party.ev.proof" ] || fail "$party has no proof"; done
says undecided not-credited "$W/wallet.ev" --heard bank
says "convicted bank" not-credited "$W/wallet.ev" "$W/wallet.ev.proof" --heard bank
says no-fault not-credited "$W/wallet.ev" "$W/bank.ev" "$W/bank.ev.proof" --heard bank
says claim-fails delivered-this "$W/merchant.ev" "$W/merchant.ev.proof"
says undecided delivered-this "$W/merchant.ev"

echo "fin.sh: an old copy of the archive, sound in itself, does not run: witnesses have seen more"
start witness2; started witness2
stop archive
cp -r "$W/archive" "$W/old"
start archive; started archive
expect 0 wallet buy first.bin --yes -o "$W/fourth.bin"
until_is credited last
stop archive
mv "$W/archive" "$W/new"; mv "$W/old" "$W/archive"
got=0
timeout 30 $ACD archive serve --data-dir "$W/archive" --trust "$W/trust.acd" >"$W/out" 2>"$W/err" || got=$?
[ $got -ne 0 ] && [ $got -ne 124 ] || fail "an old copy runs"
grep -q behind "$W/err" || fail "an old copy: $(cat "$W/err")"
rm -r "$W/archive"; mv "$W/new" "$W/archive"
start archive; started archive
expect 0 wallet buy first.bin --yes -o "$W/fifth.bin"
until_is credited last
expect 0 bank books
echo "fin.sh: done"
