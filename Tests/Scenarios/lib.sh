# lib.sh: a small world for scenario tests, made with the commands that a user types. Source it, then call `world DIR`.
#
# Every scenario works in a directory of its own under build/scenarios and stops what it started.

ACD=${ACD:-.build/debug/acd}
KIOSK=${KIOSK:-.build/debug/acd-kiosk}
declare -A PIDS

fail() { echo "FAILED: $*" >&2; exit 1; }

# expect STATUS COMMAND...: the command ends with exactly this status.
expect() {
  local want=$1 got=0
  shift
  "$@" >"$W/out" 2>"$W/err" || got=$?
  [ "$got" -eq "$want" ] || fail "status $got instead of $want: $* :: $(head -c 400 "$W/err")"
}

free_ports() {
  python3 -c '
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])' "${1:-3}"
}

# world DIR [GOODS...]: bank, archive, merchant, wallet; alice has EUR:20.00. PRICE and PROTOCOL say how the goods are sold.
# With WITNESSES=N also witness1 to witnessN; TRUST_OPTIONS go to `trust export`. A function `more_parties` may make further
# parties before the trust list is signed, named like witnesses (archive2), and list them in MORE.
MORE=()
world() {
  W=$1; shift
  rm -rf "$W"; mkdir -p "$W"
  local ports; ports=($(free_ports $((3 + ${WITNESSES:-0}))))
  local number
  local named=(--advertise "${ADVERTISE:-127.0.0.1}")
  $ACD archive init "${named[@]}" --data-dir "$W/archive" --port "${ports[1]}" --ca "$W/ca" >/dev/null
  $ACD bank init "${named[@]}" --data-dir "$W/bank" --port "${ports[0]}" --ca "$W/ca" --denominations 10 >/dev/null
  $ACD merchant init "${named[@]}" --data-dir "$W/merchant" --port "${ports[2]}" --ca "$W/ca" >/dev/null
  for number in $(seq "${WITNESSES:-0}"); do
    $ACD witness init "${named[@]}" --name "witness$number" --data-dir "$W/witness$number" \
      --port "${ports[$((2 + number))]}" --ca "$W/ca" >/dev/null
    MORE+=("witness$number")
  done
  if declare -F more_parties >/dev/null; then more_parties; fi
  local parties=() party
  for party in bank archive merchant "${MORE[@]}"; do parties+=(--party "$W/$party"); done
  $ACD trust export --data-dir "$W/authority" --out "$W/trust.acd" ${TRUST_OPTIONS:-} "${parties[@]}" >/dev/null
  $ACD wallet init --json --data-dir "$W/wallet" --trust "$W/trust.acd" --ca "$W/ca/ca.pem" >"$W/wallet.json"
  $ACD bank account open alice --data-dir "$W/bank" --key "$(field accountKey "$W/wallet.json")" >/dev/null
  $ACD bank account open shop --merchant --data-dir "$W/bank" \
    --key "$(field key "$W/merchant/identity.json")" >/dev/null
  $ACD bank account deposit alice EUR:20.00 --reference first --data-dir "$W/bank" >/dev/null
  for goods in "$@"; do offer "$goods"; done
}

# offer FILE: puts it on sale for $PRICE, by $PROTOCOL.
offer() {
  $ACD merchant offer add "$1" --price "${PRICE:-EUR:1.25}" --description "goods for a test" \
    --protocol ${PROTOCOL:-core} --data-dir "$W/merchant" >/dev/null
}

# field NAME FILE: a string member of a JSON object.
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[2]))[sys.argv[1]])' "$1" "$2"; }

# start NAME [OPTION...]: a party; witness1 is a witness.
start() {
  local role=$1; shift
  $ACD "${role%%[0-9]*}" serve --data-dir "$W/$role" --trust "$W/trust.acd" "$@" >>"$W/$role.log" 2>&1 &
  PIDS[$role]=$!
}

