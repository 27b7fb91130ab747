#!/usr/bin/env bash
# Other people's programs read our messages, and ours read theirs. Purchases are made so that every type of message
# passes: paid, exchanged, declined, sealed for an archive that is away. A client in Python signs with pycose what the
# wallet does not send. Then pycose verifies each message with the keys in the trust list, and zcbor validates each
# against docs/acd.cddl.
set -euo pipefail
cd "$(dirname "$0")/.."
. Tests/Scenarios/lib.sh
scripts/venv.sh
python=build/venv/bin/python

# settle: takes open purchases up until none is open.
settle() {
  for _ in $(seq 40); do
    wallet resume >"$W/resume.log" 2>&1 || true
    grep -q 'nothing is open' "$W/resume.log" && return
    sleep 0.5
  done
  fail "a purchase stays open: $(cat "$W/resume.log")"
}

demo=build/interop/demo
rm -rf build/interop
$ACD demo --keep --two-sided --data-dir $demo >/dev/null

mkdir -p build/interop/in
head -c 40000 /dev/urandom >build/interop/in/goods.bin
# archive2 is only a record.
more_parties() {
  $ACD archive init --passive --name archive2 --data-dir "$W/archive2" --port "$(free_ports 1)" --ca "$W/ca" >/dev/null
  MORE+=(archive2)
}
world build/interop/world build/interop/in/goods.bin
# A second bank, with a merchant that has its account there.
more=($(free_ports))
$ACD bank init --name Second --data-dir "$W/bank2" --port "${more[0]}" --ca "$W/ca" --denominations 10 >/dev/null
$ACD merchant init --name Elsewhere --bank "$W/bank2" --data-dir "$W/merchant2" --port "${more[1]}" --ca "$W/ca" >/dev/null
# And who dates evidence.
tsa_port=$(free_ports 1)
Tests/Scenarios/tsa.py make build/interop/tsa
Tests/Scenarios/tsa.py serve build/interop/tsa "$tsa_port" & PIDS[tsa]=$!
$ACD trust export --data-dir "$W/authority" --out "$W/trust.acd" --party "$W/bank" --party "$W/archive" \
  --tsa "build/interop/tsa/cert.pem,http://127.0.0.1:$tsa_port/" --party "$W/merchant" --party "$W/bank2" --party "$W/merchant2" --party "$W/archive2" >/dev/null
cp "$W/trust.acd" "$W/wallet/trust.acd"
$ACD bank account open elsewhere --merchant --data-dir "$W/bank2" --key "$(field key "$W/merchant2/identity.json")" >/dev/null
$ACD bank clearing open "$W/bank2" --limit EUR:0.00 --data-dir "$W/bank" >/dev/null
$ACD bank clearing open "$W/bank" --limit EUR:9.00 --data-dir "$W/bank2" >/dev/null
$ACD merchant offer add build/interop/in/goods.bin --price EUR:1.25 --description "sold elsewhere" \
  --data-dir "$W/merchant2" >/dev/null
start_all; start archive2 --passive; started archive2
for role in bank merchant; do
  $ACD $role serve --data-dir "$W/${role}2" --trust "$W/trust.acd" >>"$W/${role}2.log" 2>&1 & PIDS[${role}2]=$!
done
for _ in $(seq 100); do
  curl -fs --cacert "$W/ca/ca.pem" "$(field url "$W/merchant2/identity.json")/healthz" >/dev/null && break
  sleep 0.05
done
expect 0 wallet withdraw EUR:15.00
expect 0 wallet buy goods.bin --yes --two-sided -o "$W/goods.bin"
expect 0 wallet exchange --all
expect 0 wallet receipt export 0 --out "$W/receipt.acd"
expect 0 wallet certify 0
$ACD merchant offer add build/interop/in/goods.bin --price EUR:1.25 --description "sold jointly" --protocol joint \
  --data-dir "$W/merchant" >/dev/null
