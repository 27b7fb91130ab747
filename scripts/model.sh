#!/usr/bin/env bash
# Checks the Promela models of Models/ with spin: every protocol, with nobody lying and with each party as the
# liar, exhaustively; then that each planted defect and each known weakness is found.
# model.sh: both. model.sh --check: the protocols only. model.sh --bugs: defects and weaknesses only.
# -j N: N searches at once (default 2). -o DIR: keep trails and outputs there.
# Ends with 1 if a property fails, a run does not end, an end is not reached, a search was not complete, or a
# defect was not found.
set -euo pipefail
cd "$(dirname "$0")/.."

liars=(nobody customer merchant bank archive)
jobs=2
mode=all
out=
while [ $# -gt 0 ]; do
  case $1 in
    --check | --bugs) mode=${1#--} ;;
    -j) jobs=$2; shift ;;
    -o) out=$2; shift ;;
    *) echo "usage: scripts/model.sh [--check | --bugs] [-j N] [-o DIR]" >&2; exit 64 ;;
  esac
  shift
done
{ command -v spin && command -v gcc; } >/dev/null || scripts/setup.sh spin gcc bc
if [ -n "$out" ]; then mkdir -p "$out"; else out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; fi
out=$(realpath "$out")
rm -f "$out/failed"

# Protocol, its option, how many can lie, faults when nobody lies, faults beside a liar.
protocols="
core       -           4 4 2
core       TWO_SIDED   4 4 2
early      -           4 3 2
joint      -           3 5 3
compact    -           3 5 3
repeated   -           4 2 1
repeated   SHORT       4 2 1
announced  -           4 4 2
invoice    ROUTE=1     4 5 3
invoice    ROUTE=2     4 5 3
invoice    ROUTE=3     4 5 3
passive    -           4 5 2
"

# Model, option, who lies, the defect. KNOWN_: as the specification or the machines are (Models/README.md).
defects="
core      -         0 BUG_LE
core      -         0 BUG_CLOCK_UNLOCKS
core      -         0 BUG_CREDIT_TWICE
core      -         0 BUG_REFUSAL_FORGOTTEN
core      -         0 BUG_SEND_FIRST=3
core      -         0 BUG_SEND_FIRST=4
core      -         1 BUG_NO_LOCK
core      -         1 BUG_ABORT_BY_N
core      -         1 BUG_ABORT_FORGED
core      -         1 BUG_EARLY_ABORT
core      -         2 BUG_KEY_UNCHECKED
core      -         2 BUG_COMMITS_AFTER_ABORT
core      -         0 BUG_SNAPSHOT
core      -         4 KNOWN_NO_FORWARD
core      -         4 KNOWN_NO_ASKING
early     -         0 BUG_LE
early     -         0 BUG_CLOCK_UNLOCKS
early     -         2 BUG_FORCED_UNHELD
early     -         2 BUG_UNACKNOWLEDGED
early     -         2 BUG_COMMITS_AFTER_ABORT
joint     -         0 BUG_LE
joint     -         0 BUG_CREDIT_TWICE
joint     -         0 BUG_SEND_FIRST=3
joint     -         1 BUG_CLOCK_UNLOCKS
joint     -         1 BUG_EARLY_ABORT
joint     -         2 BUG_KEY_UNCHECKED
compact   -         0 BUG_LE
compact   -         0 BUG_WITHOUT_AUTHORISATION
compact   -         0 BUG_CREDIT_TWICE
compact   -         2 BUG_KEY_UNCHECKED
compact   -         3 BUG_ACK_UNSIGNED
repeated  -         0 BUG_ARCHIVES_LATE
repeated  -         0 BUG_CREDIT_TWICE
repeated  -         0 BUG_CLOCK_UNLOCKS
repeated  FAULTS=1  2 BUG_ACKNOWLEDGES_BLINDLY
repeated  SHORT     2 KNOWN_FORCED_WITHOUT_KEY
announced -         0 BUG_LE
announced -         0 BUG_CLOCK_UNLOCKS
announced -         0 BUG_SEND_FIRST=3
announced -         1 BUG_EARLY_ABORT
announced -         2 BUG_BEARER
announced -         2 BUG_KEY_UNCHECKED
invoice   ROUTE=1   0 BUG_LE
invoice   ROUTE=1   0 BUG_SNAPSHOT
invoice   ROUTE=2   0 BUG_CREDIT_TWICE
invoice   ROUTE=1   1 BUG_USED_TWICE
invoice   ROUTE=2   2 BUG_ENDORSEMENT_UNCHECKED
invoice   ROUTE=3   2 BUG_BEARER
passive   -         0 BUG_LE
passive   -         0 BUG_SNAPSHOT
passive   -         0 BUG_KEY_NOT_POSTED
passive   -         0 BUG_CREDIT_TWICE
passive   -         2 BUG_ENDORSEMENT_UNCHECKED
passive   -         2 BUG_FIRST_RECORD_COUNTS
"

