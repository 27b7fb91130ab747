#!/usr/bin/env bash
# Other people's programs read our messages: a purchase is made, then pycose verifies each message with the keys in the
# trust list, and zcbor validates each against docs/acd.cddl.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=build/venv
if [ ! -x $venv/bin/python ] || ! $venv/bin/python -c 'import pycose, zcbor' 2>/dev/null; then
  echo "interop: installing pycose and zcbor into $venv"
  python3 -m venv $venv
  $venv/bin/pip install --quiet 'pycose==1.1.0' 'zcbor==0.9.1' 'cbor2<6'
fi
work=build/interop
rm -rf $work
.build/debug/acd demo --keep --two-sided --data-dir $work >/dev/null
$venv/bin/python scripts/interop.py $work docs/acd.cddl
