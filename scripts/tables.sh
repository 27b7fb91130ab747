#!/usr/bin/env bash
# Writes anew what follows from the table of messages: Tests/Vectors, docs/acd.cddl and the tables in docs/SPEC.md.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S CCore -B build/ccore >/dev/null
cmake --build build/ccore --target acd_make_vectors acd_cddl acd_tables >/dev/null
tools=build/ccore/tests
"$tools/acd_make_vectors" Tests/Vectors
"$tools/acd_cddl" >docs/acd.cddl
{
  sed '/<!-- tables: begin -->/q' docs/SPEC.md
  echo
  "$tools/acd_tables"
  sed -n '/<!-- tables: end -->/,$p' docs/SPEC.md
} >docs/SPEC.md.new
mv docs/SPEC.md.new docs/SPEC.md
