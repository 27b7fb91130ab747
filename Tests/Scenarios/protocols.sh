#!/usr/bin/env bash
# Types every line of docs/PROTOCOLS.md against real services, and prints the table with the results. A row's line has to
# end with the status that the row names (0 where it names none) and its output has to show what the row says; every test
# that a row names has to exist. protocols.sh [ROW...]: these rows only (and those that prepare them, marked *).
#
# Lines see: acd, with each party's data directory filled in; $W, the world's directory; last FIELD and sale, of the newest
# purchase; settle, which waits until it is credited; `anew`, which serves a party with other options, and `told`, what it was
# told since; and for disputes $shop, the merchant's key, `bought`, `unanswered`, and `lie`: what a party signs with its own key
# and against the protocol (lie.py).
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Scenarios/lib.sh
table=docs/PROTOCOLS.md
wanted=("$@")

# rows FILE: number, line, status, pattern, tests, separated by tabs; of the tables' five columns.
rows() {
  python3 - "$1" <<'PY'
import re, sys
for number, text in enumerate(open(sys.argv[1]), 1):
    cells = [cell.strip() for cell in text.strip().strip("|").split(" | ")]
    if len(cells) != 5 or not re.match(r"\d", cells[0]):
        continue
    row, _, line, shows, tests = cells
    status = re.match(r"(\d+): *", shows)
    shows = shows[status.end():] if status else shows
    line = line.strip("`") if line.startswith("`") else line
    print(row, line or "-", status.group(1) if status else "0", shows.strip("`") or "-", tests.replace("`", ""), sep="\t")
PY
}