# Each in a directory of its own: build MODEL "-D..." CFLAGS
build() {
  spin -a $2 "$1.pml" >spin.out 2>&1 || { cat spin.out >&2; return 1; }
  # NOREDUCE: nearly everything is global, so partial order reduction saves nothing. MEMLIM in MiB.
  gcc -O2 -DMEMLIM=3500 -DNOREDUCE $3 -o pan pan.c 2>gcc.out || { cat gcc.out >&2; return 1; }
}
search() { nice -n 10 timeout 600 ./pan -m100000 -w24 "$@"; }
number() { sed -nE "s/.*$1.*/\1/p" "$2" | tail -1; }
# Why a search proves nothing, or nothing.
incomplete() {
  grep -qE '^Full statespace search|^	\+ Full' "$1" || { echo "no search"; return; }
  grep -q 'errors: [1-9]' "$1" && return
  ! grep -qE 'max search depth too small|reached -DMEMLIM|out of memory|not completed' "$1" &&
    grep -q 'errors: ' "$1" || echo "search truncated"
}
property() { ./pan -r -n 2>/dev/null | sed -nE 's/.*violated: *([A-Z_]+).*/\1/p' | tail -1; }

row() { # width protocol liar seconds result
  printf "%-$1s %-9s %10s %6s %7.1f  %s\n" "$2" "$3" "$(number '^ *([0-9.e+]+) states, stored' safety.out)" \
    "$(number 'depth reached ([0-9]+)' safety.out)" "$4" "$5"
}

check() { # name model flags label liar
  local dir="$out/$1" result=ok why began ended faults
  mkdir -p "$dir"
  cp Models/*.pml "$dir"
  cd "$dir"
  began=$(date +%s.%N)
  build "$2" "$3" -DSAFETY || return 1
  search >safety.out 2>&1 || true
  why=$(incomplete safety.out)
  if [ -n "$why" ]; then result=$why
  elif ! grep -q 'errors: 0' safety.out; then result="fails: $(property)"
  elif [[ $3 == *LIAR=0* ]] && grep -q '"ending = [12]"' safety.out; then result="an end is not reached"
  else
    # Every run ends: no run comes back to a state. No cycle has a fault in it, since faults are counted.
    [[ $3 == *LIAR=0* ]] && faults=1 || faults=0
    build "$2" "${3/FAULTS=?/FAULTS=$faults}" -DNP || return 1
    search -l >cycles.out 2>&1 || true
    why=$(incomplete cycles.out)
    if [ -n "$why" ]; then result="cycles: $why"
    elif ! grep -q 'errors: 0' cycles.out; then result="a run without end"; fi
  fi
  ended=$(date +%s.%N)
  row 22 "$2$4" "$5" "$(bc <<<"$ended - $began")" "$result"
  [ "$result" = ok ] || touch "$out/failed"
}

defect() { # name model flags label liar
  local dir="$out/$1" result began ended
  mkdir -p "$dir"
  cp Models/*.pml "$dir"
  cd "$dir"
  began=$(date +%s.%N)
  build "$2" "$3" -DSAFETY || return 1
  search >safety.out 2>&1 || true
  if grep -q 'assertion violated' safety.out; then result="found: $(property)"
  else result="NOT FOUND"; touch "$out/failed"; fi
  ended=$(date +%s.%N)
  row 50 "$2$4" "$5" "$(bc <<<"$ended - $began")" "$result"
}

# Runs its lines, `jobs` at once, in order of appearance.
in_parallel() {
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
  { "$@" || { echo "model: $* broke" >&2; touch "$out/failed"; }; } &
}

if [ "$mode" != bugs ]; then
  printf '%-22s %-9s %10s %6s %7s  %s\n' protocol liar states depth seconds result
  while read -r model option last honest_faults faults; do
    [ -n "$model" ] || continue
    flags=; label=
    [ "$option" = - ] || { flags="-D$option"; label=" $option"; }
    for liar in $(seq 0 "$last"); do
      [ "$liar" = 0 ] && n=$honest_faults || n=$faults
      in_parallel check "$model-$option-$liar" "$model" "-DLIAR=$liar -DFAULTS=$n $flags" "$label" \
        "${liars[$liar]}"
    done
  done <<<"$protocols"
  wait
fi
if [ "$mode" != check ]; then
  printf '\n%-50s %-9s %10s %6s %7s  %s\n' "protocol and defect" liar states depth seconds result
  while read -r model option liar bug; do
    [ -n "$model" ] || continue
    flags="-D$bug"; label=" $bug"
    [ "$option" = - ] || { flags="$flags -D$option"; label=" $option$label"; }
    in_parallel defect "$model-$option-$bug-$liar" "$model" "-DLIAR=$liar $flags" "$label" \
      "${liars[$liar]}"
  done <<<"$defects"
  wait
fi
[ ! -e "$out/failed" ] || { echo "model: failed" >&2; exit 1; }
echo "model: all searches complete, all properties hold, all defects found"
