#!/usr/bin/env bash
# Other people's readers of CBOR, COSE and CDDL, in build/venv: pycose, cbor2 and zcbor. Does nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=build/venv
if [ ! -x $venv/bin/python ] || ! $venv/bin/python -c 'import pycose, zcbor, cbor2' 2>/dev/null; then
  echo "interop: installing pycose and zcbor into $venv"
  python3 -m venv $venv
  $venv/bin/pip install --quiet 'pycose==1.1.0' 'zcbor==0.9.1' 'cbor2<6'
fi
