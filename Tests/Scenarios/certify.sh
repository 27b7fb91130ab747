#!/usr/bin/env bash
# Additional certification (protocols.md section 12) over real services: an archive's checkpoint, a purchase, a sale and a
# lock are dated by a timestamp authority, `openssl ts` behind HTTP. The tokens are verified by openssl itself, by the judge and
# at a counter; whatever an authority answers wrongly is refused, and nothing is lost by it.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
command -v openssl >/dev/null || fail "openssl is missing: scripts/setup.sh installs it"
mkdir -p build/scenarios/certify-in
in=$PWD/build/scenarios/certify-in
head -c 3000 /dev/urandom >"$in/goods.bin"
tsa=$in/tsa; rm -rf "$tsa" "$in/other" "$in/web"
read -r port other < <(free_ports 2)
Tests/Scenarios/tsa.py make "$tsa"
Tests/Scenarios/tsa.py make "$in/other"
Tests/Scenarios/tsa.py make "$in/web" --usage serverAuth
WITNESSES=2 TRUST_OPTIONS="--logs --tsa $tsa/cert.pem,http://127.0.0.1:$port/" PRICE=EUR:0.10 \
  world build/scenarios/certify "$in/goods.bin"
Tests/Scenarios/tsa.py serve "$tsa" "$port" & PIDS[tsa]=$!
Tests/Scenarios/tsa.py serve "$in/other" "$other" & PIDS[other]=$!
start witness1; start witness2; started witness1 witness2
start bank; start archive --log; start merchant; started
expect 0 wallet withdraw EUR:5.00
archive() { $ACD archive "$@" --data-dir "$W/archive"; }
url=$(field url "$W/archive/identity.json")
fetch() { curl -fs --cacert "$W/ca/ca.pem" "$url/$1" -o "$2"; }
# part FILE FIELD OUT: one field of an acd-timestamp/1.
part() {
  $ACD decode "$1" --json | python3 -c 'import json,sys
value = json.load(sys.stdin)["fields"][sys.argv[1]]
sys.stdout.buffer.write(bytes.fromhex(value if isinstance(value, str) else "".join(value)))' "$2" >"$3"
}

echo "certify.sh: only a certificate for timestamps gets into a trust list"
expect 1 $ACD trust export --data-dir "$W/authority" --out "$W/x.acd" --party "$W/bank" --tsa "$in/web/cert.pem"
grep -q 'id-kp-timeStamping' "$W/err" || fail "$(cat "$W/err")"
expect 64 $ACD trust export --data-dir "$W/authority" --out "$W/x.acd" --party "$W/bank" --tsa "$tsa/cert.pem,nowhere"

echo "certify.sh: a checkpoint that the witnesses have cosigned is dated, and served beside the log"
expect 5 archive certify
for _ in 1 2 3; do expect 0 wallet buy goods.bin --yes -o "$W/out.bin"; rm "$W/out.bin"; done
number=$(newest number) n=$(newest transaction)
expect 0 archive certify --json
size=$(json 'v["size"]' <"$W/out")
[ "$size" -ge 3 ] || fail "the dated checkpoint has $size entries"
expect 0 fetch log/timestamp "$W/log.timestamp"
expect 0 fetch "log/timestamp/$size" "$W/same"; cmp "$W/log.timestamp" "$W/same"
expect 22 fetch log/timestamp/1 "$W/none"
part "$W/log.timestamp" checkpoint "$W/note"; part "$W/log.timestamp" token "$W/token"
cmp "$W/note" "$W/archive/log/checkpoint"
expect 0 openssl ts -verify -in "$W/token" -token_in -data "$W/note" -CAfile "$tsa/cert.pem" -untrusted "$tsa/cert.pem" -partial_chain
# The same checkpoint is not dated again, even where nobody could do it.
stop tsa
expect 0 archive certify --json
[ "$(json 'v["isOld"]' <"$W/out")" = True ] || fail "the same checkpoint was dated twice"

echo "certify.sh: an authority that is down costs nothing"
expect 4 wallet certify "$number"
grep -q 'no money moved' "$W/err" || fail "$(cat "$W/err")"
Tests/Scenarios/tsa.py serve "$tsa" "$port" & PIDS[tsa]=$!
sleep 0.5

