# card_rig.sh: a card reader without hardware: pcscd, vsmartcard's vpcd and acd-card. Source it, call `enter_rig "$0" "$@"` before
# anything else, then `start_reader FOLDER`, `insert FILE` and `remove`; `end_reader` when done. It has a /run and a network of its
# own, so that it disturbs no other pcscd and several run at once.
card=build/ccore/acd-card

enter_rig() {
  if [ -z "${ACD_CARD_RIG:-}" ]; then
    scripts/setup.sh pcscd vsmartcard-vpcd opensc iproute2 >&2
    cmake -S CCore -B build/ccore >/dev/null
    cmake --build build/ccore --target acd-card >/dev/null
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(-r)
    ACD_CARD_RIG=1 exec unshare "${as_root[@]}" -m -n "$@"
  fi
  mount -t tmpfs none /run
  mkdir /run/pcscd
  ip link set lo up
}

# in_time COMMAND...: succeeds within ten seconds.
in_time() {
  for _ in $(seq 200); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  fail "waited in vain for: $*"
}

start_reader() {
  rig_folder=$1
  : >"$rig_folder/card.log"
  pcscd --foreground >"$rig_folder/pcscd.log" 2>&1 &
  rig_pcscd=$!
  in_time test -S /run/pcscd/pcscd.comm
}

# insert FILE: puts that card into the reader; it says on card.log what it signs. pcscd may still be busy with the card that was
# there, and then takes the new one out with it: so again, until it stays.
insert() {
  for _ in 1 2 3 4 5; do
    $card --show "$1" 2>>"$rig_folder/card.log" &
    inserted=$!
    stays && return
    kill "$inserted" 2>/dev/null || true
    wait "$inserted" 2>/dev/null || true
    sleep 0.5
  done
  fail "pcscd does not see the card $1"
}

# Whether the card that was put in answers, and goes on to.
stays() {
  local answers=0
  for _ in $(seq 100); do
    kill -0 "$inserted" 2>/dev/null || return 1
    if opensc-tool --atr >/dev/null 2>&1; then answers=$((answers + 1)); else answers=0; fi
    [ "$answers" -lt 4 ] || return 0
    sleep 0.05
  done
  return 1
}

remove() {
  kill "$inserted"
  wait "$inserted" || fail "acd-card ended with $?"
  inserted=
  in_time is_empty # pcscd takes a moment to see it
}

is_empty() { ! opensc-tool --atr; }

end_reader() {
  local pid
  for pid in ${inserted:-} ${rig_pcscd:-}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${inserted:-} ${rig_pcscd:-}; do wait "$pid" 2>/dev/null || true; done
}
