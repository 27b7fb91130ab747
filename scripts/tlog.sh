#!/usr/bin/env bash
# Other people's code reads our transparency log: Go's sumdb/note and sumdb/tlog (Debian: golang-golang-x-mod-dev) check
# checkpoint, tiles, entries, inclusion and consistency of a log of ours, and our tlog-proofs; then every part is
# damaged in turn, and has to be refused by them and by us. tlog.sh [ENTRIES]
set -euo pipefail
cd "$(dirname "$0")/.."
ACD=${ACD:-.build/debug/acd}
W=build/interop/tlog
entries=${1:-5000}
scripts/setup.sh golang-go golang-golang-x-mod-dev
rm -rf $W
mkdir -p $W
(cd Tests/Interop/tlogcheck && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= go build -o ../../../$W/tlogcheck .)

$ACD log make $W/log --entries "$entries"
$ACD log verify $W/log --policy $W/log/policy
fail() { echo "tlog: $*" >&2; exit 1; }

# check LOG KEYS ARGUMENT…: LOG as a monitor would, with the keys of log KEYS and of all its witnesses.
check() {
  local log=$1 keys=$2; shift 2
  while read -r key; do set -- "$@" -witness "$key"; done <"$keys/witnesses"
  $W/tlogcheck -vkey "$(cat "$keys/vkey")" "$@" "$log"
}
all=()
for seen in $W/log/seen/*; do all+=(-seen "$seen"); done
for index in 0 1 255 256 $((entries / 2)) $((entries - 1)); do
  $ACD log prove $W/log "$index" --policy $W/log/policy >$W/$index.tlog-proof
  all+=(-proof "$W/$index.tlog-proof")
done
check $W/log $W/log "${all[@]}"

# The same over HTTP, from any web server.
python3 -m http.server --bind 127.0.0.1 --directory $W/log 0 >$W/http.log 2>&1 & server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  port=$(grep -o 'port [0-9]*' $W/http.log | head -1 | cut -d' ' -f2 || true)
  [ -n "$port" ] && break
  sleep 0.05
done
check "http://127.0.0.1:$port" $W/log

# damaged FILE OFFSET: one bit of a copy of a small log is turned; Go's code has to refuse it, and so do we.
$ACD log make $W/small --entries 700 >/dev/null
count=0
damaged() {
  rm -rf $W/bad
  cp -r $W/small $W/bad
  python3 - "$W/bad/$1" "$2" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2]) % len(data)] ^= 1
open(sys.argv[1], "wb").write(data)
PY
  if check $W/bad $W/small >$W/out 2>&1; then fail "Go accepts a damaged $1"; fi
  if $ACD log verify $W/bad --policy $W/small/policy >$W/out 2>&1; then fail "we accept a damaged $1"; fi
  count=$((count + 1))
}
for file in checkpoint tile/{0,entries}/{000,001,002.p/188} tile/1/000.p/2; do
  for offset in 0 37 -20; do damaged "$file" $offset; done
done

# A second outcome is in order for every hash, and only who reads the entries sees it.
$ACD log make $W/lie --entries 700 --lie >/dev/null
check $W/lie $W/lie >/dev/null || fail "a lie is no damage"
if $ACD log verify $W/lie --policy $W/lie/policy >$W/out 2>&1; then fail "a second outcome of a lock is accepted"; fi
grep -q 'secondOutcome' $W/out || fail "a second outcome of a lock is not named: $(cat $W/out)"

# Another log's checkpoint is nobody's under these keys.
if check $W/small $W/log >$W/out 2>&1; then fail "Go accepts another log's checkpoint"; fi
if $ACD log verify $W/small --policy $W/log/policy >$W/out 2>&1; then fail "we accept another log's checkpoint"; fi
echo "tlog: $count damaged copies and a foreign log were refused by both"
