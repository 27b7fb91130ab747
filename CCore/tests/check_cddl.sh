#!/bin/sh
# check_cddl.sh: validates real messages against docs/acd.cddl with zcbor (PyPI: 0.9.1, and cbor2 below 6).
#
# Usage: check_cddl.sh <project root>. $ZCBOR names zcbor, and then it must be there; else it is looked for on
# the path, and without it the test skips (77).
#
# What zcbor 0.9.1 does not do: .regexp and other controls than .size and .cbor (so money says "A-Z only" in a
# comment), deterministic encoding, duplicate keys, two amounts in one map (R2, R3). Messages that hold messages
# are only tried with real ones inside (P5a, the receipt), because the CDDL looks into them. Its -i fails on binary files: the messages go in as hexadecimal.
set -u
root=$1
zcbor=${ZCBOR:-zcbor}
if ! "$zcbor" --version >/dev/null 2>&1; then
  if [ -n "${ZCBOR:-}" ]; then
    echo "ZCBOR=$ZCBOR does not run"
    exit 1
  fi
  echo "SKIPPED: no zcbor; set ZCBOR or install it (pip install zcbor 'cbor2<6')"
  exit 77
fi
failed=0
count=0

# The hexadecimal after the line "hex:".
hex_of() { sed -n '/^hex:/,$p' "$1" | tail -n +2 | tr -d ' \n'; }

# try <rule> <vector> <0 to accept, 1 to refuse>
try() {
  hex_of "$2" | "$zcbor" validate -c "$root/docs/acd.cddl" -t "$1" --input-as cborhex -i - >/dev/null 2>&1
  got=$?
  [ "$got" -ne 0 ] && got=1
  count=$((count + 1))
  if [ "$got" -ne "$3" ]; then
    echo "$2 as $1: zcbor says $got, wanted $3"
    failed=1
  fi
}

vectors=$root/Tests/Vectors
for file in "$vectors"/accept/sign1-*.txt; do
  rule=$(basename "$file" .txt | sed 's/^sign1-//')
  case $rule in
    acd-p5a | acd-a8 | acd-a9a | acd-announced | acd-deposit | acd-e7a | acd-ja5a | acd-jb4a | acd-r10a | acd-rf2) ;;
    acd-r2 | acd-r3) ;;
    *) try "$rule" "$file" 0 ;;
  esac
done
for name in contract token token-input blinded denomination trust-entry offer acd-bundle-1 acd-sealed-1; do
  try "$name" "$vectors/accept/map-$name-small.txt" 0
  try "$name" "$vectors/accept/map-$name-large.txt" 0
  try "$name" "$vectors/reject/map-$name-empty.txt" 1
done
for file in "$vectors"/accept/receipt-*.txt; do
  try acd-receipt-1 "$file" 0
done
try acd-receipt-1 "$vectors/reject/receipt-p1-type.txt" 1
try acd-receipt-1 "$vectors/reject/receipt-p4-type.txt" 1
try acd-receipt-1 "$vectors/reject/receipt-p5a-type.txt" 1
for name in type-changed signature-short signature-long unprotected-header algorithm wrong-tag; do
  try acd-p4 "$vectors/reject/sign1-$name.txt" 1
done
echo "zcbor: $count messages tried"
exit $failed
