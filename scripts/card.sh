#!/usr/bin/env bash
# Programs that nobody here wrote talk to the card: acd-card behind pcscd and vsmartcard's vpcd, asked by opensc-tool and
# by pyscard, in short and extended commands. No hardware.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/card_rig.sh
[ -n "${ACD_CARD_RIG:-}" ] || {
  scripts/venv.sh
  build/venv/bin/python -c 'import smartcard' 2>/dev/null || {
    scripts/setup.sh libpcsclite-dev swig python3-dev >&2
    build/venv/bin/pip install --quiet 'pyscard==2.3.1'
  }
}
enter_rig "$0" "$@"
work=$(mktemp -d)
end() {
  end_reader
  rm -rf "$work"
}
trap end EXIT
fail() {
  echo "card: $*" >&2
  sed 's/^/  pcscd: /' "$work/pcscd.log" | tail -5 >&2
  sed 's/^/  acd-card: /' "$work/card.log" | tail -5 >&2
  exit 1
}

start_reader "$work"
insert "$work/card.acd"
echo "card: $(opensc-tool --atr)"
answer=$(opensc-tool -s 00A4040007F041434401000100 -s 00CA010100)
grep -q 'SW1=0x90, SW2=0x00' <<<"$answer" || fail "opensc-tool: $answer"
[ "$(grep -c 'SW1=0x90, SW2=0x00' <<<"$answer")" = 2 ] || fail "opensc-tool: $answer"
echo "card: opensc-tool selects the application and reads its state"
build/venv/bin/python scripts/card.py first || fail "pyscard"
remove
insert "$work/card.acd"
build/venv/bin/python scripts/card.py again || fail "pyscard, after the card was out of the reader"
remove
grep -q 'signs pay (P2), EUR 1299' "$work/card.log" || fail "the card did not show what it signed"
ends_with() {
  local expected=$1 status=0
  shift
  "$@" 2>"$work/refusal.log" || status=$?
  [ $status = "$expected" ] || fail "$* ended with $status and not $expected: $(cat "$work/refusal.log")"
}
ends_with 66 $card "$work"
head -c 65536 /dev/urandom >"$work/noise"
ends_with 70 $card "$work/noise"
head -c 1000 /dev/urandom >"$work/noise"
ends_with 66 $card "$work/noise"
ends_with 64 $card
ends_with 69 $card --port 1 --wait 0 "$work/card.acd"

# A card whose process is killed is a card whose power fails; one that is in a reader is in no other.
insert "$work/card.acd"
ends_with 66 $card --wait 0 "$work/card.acd"
grep -q 'another reader' "$work/refusal.log" || fail "$(cat "$work/refusal.log")"
build/venv/bin/python scripts/card.py first >/dev/null || fail "pyscard, on the wiped card"
kill -9 "$inserted"
wait "$inserted" 2>/dev/null || true
insert "$work/card.acd"
build/venv/bin/python scripts/card.py again >/dev/null || fail "pyscard, after kill -9"
remove
echo "card: opensc-tool and pyscard talk to the card, short and extended"
