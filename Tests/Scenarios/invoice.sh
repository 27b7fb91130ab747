#!/usr/bin/env bash
# The invoice purchase (FIG. 2) over real services, in all its ways: the merchant deposits what the archive approved, or the
# archive does; direct deposit; a passive archive. A merchant that is silent; an invoice that expires; a token at two
# archives; squatters at an address; kill -9 of each party.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
points=${1:-4}
mkdir -p build/scenarios/invoice-in
in=$PWD/build/scenarios/invoice-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 40000 /dev/urandom >"$in/core.bin"

more_parties() {
  local ports; ports=($(free_ports))
  $ACD archive init --passive --name record --data-dir "$W/record" --port "${ports[0]}" --ca "$W/ca" >/dev/null
  $ACD archive init --name second --data-dir "$W/second" --port "${ports[1]}" --ca "$W/ca" >/dev/null
  MORE=(record second)
}
PRICE=EUR:1.28 world build/scenarios/invoice "$in/core.bin"
PRICE=EUR:1.28 PROTOCOL="invoice invoice-direct invoice-passive" offer "$in/goods.bin"

json() { python3 -c "import json,sys; v=json.load(sys.stdin); print($1)"; }
newest() { wallet list --json | json "v[-1]['$1']"; }
purse() { wallet balance --json | json 'sorted((b.get("archive") or "", b["available"], b["held"]) for b in v)'; }
merchant() { $ACD merchant "$@" --data-dir "$W/merchant"; }
bank() { $ACD bank "$@" --data-dir "$W/bank"; }
last() { merchant sales --json | json "v[-1]['$1']"; }
sale() { merchant sales --json | json "next((s['phase'] for s in v if s['n'] == '$1'), None)"; }
stop() { kill "${PIDS[$1]}"; wait "${PIDS[$1]}" 2>/dev/null || true; unset "PIDS[$1]"; }
until_is() {
  local want=$1 got=; shift
  for _ in $(seq 150); do
    got=$("$@" 2>/dev/null) || true
    [ "$got" = "$want" ] && return
    sleep 0.1
  done
  fail "$* stays at '$got' instead of '$want'"
}
buy() { expect "$1" wallet buy goods.bin --protocol "$2" --yes -o "$W/goods.bin" "${@:3}"; }
delivered() {
  [ "$(newest phase)" = delivered ] || fail "the purchase is $(newest phase), not delivered"
  [ "$(newest protocol)" = "$1" ] || fail "the purchase is $(newest protocol), not $1"
  cmp -s "$W/goods.bin" "$in/goods.bin" || fail "the goods arrived changed"
  rm -f "$W/goods.bin"
  until_is credited sale "$(newest transaction)"
  expect 0 bank books
}

start bank; start_as record archive --passive; start archive; start_as second archive; start merchant; started
echo "invoice.sh: tokens that are bound to an archive"
for archive in archive record second; do
  for _ in 1 2 3; do expect 0 wallet withdraw EUR:1.28 --archive $archive; done
done
grep -q 'bound to second' "$W/out" || fail "the balance does not say what is bound: $(cat "$W/out")"
expect 3 wallet buy core.bin --yes
grep -q 'not enough tokens' "$W/err" || fail "bound tokens pay a core purchase"
for way in invoice invoice-direct; do
  echo "invoice.sh: a purchase, by the $way protocol"
  buy 0 $way --archive archive
  delivered $way
done
echo "invoice.sh: a purchase by the invoice-passive protocol"
buy 0 invoice-passive
delivered invoice-passive
echo "invoice.sh: the archive deposits by itself"
stop archive; start archive --deposits archive; started
buy 0 invoice --archive archive
delivered invoice
stop_all
