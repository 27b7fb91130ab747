#!/usr/bin/env bash
# Anybody reads an archive's log: an honest one is found honest, look after look, with its restarts and aborts. Then the
# archive lies, with its own key: it rewrites an entry, adds an abort beside its commit, dates an entry back. The monitor
# finds each, and `acd judge` convicts the archive on what it wrote down, and nobody else.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/monitor-in
in=$PWD/build/scenarios/monitor-in
head -c 3000 /dev/urandom >"$in/goods.bin"
WITNESSES=1 PRICE=EUR:0.10 world build/scenarios/monitor "$in/goods.bin"
start bank; start archive --log; start merchant; started
expect 0 wallet withdraw EUR:5.00
url=$(field url "$W/archive/identity.json")
origin=${url#https://}/log
buy() { expect 0 wallet buy goods.bin --yes -o "$W/out.bin"; rm "$W/out.bin"; }
size() { curl -fs --cacert "$W/ca/ca.pem" "$url/log/checkpoint" | sed -n 2p; }
mkdir -p "$W/proofs"
look() {
  local want=$1; shift
  expect "$want" $ACD monitor "$url" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --data-dir "$W/watch" --proofs "$W/proofs" "$@"
}

echo "monitor.sh: an honest archive, from the first entry on"
look 0
for number in 1 2 3; do buy; done
until_is 3 size
look 0
grep -q "^$origin: 3 entries" "$W/out" || fail "the monitor read something else: $(cat "$W/out")"
kill_hard archive; start archive; started archive
buy
before=$(purse)
stop archive
buy_in_background goods.bin --expiration 5 -o "$W/never.bin"
until_is 10 locked
stop merchant
sleep 5
start archive; started archive
wait $buyer || true
start merchant; started merchant
until_is 0 locked
count=$(size)
look 0
grep -q "^$origin: $count entries" "$W/out" || fail "the monitor read something else: $(cat "$W/out")"
grep -q 'not looked at: signatures' "$W/out" || fail "a stranger says that it read the records"

echo "monitor.sh: a witness reads the records, too; a merchant its own, a stranger none (attack 18)"
watch=(--data-dir "$W/audit" --as "$W/witness1")
expect 0 $ACD monitor "$url" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" "${watch[@]}"
grep -q 'not looked at' "$W/out" && fail "a witness is not shown the records: $(cat "$W/out")"
[ "$(cat "$W"/audit/monitor/*.records)" = "$count" ] || fail "a witness was shown less than $count records"
expect 0 $ACD monitor "$url" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --data-dir "$W/own" --as "$W/merchant"
grep -q "not looked at: signatures and expirations of others' outcomes" "$W/out" || fail "$(cat "$W/out")"
cp -r "$W/witness1" "$W/nobody"; head -c 32 /dev/urandom >"$W/nobody/identity.seed"
expect 2 $ACD monitor "$url" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" --data-dir "$W/none" --as "$W/nobody"
[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca/ca.pem" "$url/v1/records?after=0")" = 404 ] || fail "anybody reads all"
[ -z "$(ls "$W/proofs")" ] || fail "there is evidence against an honest archive"

# lies HOW WHAT: the archive's log says it, and is convicted.
lies() {
  rm -rf "$W/log" "$W/watch.new" "$W/proofs"; mkdir -p "$W/proofs"
  cp -r "$W/archive/log" "$W/log"; cp -r "$W/watch" "$W/watch.new"
  Tests/Scenarios/forge.py "$W/archive" "$1"
  look 6
  grep -q "LIE: $2" "$W/out" || fail "another finding: $(cat "$W/out")"
  says "convicted archive" history-rewritten "$W"/proofs/*.evidence
  # One half of the evidence is none.
  for half in "$W"/proofs/*.evidence; do says "" history-rewritten "$half"; done
  rm -rf "$W/archive/log" "$W/watch"; mv "$W/log" "$W/archive/log"; mv "$W/watch.new" "$W/watch"
  look 0
}
echo "monitor.sh: it rewrites an entry"
lies rewrite 'the log was rewritten'
echo "monitor.sh: it adds an abort beside its commit"
lies second 'two outcomes of one lock'
echo "monitor.sh: it dates an entry back"
lies backdate 'an entry is older than one before it'
echo "monitor.sh: done"
