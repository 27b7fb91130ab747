#!/usr/bin/env bash
# kill -9 of each service, and of the wallet, at random points of a purchase; restart; `wallet resume`. Afterwards the
# purchase is delivered or ended, the goods are there if and only if it was paid, and no money was made or lost.
#
# Usage: kill.sh [POINTS] [SEED] [PROTOCOL]
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
points=${1:-6}
seed=${2:-$(date +%s)}
protocol=${3:-core}
RANDOM=$seed
echo "kill.sh: $points points, seed $seed, $protocol"
mkdir -p build/scenarios
head -c 300000 /dev/urandom >build/scenarios/goods.bin
# Invoices are paid with whole tokens that are bound to an archive; a passive one is archive2.
price=5 withdrawn=1500 archive=archive
more_parties() {
  [ "$protocol" = invoice-passive ] || return 0
  archive=archive2
  $ACD archive init --passive --name archive2 --data-dir "$W/archive2" --port "$(free_ports 1)" --ca "$W/ca" >/dev/null
  MORE+=(archive2)
}
case $protocol in invoice*) price=64 withdrawn=$((64 * points)) ;; esac
PRICE=EUR:$(printf '0.%02d' $price) PROTOCOL=$protocol world "build/scenarios/kill-$protocol" build/scenarios/goods.bin
start_all
options=()
if [ $archive = archive2 ]; then start archive2 --passive; started archive2; options=(--passive); fi
case $protocol in
  invoice*) for point in $(seq "$points"); do wallet withdraw EUR:0.64 --archive $archive >/dev/null; done ;;
  *) wallet withdraw EUR:15.00 >/dev/null ;;
esac
victims=(bank $archive merchant wallet)
declare -A ends
for point in $(seq "$points"); do
  victim=${victims[$((RANDOM % 4))]}
  delay=$(printf '0.%03d' $((RANDOM % 450)))
  # Not by the function: then $! would be a shell, and the wallet would outlive it.
  $ACD wallet buy goods.bin --protocol "$protocol" --yes --expiration 5 -o "$W/out-$point" --data-dir "$W/wallet" >"$W/buy.log" 2>&1 &
  buyer=$!
  sleep "$delay"
  if [ "$victim" = wallet ]; then
    kill -9 $buyer 2>/dev/null || true
  else
    kill -9 "${PIDS[$victim]}"
    wait "${PIDS[$victim]}" 2>/dev/null || true
    if [ "$victim" = archive2 ]; then start archive2 "${options[@]}"; else start "$victim"; fi
  fi
  wait $buyer 2>/dev/null || true
  started bank archive merchant "${MORE[@]}"
  for _ in $(seq 40); do
    wallet resume >"$W/resume.log" 2>&1 || true
    grep -q 'nothing is open' "$W/resume.log" && break
    sleep 0.5
  done
  grep -q 'nothing is open' "$W/resume.log" || fail "point $point ($victim at $delay): still open: $(cat "$W/resume.log")"
  # A wallet that was killed before it stored anything has no such purchase.
  phase=$(wallet list --json | python3 -c '
import json, sys
print(next((p["phase"] for p in json.load(sys.stdin) if (p.get("output") or "").endswith(sys.argv[1])), "never-begun"))' \
    "/out-$point")
  ends[$phase]=$((${ends[$phase]:-0} + 1))
  if [ "$phase" = delivered ]; then
    out=$W/out-$point
    [ -f "$out" ] || fail "point $point: delivered, but there are no goods"
    cmp -s "$out" build/scenarios/goods.bin || fail "point $point: other goods"
  else
    [ ! -e "$W/out-$point" ] || fail "point $point: $phase, but the goods are there"
  fi
done
sleep 2
paid=$(wallet list --json | python3 -c 'import json,sys; print(sum(p["phase"] == "delivered" for p in json.load(sys.stdin)))')
wallet balance --json >"$W/balance.json"
stop_all
$ACD bank books --json --data-dir "$W/bank" >"$W/books.json" || fail "the books do not add up"
python3 - "$W" "$paid" $price $withdrawn <<'PY' || fail "money does not add up"
import json, sys
world, (paid, price, withdrawn) = sys.argv[1], map(int, sys.argv[2:])
books = json.load(open(world + "/books.json"))
cents = lambda text: int(text.split(":")[1].replace(".", ""))
wallet = json.load(open(world + "/balance.json"))
assert books["cash"] == 2000 and books["locked"] == 0, books
assert books["tokens"] == sum(cents(purse["available"]) for purse in wallet), (books, wallet)
assert all(cents(purse["held"]) == 0 for purse in wallet), wallet
assert books["accounts"] == 2000 - withdrawn + price * paid, (books, paid)
PY
echo "kill.sh: $points points passed: $(for end in "${!ends[@]}"; do echo -n "$end ${ends[$end]} "; done)"