acd() {
  local role=$1; shift
  case $role in
    hear | judge) $ACD "$role" "$@" --trust "$W/trust.acd" ;;
    simulate | decode | trust) $ACD "$role" "$@" ;;
    copy) $ACD wallet "$@" --data-dir "$W/copy" ;;
    *) $ACD "$role" "$@" --data-dir "$W/$role" ;;
  esac
}
kiosk() { $KIOSK "$@"; }
counter() { $KIOSK "$@" --data-dir "$W/kiosk" --language en; }
parcel() { acd merchant deliveries --json | json "next(d['parcel'] for d in v if d['n'] == '$(last transaction)')"; }
# visit: the newest purchase's parcel is collected by its wallet, which answers the kiosk's challenge.
visit() {
  local fifo=$W/visit.in out=$W/visit.out number; number=$(last number)
  acd wallet receipt export "$number" --out "$W/visit.acd" >/dev/null
  rm -f "$fifo"; mkfifo "$fifo"; : >"$out"
  counter collect --receipt "$W/visit.acd" --parcel "$(parcel)" --handed-over <"$fifo" >"$out" 2>&1 & local kiosk=$!
  exec 7>"$fifo"
  for _ in $(seq 100); do grep -q '^ACDM:' "$out" && break; kill -0 $kiosk 2>/dev/null || break; sleep 0.05; done
  ! grep -q '^ACDM:' "$out" ||
    acd wallet collect "$number" --challenge "$(grep '^ACDM:' "$out")" --json | json 'v["answer"]' >&7
  exec 7>&-
  local got=0; wait $kiosk || got=$?
  cat "$out"; return $got
}
last() { acd "${2:-wallet}" list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1][sys.argv[1]])' "$1"; }
settle() {
  local n end; n=$(last transaction)
  end=$(($(date +%s) + 40))  # a forced commit comes shortly before the expiration
  while [ "$(date +%s)" -lt "$end" ]; do
    acd merchant sales | grep -q "^$n  credited" && return
    sleep 0.1
  done
  fail "the sale $n is not credited"
}
# bought PROTOCOL [OPTION...]: a sale to its end, with what wallet, merchant and bank kept of it: $W/PROTOCOL.wallet and so on.
bought() {
  local protocol=$1; shift
  acd wallet buy goods.bin --protocol "$protocol" --yes -o "$W/$protocol.bin" "$@" && cmp "$W/$protocol.bin" "$in/goods.bin" &&
    settle && kept "$protocol"
}
# kept NAME: what wallet, merchant and bank kept of the newest sale: $W/NAME.wallet and so on.
kept() {
  local protocol=$1
  acd wallet evidence export "$(last number)" --out "$W/$protocol.wallet" &&
    acd merchant evidence export "$(last transaction)" --out "$W/$protocol.merchant" &&
    acd bank evidence export "$shop" "$(last transaction)" --out "$W/$protocol.bank"
}
# unanswered PARTY ARGUMENT...: a purchase that begins while this party says nothing; the wallet is killed once it waits.
unanswered() {
  local party=$1 before; shift
  before=$(merchant sales --json | json '[s["n"] for s in v]')
  pause "$party"
  buy_in_background "$@"
  until_is 1 sales_since
  sleep 1.5
  kill_buyer
}
# unacknowledged: an early purchase whose wallet is killed between the lock and the goods.
unacknowledged() {
  locked_without_goods goods.bin --protocol early -o "$W/f.bin" --expiration 25
  kill_buyer
  go_on merchant
}
# anew PARTY [OPTION...]: it stops and serves again, with these options. A row is a subshell: the new process is left in a file.
anew() {
  halt "$1"
  start "$@"
  echo "${PIDS[$1]}" >"$W/$1.pid"
  started "$1"
}
halt() {
  local pid=${PIDS[$1]}
  kill "$pid"
  until [ ! -e "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status"; do sleep 0.05; done
  : >"$W/$1.log"
}
# anew_joint: the bank serves again, as a joint archive.
anew_joint() {
  halt bank
  $ACD archive serve --joint --data-dir "$W/bank" --trust "$W/trust.acd" >>"$W/bank.log" 2>&1 &
  PIDS[bank]=$!
  echo "${PIDS[bank]}" >"$W/bank.pid"
  started bank
}
# two_banks: a second bank, which issues tokens that are usable at the first; `bob` is a wallet with EUR:5.00 there.
two_banks() {
  $ACD bank init --name Issuer --data-dir "$W/bank2" --port "$(free_ports 1)" --ca "$W/ca" --denominations 10
  local party parties=()
  for party in bank bank2 archive merchant; do parties+=(--party "$W/$party"); done
  acd trust export --data-dir "$W/authority" --out "$W/trust2.acd" "${parties[@]}"
  local trust=$W/trust.acd
  cp "$trust" "$W/trust1.acd" && cp "$W/trust2.acd" "$trust"
  start bank2; echo "${PIDS[bank2]}" >"$W/bank2.pid"; started bank2
  for party in bank archive merchant; do anew "$party"; done
  $ACD wallet init --json --data-dir "$W/bob" --trust "$trust" --ca "$W/ca/ca.pem" >"$W/bob.json"
  $ACD bank account open bob --data-dir "$W/bank2" --key "$(field accountKey "$W/bob.json")"
  $ACD bank account deposit bob EUR:5.00 --reference first --data-dir "$W/bank2"
}
bob() { $ACD wallet "$@" --data-dir "$W/bob"; }
# told PARTY TYPE: who sent it messages of this type since it was started with --trace, and which in one.
told() {
  python3 - "$W/$1.log" "$2" <<'PY'
import json, sys
for line in open(sys.argv[1]):
    message = json.loads(line) if line.startswith('{"') else {}
    if sys.argv[2] in message.get("label", "") and message["from"] != "bank":
        print("by the", message["from"] + ":", message["label"])
PY
}
# record PARTY [N]: the outcomes that it shows of a sale, the newest if none is named, to whoever knows its number.
record() {
  curl -fs --cacert "$W/ca/ca.pem" "$(field url "$W/$1/identity.json")/v1/records/$shop/${2:-$(last transaction)}" \
    -o "$W/record.cbor" && acd decode "$W/record.cbor"
}
# emptied PARTY N: waits until its record of the sale N is gone, and the merchant's sale.
emptied() {
  local end; end=$(($(date +%s) + 60))
  while [ "$(date +%s)" -lt "$end" ]; do
    record "$1" "$2" | grep -q 'messages: 0' && ! acd merchant sales | grep -q "^$2" && echo "emptied" && return
    sleep 0.5
  done
  fail "$1 still has its record, or the merchant its sale"
}
lie() { local party=$1; shift; Tests/Scenarios/lie.py "$W/$party" "$@"; }
# again OFFER: another purchase in the newest series.
again() { acd wallet again "$(last number)" "$1" --yes -o "$W/again.bin"; }
# no_room COMMAND...: while it runs, the wallet can store no goods.
no_room() {
  mkdir -p "$W/wallet/goods"
  mv "$W/wallet/goods" "$W/aside" && touch "$W/wallet/goods"
  "$@" || true
  rm "$W/wallet/goods" && mv "$W/aside" "$W/wallet/goods"
}
chosen() {
  [ ${#wanted[@]} -eq 0 ] && return 0
  case $1 in *\*) return 0 ;; esac
  local row
  for row in "${wanted[@]}"; do [ "${1%\*}" = "$row" ] && return 0; done
  return 1
}
# missing TESTS: the first of these tests that is nowhere.
missing() {
  local test
  for test in ${1//,/ }; do
    case $test in
      *.sh | *.py) [ -e "Tests/Scenarios/$test" ] || [ -e "scripts/$test" ] ;;
      make:*) grep -q "^${test#make:}[: ]" Makefile ;;
      *.pml) [ -e "Models/$test" ] ;;
      *) grep -rqE "(struct|class|enum) $test\b" Tests --include='*.swift' ;;
    esac || { echo "$test"; return; }
  done
}