joint=$($ACD merchant offers --json --data-dir "$W/merchant" | $python -c 'import json,sys
print(next(o["id"] for o in json.load(sys.stdin) if o["protocols"] == ["joint"]))')
expect 0 wallet buy "$joint" --protocol joint --yes -o "$W/joint.bin"
$ACD merchant offer remove "$joint" --data-dir "$W/merchant" >/dev/null

# Early commitment: acknowledged, forced, given up.
cp build/interop/in/goods.bin build/interop/in/early.bin
merchant offer add build/interop/in/early.bin --price EUR:1.25 --description "sold early" --protocol early >/dev/null
expect 0 wallet buy early.bin --protocol early --yes -o "$W/early.bin"
locked_without_goods early.bin --protocol early --expiration 12
kill_buyer
go_on merchant
until_is credited sale "$n" phase
locked_without_goods early.bin --protocol early
kill_buyer
go_on merchant
until_is authorised sale "$n" phase
expect 0 merchant cancel "$n"
settle

# Repeated transactions: one series that is paid, one that the merchant gives up.
cp build/interop/in/goods.bin build/interop/in/series.bin
merchant offer add build/interop/in/series.bin --price EUR:0.20 --description "sold in series" --protocol repeated >/dev/null
expect 0 wallet buy series.bin --protocol repeated --budget EUR:0.50 --yes -o "$W/series.bin"
expect 0 wallet again "$(newest number)" series.bin --yes -o "$W/series1.bin"
expect 0 wallet finish "$(newest number)"
expect 0 wallet buy series.bin --protocol repeated --yes -o "$W/series.bin"
expect 0 merchant cancel "$(newest transaction)"
for _ in $(seq 40); do
  wallet resume >"$W/resume.log" 2>&1 || true
  [ "$(newest phase)" = aborted ] && break
  sleep 0.5
done
[ "$(newest phase)" = aborted ] || fail "a series that was given up did not end in an abort"
$python scripts/interop_client.py "$W" ask
cp build/interop/in/goods.bin build/interop/in/announced.bin
PROTOCOL=announced offer build/interop/in/announced.bin
expect 0 wallet buy announced.bin --protocol announced --yes -o "$W/announced.bin"

# Invoices: approved, and with a passive archive; a complaint.
cp build/interop/in/goods.bin build/interop/in/bill.bin
PRICE=EUR:0.64 PROTOCOL="invoice invoice-passive" offer build/interop/in/bill.bin
expect 0 wallet withdraw EUR:0.64 --archive archive
expect 0 wallet withdraw EUR:0.64 --archive archive2
expect 0 wallet buy bill.bin --protocol invoice-passive --yes -o "$W/passive.bin"
expect 0 wallet buy bill.bin --protocol invoice --yes -o "$W/bill.bin"
until_is credited sale "$(newest transaction)" phase
expect 1 wallet complain "$(newest number)"

# Paid through the other bank: BT1, BT2.
expect 0 wallet buy goods.bin --merchant Elsewhere --yes -o "$W/elsewhere.bin"
for _ in $(seq 100); do
  $ACD merchant sales --data-dir "$W/merchant2" | grep -q credited && break
  sleep 0.1
done
$ACD merchant sales --data-dir "$W/merchant2" | grep -q credited || fail "the other bank has credited nothing"

# Issued by one bank, usable at the other, which claims it: BT3, BT4.
expect 0 wallet withdraw EUR:1.25 --bank bank --usable-at Second
expect 0 wallet buy goods.bin --merchant Elsewhere --bank Second --yes -o "$W/issued.bin"
for _ in $(seq 100); do
  $ACD bank clearing --data-dir "$W/bank" | grep -q 'is owed 250' && break
  sleep 0.1
done
$ACD bank clearing --data-dir "$W/bank" | grep -q 'is owed 250' || fail "the issuer has granted nothing"

# Money back: RF1 to RF3.
wallet refund 0 --amount EUR:0.50 >/dev/null
refund=$($ACD merchant refunds list --json --data-dir "$W/merchant" | $python -c 'import json,sys; print(json.load(sys.stdin)[0]["id"])')
$ACD merchant refunds approve "$refund" --data-dir "$W/merchant" >/dev/null
expect 0 wallet refund 0
grep -q 'refunded EUR:0.50' "$W/out" || fail "no refund: $(cat "$W/out")"

# Bargained for: N2.
$ACD merchant offer add build/interop/in/goods.bin --price EUR:1.25 --least EUR:0.50 --description bargained \
  --data-dir "$W/merchant" >/dev/null
offer=$($ACD merchant offers --json --data-dir "$W/merchant" | $python -c 'import json,sys
print(next(o["id"] for o in json.load(sys.stdin) if o.get("least")))')
expect 0 wallet buy "$offer" --price EUR:0.25 --most EUR:1.00 --yes -o "$W/bargained.bin"
$ACD merchant offer remove "$offer" --data-dir "$W/merchant" >/dev/null

# Compact: one that is paired, and one whose merchant is gone before S_p(P1) reaches it, so that the bank aborts it.
compact() {
  $ACD merchant offer add build/interop/in/goods.bin --price EUR:1.25 --description "sold compactly" --protocol compact \
    --data-dir "$W/merchant" "$@" >/dev/null
  $ACD merchant offers --json --data-dir "$W/merchant" | $python -c 'import json,sys
print([o["id"] for o in json.load(sys.stdin) if o["protocols"] == ["compact"]][-1])'
}
offer=$(compact)
expect 0 wallet buy "$offer" --protocol compact --yes -o "$W/compact.bin"
kill "${PIDS[merchant]}" "${PIDS[bank]}"; wait "${PIDS[merchant]}" "${PIDS[bank]}" 2>/dev/null || true
start merchant --expiration 8; unset "PIDS[bank]"; started
phase() { wallet list --json | $python -c 'import json,sys; print(json.load(sys.stdin)[-1]["phase"])'; }
$ACD wallet buy "$offer" --protocol compact --two-sided --yes -o "$W/never.bin" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
for _ in $(seq 10); do
  sleep 0.5
  kill -9 $buyer 2>/dev/null || true; wait $buyer 2>/dev/null || true
  [ "$(phase)" = authorised ] && break
  $ACD wallet resume --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
done
kill "${PIDS[merchant]}"; wait "${PIDS[merchant]}" 2>/dev/null || true
unset "PIDS[merchant]"; start bank; started
settle
[ "$(newest phase)" = aborted ] || fail "a compact purchase without JB3 did not end in an abort"
start merchant; started
$ACD merchant offer remove "$offer" --data-dir "$W/merchant" >/dev/null

# Declined: the NAK comes before the bank's P3, so the merchant answers P3 with Cancel, and the archive with P5b.
kill "${PIDS[bank]}"; wait "${PIDS[bank]}" 2>/dev/null || true
expect 4 wallet buy goods.bin --yes --expiration 600 -o "$W/declined.bin"
$python scripts/interop_client.py "$W" decline
start bank; started
settle
[ "$(newest phase)" = aborted ] || fail "a declined purchase did not end in an abort"
[ ! -e "$W/declined.bin" ] || fail "declined, but the goods are there"

# Given up: the token is announced, the merchant declines before the bank's lock comes, and answers it with Cancel.
kill "${PIDS[bank]}"; wait "${PIDS[bank]}" 2>/dev/null || true
wallet buy announced.bin --protocol announced --yes -o "$W/given-up.bin" >"$W/buy.log" 2>&1 & buyer=$!
n=
for _ in $(seq 100); do
  n=$($ACD merchant sales --json --data-dir "$W/merchant" | $python -c 'import json,sys
print(next((s["n"] for s in json.load(sys.stdin) if s["phase"] == "claiming"), ""))')
  [ -n "$n" ] && break
  sleep 0.1
done
expect 0 $ACD merchant cancel "$n" --data-dir "$W/merchant"
start bank; started
wait $buyer 2>/dev/null || true
settle
[ ! -e "$W/given-up.bin" ] || fail "given up, but the goods are there"

# Sealed: while the archive is away, the merchant's outbox holds the box with P4.
kill "${PIDS[archive]}"; wait "${PIDS[archive]}" 2>/dev/null || true
wallet buy goods.bin --yes -o "$W/late.bin" >"$W/buy.log" 2>&1 & buyer=$!
sealed=
for _ in $(seq 100); do
  sealed=$($python - "$W" <<'PY'
import pathlib, sqlite3, sys
world = pathlib.Path(sys.argv[1])
base = sqlite3.connect(f"file:{world}/merchant/store.sqlite?mode=ro", uri=True)
for (body,) in base.execute("SELECT body FROM outbox"):
    if b"acd-sealed/1" in body:
        (world / "wire/sealed.cbor").write_bytes(body)
        print("yes")
        break
PY
  )
  [ -n "$sealed" ] && break
  sleep 0.1
done
[ -n "$sealed" ] || fail "no sealed P4 waits in the merchant's outbox"
start archive; started
wait $buyer 2>/dev/null || true
settle
cmp -s "$W/late.bin" build/interop/in/goods.bin || fail "goods did not arrive once the archive was back"
$python scripts/interop_client.py "$W" records
stop_all

$python scripts/interop.py $demo "$W" Tests/Vectors docs/acd.cddl
