#!/usr/bin/env bash
# The commands as a user types them: goods of every size and name, exchange, receipts and QR codes, the kiosk's verdicts,
# restore from the 24 words, a SOCKS proxy, refusals with their exit statuses.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
big=${1:-20}
mkdir -p build/scenarios/in
in=build/scenarios/in
: >"$in/empty.bin"
printf x >"$in/one.bin"
head -c "${big}M" /dev/urandom >"$in/big.bin"
cp "$in/one.bin" "$in/Größe und Maß – 1.txt"
ADVERTISE=localhost world build/scenarios/cli "$in/empty.bin" "$in/one.bin" "$in/big.bin" "$in/Größe und Maß – 1.txt"

# Wrong usage and missing things are named, with their statuses.
expect 64 $ACD wallet buy
expect 1 $ACD bank init --data-dir "$W/bank" --ca "$W/ca"
grep -q 'nothing was changed' "$W/err" || fail "init over an existing party does not say that nothing changed"
expect 4 wallet withdraw EUR:1.00

start_all
expect 0 wallet withdraw EUR:15.00
expect 2 wallet withdraw EUR:15.00
grep -q funds "$W/err" || fail "an overdraft is not named"
expect 5 wallet buy nothing --yes
expect 0 wallet withdraw EUR:3.00 --reuse-key

number=0
for name in empty.bin one.bin big.bin "Größe und Maß – 1.txt"; do
  expect 0 wallet buy "$name" --yes -o "$W/out.bin"
  cmp -s "$W/out.bin" "$in/$name" || fail "$name arrived changed"
  rm "$W/out.bin"
done
for role in bank archive merchant; do
  peak=$(awk '/VmHWM/ {print $2}' "/proc/${PIDS[$role]}/status")
  echo "cli.sh: the $role peaked at $peak KiB"
  [ "$peak" -lt 102400 ] || fail "the $role used $peak KiB"
done
expect 0 wallet buy one.bin --yes --two-sided -o "$W/two.bin"
wallet status 4 | grep -q 'S_p(P1)' || fail "two-sided delivery left no acknowledgement"

# The ciphertext of a sale goes to its buyer alone: the record gives the key to everybody.
n=$(wallet status 1 --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["transaction"])')
url=$(field url "$W/merchant/identity.json")
got=$(curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca/ca.pem" "$url/v1/goods/$n")
[ "$got" = 404 ] || fail "the goods of a sale are served to anybody: $got"

# Receipts: as a file, as QR text; the kiosk accepts them and names what fails.
expect 0 wallet receipt export 1 --out "$W/receipt.acd"
expect 0 $KIOSK verify "$W/receipt.acd" --trust "$W/trust.acd"
$KIOSK verify - --trust "$W/trust.acd" <"$W/receipt.acd" >/dev/null || fail "stdin is not accepted"
expect 0 wallet receipt export 1 --qr --out "$W/receipt.svg"
head -c 600 "$W/receipt.acd" >"$W/cut.acd"
expect 1 $KIOSK verify "$W/cut.acd" --trust "$W/trust.acd"
expect 0 $ACD decode "$W/receipt.acd"
expect 0 $ACD decode "$W/trust.acd" --json
$ACD trust export --data-dir "$W/authority" --out "$W/no-merchant.acd" --party "$W/bank" --party "$W/archive" >/dev/null
expect 1 $KIOSK verify "$W/receipt.acd" --trust "$W/no-merchant.acd"
grep -q merchant-trusted "$W/err" || fail "a missing merchant is not named: $(cat "$W/err")"

scripts/damage.py "$KIOSK" "$W/receipt.acd" "$W/trust.acd" || fail "the kiosk takes a damaged receipt"

# Remainders become fresh tokens of the same value.
before=$(wallet balance --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["available"])')
expect 0 wallet exchange --all
after=$(wallet balance --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["available"])')
[ "$before" = "$after" ] || fail "the exchange made $after of $before"

# The 24 words bring tokens and purchases back into an empty directory.
python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mnemonic"])' "$W/wallet.json" >"$W/words"
expect 0 $ACD wallet restore --data-dir "$W/restored" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --words "$W/words"
restored=$($ACD wallet balance --json --data-dir "$W/restored" | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["available"])')
[ "$restored" = "$after" ] || fail "restored $restored instead of $after"
count=$($ACD wallet list --json --data-dir "$W/restored" | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))')
[ "$count" = 5 ] || fail "restored $count purchases instead of 5"

# Through an anonymizer: everything goes through the proxy, or nothing goes.
port=$(free_ports | cut -d' ' -f1)
expect 4 wallet buy one.bin --yes --proxy "socks5h://127.0.0.1:$port"
microsocks -i 127.0.0.1 -p "$port" >/dev/null 2>&1 & PIDS[proxy]=$!
sleep 0.3
expect 0 wallet buy one.bin --yes --proxy "socks5h://localhost:$port" -o "$W/proxied.bin"
cmp -s "$W/proxied.bin" "$in/one.bin" || fail "goods through the proxy arrived changed"

# Early completion and polling are configurations of the services.
kill "${PIDS[merchant]}" "${PIDS[bank]}"; wait "${PIDS[merchant]}" "${PIDS[bank]}" 2>/dev/null || true
start merchant --completion early --poll-archives; start bank --poll-archives; started
expect 0 wallet buy one.bin --yes --completion early -o "$W/early.bin"
cmp -s "$W/early.bin" "$in/one.bin" || fail "goods by early completion arrived changed"
expect 0 wallet buy one.bin --yes --completion merchant -o "$W/forwarded.bin"

# Nothing that the bank keeps from withdrawals equals anything that it sees at spending.
stop_all
scripts/unlinkable.py "$W/bank/store.sqlite" "$W/wallet/store.sqlite" || fail "withdrawal and spending can be linked"
$ACD bank books --data-dir "$W/bank" >/dev/null || fail "the books do not add up"
echo "cli.sh: passed"