mkdir -p build/scenarios/protocols-in
in=$PWD/build/scenarios/protocols-in
head -c 60000 /dev/urandom >"$in/goods.bin"
head -c 30000 /dev/urandom >"$in/more.bin"
head -c 20000 /dev/urandom >"$in/part.bin"
head -c 20000 /dev/urandom >"$in/told.bin"
head -c 20000 /dev/urandom >"$in/bill.bin"
# Beside the other a passive archive, and one whose records are emptied.
more_parties() {
  $ACD archive init --passive --name archive2 --data-dir "$W/archive2" --port "$(free_ports 1)" --ca "$W/ca" >/dev/null
  $ACD archive init --name archive3 --data-dir "$W/archive3" --port "$(free_ports 1)" --ca "$W/ca" >/dev/null
  $KIOSK init --name Mitte --data-dir "$W/kiosk" >/dev/null
  MORE+=(archive2 archive3 kiosk)
}
tsa=$in/tsa tsa_port=$(free_ports 1)
rm -rf "$tsa"; Tests/Scenarios/tsa.py make "$tsa"
WITNESSES=1 TRUST_OPTIONS="--answer 2 --lifetime 4 --tsa $tsa/cert.pem,http://127.0.0.1:$tsa_port/" world build/scenarios/protocols
Tests/Scenarios/tsa.py serve "$tsa" "$tsa_port" & PIDS[tsa]=$!
shop=$(field key "$W/merchant/identity.json")
start_all; start witness1; start archive2 --passive; start archive3 --keep 0; started witness1 archive2 archive3

passed=0 failed=0
while IFS=$'\t' read -r row line status pattern tests <&3; do
  chosen "$row" || continue
  result=ok
  absent=$(missing "$tests")
  if [ -n "$absent" ]; then
    result="FAILED: there is no test $absent"
  else
    got=0
    (eval "$line") >"$W/out" 2>&1 </dev/null || got=$?
    # The line had a shell of its own: what it started is ended here.
    for pid in "$W"/*.pid; do
      [ ! -e "$pid" ] || PIDS[$(basename "$pid" .pid)]=$(cat "$pid")
    done
    for party in "${!PIDS[@]}"; do go_on "$party"; done
    if [ "$got" != "$status" ]; then
      result="FAILED: status $got instead of $status: $(head -c 300 "$W/out" | tr '\n' ' ')"
    elif [ "$pattern" != - ] && ! grep -qE -- "$pattern" "$W/out"; then
      result="FAILED: no '$pattern' in: $(head -c 300 "$W/out" | tr '\n' ' ')"
    fi
  fi
  [ "$result" = ok ] && passed=$((passed + 1)) || failed=$((failed + 1))
  printf '%-7s %-70s %s\n' "${row%\*}" "$(cut -c1-70 <<<"$line")" "$result"
done 3< <(rows "$table")
stop_all
echo "protocols: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
