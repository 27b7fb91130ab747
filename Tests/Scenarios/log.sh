#!/usr/bin/env bash
# The archive's record as a transparency log: real purchases, the log as a reader gets it over HTTPS, kill -9 of the
# archive, and starts that have to be refused because storage, tiles and rows disagree.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
mkdir -p build/scenarios/log-in
in=$PWD/build/scenarios/log-in
head -c 3000 /dev/urandom >"$in/goods.bin"
PRICE=EUR:0.10 world build/scenarios/log "$in/goods.bin"
start bank; start archive --log; start merchant; started
expect 0 wallet withdraw EUR:5.00

url=$(field url "$W/archive/identity.json")
origin=${url#https://}/log
echo "log $($ACD log vkey "$origin" "$(field key "$W/archive/identity.json")")" >"$W/policy"
echo "quorum none" >>"$W/policy"
size() { curl -fs --cacert "$W/ca/ca.pem" "$url/log/checkpoint" | sed -n 2p; }
code() { curl -s -o /dev/null -w '%{http_code}' --path-as-is --cacert "$W/ca/ca.pem" "$url/log/$1"; }
buy() { expect 0 wallet buy goods.bin --yes -o "$W/out.bin"; rm "$W/out.bin"; }
holds() {
  until_is "$1" size
  expect 0 $ACD log verify "$W/archive/log" --policy "$W/policy"
  grep -q "^$1 entries" "$W/out" || fail "the log has not $1 entries: $(cat "$W/out")"
}

echo "log.sh: each outcome gets a leaf, and any reader can check them"
until_is 0 size
for number in 1 2 3; do buy; done
holds 3
expect 0 $ACD log prove "$W/archive/log" 1 --policy "$W/policy"
[ "$(code tile/0/000.p/3)" = 200 ] || fail "no tile over HTTP"
[ "$(code tile/entries/000.p/3)" = 200 ] || fail "no bundle over HTTP"
for name in tile/0/001 tile/0/../../head head tile/.p/.. tile/0/000.p; do
  [ "$(code "$name")" = 404 ] || fail "/log/$name is served"
done

# Where Go's checker was built (scripts/tlog.sh), it reads the log over HTTPS.
if [ -x build/interop/tlog/tlogcheck ]; then
  vkey=$(sed -n 's/^log //p' "$W/policy")
  expect 0 env SSL_CERT_FILE="$W/ca/ca.pem" build/interop/tlog/tlogcheck -vkey "$vkey" "$url/log"
fi

echo "log.sh: the archive is killed, and goes on with the same log without being told"
cp -r "$W/archive" "$W/old"
kill_hard archive; start archive; started archive
buy; buy
holds 5
stop archive

# refused WHY: the archive does not start.
refused() {
  local got=0
  timeout 20 $ACD archive serve --data-dir "$W/archive" --trust "$W/trust.acd" >"$W/out" 2>"$W/err" || got=$?
  [ $got -ne 0 ] && [ $got -ne 124 ] || fail "the archive runs: $1"
  grep -q "$2" "$W/err" || fail "$1: $(cat "$W/err")"
}
echo "log.sh: old copies, lost heads and damaged tiles do not run"
mv "$W/archive/log" "$W/log"
cp -r "$W/old/log" "$W/archive/log"; refused "an old log beside a new store" behind; rm -r "$W/archive/log"
refused "no log beside a store that had one" headLost; rm -rf "$W/archive/log"
cp -r "$W/log" "$W/archive/log"; rm "$W/archive/log/head"; refused "a lost head" headLost; rm -r "$W/archive/log"
cp -r "$W/log" "$W/archive/log"; printf x >>"$W/archive/log/tile/0/000.p/5"
refused "a damaged tile" missing; rm -r "$W/archive/log"
cp -r "$W/log" "$W/archive/log"
mkdir "$W/store"; mv "$W"/archive/store.sqlite* "$W/store"
cp "$W"/old/store.sqlite* "$W/archive/"; refused "an old store beside a new log" behind
rm "$W"/archive/store.sqlite*; mv "$W"/store/* "$W/archive/"
start archive; started archive
buy
holds 6
echo "log.sh: done"
