#!/usr/bin/env bash
# The joint bank-archive, compact (FIG. 7), over real services: no archive runs; the bank pairs what customer and
# merchant send it, in either order; one- and two-sided; the bank killed in the middle; an authorization that the
# merchant never answers, and one that never comes; evidence for the judge; restore from the 24 words.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/compact-in
in=$PWD/build/scenarios/compact-in
head -c 60000 /dev/urandom >"$in/goods.bin"
world build/scenarios/compact
offer() { $ACD merchant offer add "$in/goods.bin" --price EUR:1.25 --description "sold compactly" "$@" --data-dir "$W/merchant" >/dev/null; }
offer --protocol core compact

locked() { $ACD bank books --json --data-dir "$W/bank" | json 'v["locked"]'; }
sale() { $ACD merchant sales --json --data-dir "$W/merchant" | json "next((s['phase'] for s in v if s['n'] == '$1'), None)"; }
delivered() {
  [ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase)"
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm -f "$W/goods.bin"
  [ "$(locked)" = 0 ] || fail "something is locked after the commit"
}

start bank; start merchant; started
expect 0 wallet withdraw EUR:15.00
for more in "" --two-sided "--completion merchant"; do
  echo "compact.sh: a purchase without any archive ${more:-(one-sided)}"
  expect 0 wallet buy goods.bin --protocol compact --yes -o "$W/goods.bin" $more
  [ "$(newest protocol)" = compact ] || fail "the purchase is $(newest protocol), not compact"
  delivered
  until_is credited sale "$(newest transaction)"
done

echo "compact.sh: evidence, and what the judge says of it"
n=$(wallet status 1 --json | json 'v["transaction"]')
shop=$(field key "$W/merchant/identity.json")
expect 0 wallet evidence export 1 --out "$W/wallet.ev"
expect 0 $ACD merchant evidence export "$n" --out "$W/merchant.ev" --data-dir "$W/merchant"
expect 0 $ACD bank evidence export "$shop" "$n" --out "$W/bank.ev" --data-dir "$W/bank"
for label in JB2 JB2ack JB3 JB4a Credit; do
  grep -q "\b$label\b" "$W/out" || fail "the bank's evidence has no $label: $(cat "$W/out")"
done
expect 0 $ACD judge "$W/wallet.ev" "$W/merchant.ev" "$W/bank.ev" --trust "$W/trust.acd" --heard bank
grep -q "THE CUSTOMER'S CLAIM FAILS" "$W/out" || fail "two-sided: $(cat "$W/out")"
expect 0 $ACD judge "$W/merchant.ev" --trust "$W/trust.acd" --heard bank
# Without the receipt, its own JB4a obliges the bank: the merchant has no JB2 to show.
python3 - "$W/merchant.ev" "$W/unpaid.ev" <<'PY'
import sys
sys.path.insert(0, "build/venv/lib")
data = open(sys.argv[1], "rb").read()
try:
    import cbor2
except ImportError:
    sys.exit(0)
bundle = cbor2.loads(data)
bundle[-1] = [m for m in bundle[-1] if b"acd-credit" not in m]
open(sys.argv[2], "wb").write(cbor2.dumps(bundle, canonical=True))
PY
if [ -e "$W/unpaid.ev" ]; then
  expect 6 $ACD judge "$W/unpaid.ev" --trust "$W/trust.acd" --heard bank
  grep -q 'AT FAULT, the bank' "$W/out" || fail "not credited: $(cat "$W/out")"
fi

echo "compact.sh: the bank is killed at random points"
for point in 1 2; do
  side=$([ $((point % 2)) = 0 ] && echo --two-sided || true)
  $ACD wallet buy goods.bin --protocol compact --yes -o "$W/goods.bin" $side --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  stop bank -9
  start bank; started
  wait $buyer || true
  expect 0 wallet resume
  delivered
done

echo "compact.sh: the merchant is killed between JB2 and S_p(P1), and the customer too"
unpaid goods.bin --protocol compact --two-sided -o "$W/goods.bin"
stop merchant -9
start bank; started
$ACD wallet resume --data-dir "$W/wallet" >"$W/resume.log" 2>&1 & buyer=$!
until_is 125 locked
sleep 0.3
kill -9 $buyer; wait $buyer 2>/dev/null || true
start merchant; started
expect 0 wallet resume
delivered

echo "compact.sh: an authorization that the merchant never answers comes back at the expiration"
stop merchant
start merchant --expiration 4; started
before=$(wallet balance --json)
unpaid goods.bin --protocol compact --two-sided -o "$W/goods.bin"
stop merchant
start bank; started
SECONDS=0
expect 0 wallet resume
[ $SECONDS -lt 15 ] || fail "the abort took $SECONDS seconds, the expiration is after 4"
[ "$(newest phase)" = aborted ] || fail "the purchase is $(newest phase), not aborted"
[ ! -e "$W/goods.bin" ] || fail "aborted, but the goods are there"
[ "$(wallet balance --json)" = "$before" ] || fail "the abort did not give everything back"
[ "$(locked)" = 0 ] || fail "something is locked after the abort"

echo "compact.sh: a submission that no authorization meets is refused at the expiration"
start merchant --expiration 3; started
$ACD wallet buy goods.bin --protocol compact --yes --data-dir "$W/wallet" -o "$W/goods.bin" >"$W/buy.log" 2>&1 & buyer=$!
sleep 0.15; kill -9 $buyer 2>/dev/null || true; wait $buyer 2>/dev/null || true
last() { $ACD merchant sales --json --data-dir "$W/merchant" | json 'v[-1]["phase"]'; }
for _ in $(seq 100); do case $(last) in aborted | credited) break ;; esac; sleep 0.1; done
wallet resume >/dev/null || true
case $(newest phase) in
  delivered) [ "$(last)" = credited ] || fail "delivered, but the sale is $(last)" ;;
  # Killed before its JB2 left, the sale stays an offer that nobody took.
  *) case $(last) in aborted | offered) ;; *) fail "the sale is $(last), the purchase $(newest phase)" ;; esac ;;
esac
rm -f "$W/goods.bin"

echo "compact.sh: restored from the 24 words"
before=$(wallet balance --json | json 'v[0]["available"]')
count=$(wallet list --json | json 'sum(p["phase"] in ("delivered", "aborted") for p in v)')
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
after=$($ACD wallet balance --json --data-dir "$W/restored" | json 'v[0]["available"]')
[ "$before" = "$after" ] || fail "restored $after instead of $before"
found=$($ACD wallet list --json --data-dir "$W/restored" | json 'len(v)')
[ "$found" -ge "$((count - 1))" ] || fail "restored $found purchases of $count"
stop_all
expect 0 $ACD bank books --data-dir "$W/bank"
echo "compact.sh: passed"