# started [NAME...]: waits until they answer; of bank, archive and merchant those that run, if nobody is named.
started() {
  local role; [ $# -gt 0 ] || set -- bank archive merchant
  for role in "$@"; do
    [ -n "${PIDS[$role]:-}" ] || continue
    local url; url=$(field url "$W/$role/identity.json")
    for _ in $(seq 100); do
      curl -fs --cacert "$W/ca/ca.pem" "$url/healthz" >/dev/null && break
      sleep 0.05
    done
  done
}

start_all() { start bank; start archive; start merchant "$@"; started; }

stop_all() {
  for role in "${!PIDS[@]}"; do
    kill "${PIDS[$role]}" 2>/dev/null || true
    kill -CONT "${PIDS[$role]}" 2>/dev/null || true
  done
  for role in "${!PIDS[@]}"; do wait "${PIDS[$role]}" 2>/dev/null || true; done
  PIDS=()
}
trap stop_all EXIT

# is WHAT VALUE WANTED
is() { [ "$2" = "$3" ] || fail "$1 is $2 instead of $3"; }

# wallet COMMAND…: of the world's wallet, or of the one named WALLET.
wallet() { $ACD wallet "$@" --data-dir "$W/${WALLET:-wallet}"; }

bank() { $ACD bank "$@" --data-dir "$W/bank"; }
merchant() { $ACD merchant "$@" --data-dir "$W/merchant"; }
stop() { kill "${PIDS[$1]}"; wait "${PIDS[$1]}" 2>/dev/null || true; unset "PIDS[$1]"; }
json() { python3 -c "import json,sys; v=json.load(sys.stdin); print($1)"; }
purse() { wallet balance --json | json '[(b["available"], b["held"]) for b in v]'; }
# newest FIELD: of the latest purchase.
newest() { wallet list --json | json "v[-1]['$1']"; }
# sale N FIELD: of one sale, as the merchant sees it.
sale() { merchant sales --json | json "next((s.get('$2') for s in v if s['n'] == '$1'), None)"; }

# until_is WANT COMMAND...: waits, at most 15 seconds, until the command prints just that.
until_is() {
  local want=$1 got=; shift
  for _ in $(seq 150); do
    got=$("$@" 2>/dev/null) || true
    [ "$got" = "$want" ] && return
    sleep 0.1
  done
  fail "$* stays at '$got' instead of '$want'"
}

locked() { bank books --json | json 'v["locked"]'; }
# unharmed PURSE: the wallet has what it had, and nothing is locked any more; `books` itself fails unless all adds up.
unharmed() {
  [ "$(purse)" = "$1" ] || fail "the wallet had $1 and has $(purse)"
  until_is 0 locked
  expect 0 bank books
}

# pause ROLE, go_on ROLE: a party that answers nothing for a while.
pause() { kill -STOP "${PIDS[$1]}"; }
go_on() { kill -CONT "${PIDS[$1]}"; }
# kill_hard ROLE
kill_hard() { kill -9 "${PIDS[$1]}"; wait "${PIDS[$1]}" 2>/dev/null || true; unset "PIDS[$1]"; }

# buy_in_background ARGUMENT...: leaves the process in `buyer`. Not by the function `wallet`: then $! would be a shell.
buy_in_background() {
  $ACD wallet buy "$@" --yes --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
}
kill_buyer() { kill -9 "$buyer" 2>/dev/null || true; wait "$buyer" 2>/dev/null || true; }

# flip FILE PLACE...: turns one bit of the byte at each place over; -1 is the last byte.
flip() {
  python3 - "$@" <<'PY'
import os, sys
with open(sys.argv[1], "r+b") as file:
    size = os.path.getsize(sys.argv[1])
    for place in map(int, sys.argv[2:]):
        file.seek(place % size)
        byte = file.read(1)[0]
        file.seek(place % size)
        file.write(bytes([byte ^ 1]))
PY
}

# sales_since: how many sales are not among $before.
sales_since() { merchant sales --json | json "len([s for s in v if s['n'] not in $before])"; }

# locked_without_goods OFFER ARGUMENT...: a purchase of EUR:1.25 whose tokens are locked, and whose merchant is paused before
# it was asked for what comes after the lock. `n` is the sale; the buyer still runs.
locked_without_goods() {
  local before; before=$(merchant sales --json | json '[s["n"] for s in v]')
  pause bank
  buy_in_background "$@"
  until_is 1 sales_since
  sleep 0.5
  n=$(merchant sales --json | json "next(s['n'] for s in v if s['n'] not in $before)")
  pause merchant
  go_on bank
  until_is 125 locked
  sleep 0.5
}

judge() { $ACD judge "$@" --trust "$W/trust.acd"; }
# finding DISPUTE FILE...: what a judge says of one dispute, in JSON.
finding() {
  local dispute=$1 got=0; shift
  judge "$@" --json >"$W/json" || got=$?
  python3 -c 'import json,sys
print(*[v["finding"] + (" " + v["against"]["role"] if "against" in v else "")
        for v in json.load(open(sys.argv[2]))["verdicts"] if v["dispute"] == sys.argv[1]])' "$dispute" "$W/json"
}
# says FINDING DISPUTE FILE...
says() {
  local want=$1; shift
  local got; got=$(finding "$@")
  [ "$got" = "$want" ] || fail "the judge says '$got' instead of '$want': $*"
}

# without TYPE... FILE OUT: a bundle without the messages of these types. Fails where there is no cbor2 (scripts/venv.sh).
without() {
  local python=build/venv/bin/python
  [ -x $python ] || { echo "no $python: cut evidence is not judged" >&2; return 1; }
  $python - "$@" <<'PY'
import sys
import cbor2
*types, source, target = sys.argv[1:]
bundle = cbor2.loads(open(source, "rb").read())
def kind(message):
    return cbor2.loads(cbor2.loads(message).value[0]).get(16) if message[:1] == b"\xd2" else None
bundle[-1] = [message for message in bundle[-1] if kind(message) not in types]
open(target, "wb").write(cbor2.dumps(bundle, canonical=True))
PY
}

# unpaid GOODS OPTION...: stops the bank and buys up to the stored payment, which no bank has seen yet. The wallet is
# killed then: it would knock at the bank for ten seconds, and it holds its store.
unpaid() {
  local goods=$1 buyer; shift
  [ -z "${PIDS[bank]:-}" ] || stop bank
  $ACD wallet buy "$goods" --yes --data-dir "$W/wallet" "$@" >"$W/buy.log" 2>&1 & buyer=$!
  for _ in $(seq 20); do
    sleep 0.5
    kill -9 $buyer 2>/dev/null || true; wait $buyer 2>/dev/null || true
    [ "$(newest phase)" = authorised ] && return
    $ACD wallet resume --data-dir "$W/wallet" >"$W/buy.log" 2>&1 & buyer=$!
  done
  fail "the purchase is $(newest phase), not authorised"
}
