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
import socket
held = [socket.socket() for _ in range(3)]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])'
}

# world DIR [GOODS...]: bank, archive, merchant, wallet; alice has EUR:20.00. A function `more_parties` may make further
# parties before the trust list is signed, and name their directories in MORE.
MORE=()
world() {
  W=$1; shift
  rm -rf "$W"; mkdir -p "$W"
  local ports; ports=($(free_ports))
  local named=(--advertise "${ADVERTISE:-127.0.0.1}")
  $ACD archive init "${named[@]}" --data-dir "$W/archive" --port "${ports[1]}" --ca "$W/ca" >/dev/null
  $ACD bank init "${named[@]}" --data-dir "$W/bank" --port "${ports[0]}" --ca "$W/ca" --denominations 10 >/dev/null
  $ACD merchant init "${named[@]}" --data-dir "$W/merchant" --port "${ports[2]}" --ca "$W/ca" >/dev/null
  if declare -F more_parties >/dev/null; then more_parties; fi
  local parties=() party
  for party in bank archive merchant "${MORE[@]}"; do parties+=(--party "$W/$party"); done
  $ACD trust export --data-dir "$W/authority" --out "$W/trust.acd" "${parties[@]}" >/dev/null
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

start() { start_as "$1" "$@"; }

# start_as NAME ROLE OPTION...: the party in that directory.
start_as() {
  local name=$1 role=$2; shift 2
  $ACD "$role" serve --data-dir "$W/$name" --trust "$W/trust.acd" "$@" >>"$W/$name.log" 2>&1 &
  PIDS[$name]=$!
}

# started: waits until all three answer.
started() {
  for role in bank archive merchant "${MORE[@]}"; do
    local url; url=$(field url "$W/$role/identity.json")
    for _ in $(seq 100); do
      curl -fs --cacert "$W/ca/ca.pem" "$url/healthz" >/dev/null && break
      sleep 0.05
    done
  done
}

start_all() { start bank; start archive; start merchant "$@"; started; }

stop_all() {
  for role in "${!PIDS[@]}"; do kill "${PIDS[$role]}" 2>/dev/null || true; done
  for role in "${!PIDS[@]}"; do wait "${PIDS[$role]}" 2>/dev/null || true; done
  PIDS=()
}
trap stop_all EXIT

wallet() { $ACD wallet "$@" --data-dir "$W/wallet"; }