echo "certify.sh: a wallet, a merchant and a bank have their evidence dated, and export it"
expect 0 wallet certify "$number"
expect 0 merchant certify "$n"
expect 0 bank certify "$(field key "$W/merchant/identity.json")" "$n"
expect 0 wallet evidence export "$number" --out "$W/w.ev"
expect 0 merchant evidence export "$n" --out "$W/m.ev"
expect 0 bank evidence export "$(field key "$W/merchant/identity.json")" "$n" --out "$W/b.ev"
for party in w m b; do
  [ -s "$W/$party.ev.timestamp" ] || fail "$party exports no timestamp"
  part "$W/$party.ev.timestamp" hashes "$W/hashes"; part "$W/$party.ev.timestamp" token "$W/token"
  expect 0 openssl ts -verify -in "$W/token" -token_in -data "$W/hashes" -CAfile "$tsa/cert.pem" -untrusted "$tsa/cert.pem" \
    -partial_chain
done

# dated FILE...: how many messages the judge takes for dated.
dated() { judge "$@" --json >"$W/json" || true; json 'len(v["dated"])' <"$W/json"; }
echo "certify.sh: the judge says by when the messages existed, and convicts nobody for it"
[ "$(dated "$W/w.ev" "$W/w.ev.timestamp")" -ge 4 ] || fail "the judge dates too little: $(cat "$W/json")"
[ "$(json 'v["convicts"]' <"$W/json")" = False ] || fail "somebody is at fault: $(cat "$W/json")"
[ "$(dated "$W/w.ev")" = 0 ] || fail "messages are dated by nobody"
cp "$W/w.ev.timestamp" "$W/bad"; flip "$W/bad" 200
[ "$(dated "$W/w.ev" "$W/bad")" = 0 ] || fail "a damaged timestamp dates"
hash=$($ACD decode "$W/w.ev" --json | python3 -c 'import json,sys
print(next(m["hash"] for m in json.load(sys.stdin)["fields"]["messages"] if m["label"] == "P5a"))')
expect 0 fetch "v1/proofs/$hash?dated=1" "$W/dated.proof"
[ "$(dated "$W/w.ev" "$W/dated.proof" "$W/log.timestamp")" -ge 2 ] || fail "the dated log dates nothing: $(cat "$W/json")"

echo "certify.sh: at a counter"
expect 0 wallet receipt export "$number" --out "$W/receipt.acd"
kiosk() { $KIOSK verify "$W/receipt.acd" --trust "$W/trust.acd" "$@"; }
expect 0 kiosk --timestamp "$W/w.ev.timestamp"
grep -q '^existed by .*tsa' "$W/out" || fail "no date on the report: $(cat "$W/out")"
expect 1 kiosk --timestamp "$W/bad" --json
[ "$(json 'v["check"]' <"$W/out")" = timestamp ] || fail "$(cat "$W/out")"

echo "certify.sh: authorities that lie"
refused() {
  local why=$1; shift
  local got=0
  wallet certify "$number" "$@" >"$W/out" 2>"$W/err" || got=$?
  [ $got = 4 ] || fail "status $got: $why"
  grep -q "$why" "$W/err" || fail "$why: $(cat "$W/err")"
}
for lie in 'other-imprint message imprint mismatch' 'other-nonce nonce mismatch' 'truncated this is no answer' \
  'error HTTP status 500' 'huge more than an answer can be'; do
  echo "${lie%% *}" >"$tsa/lie"
  refused "${lie#* }"
done
rm "$tsa/lie"
refused 'does not hold' --tsa "http://127.0.0.1:$other/"
expect 0 wallet evidence export "$number" --out "$W/again.ev"
[ ! -e "$W/again.ev.timestamp-2" ] || fail "a wrong answer was kept"
expect 0 wallet certify "$number" --tsa "http://127.0.0.1:$port/"
expect 0 wallet evidence export "$number" --out "$W/again.ev"
[ -s "$W/again.ev.timestamp-2" ] || fail "a second timestamp was not kept"
echo "certify.sh: done"
