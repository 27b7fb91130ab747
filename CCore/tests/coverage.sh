#!/bin/sh
# coverage.sh: builds with coverage, runs the tests, and fails when less than 95 % of the lines of CCore/*.c
# and CCore/card/*.c ran.
# Usage: coverage.sh <build folder, outside the sources> [<minimum per cent>]
set -eu
build=$1
minimum=${2:-95}
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$build"
build=$(cd "$build" && pwd)
cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc \
  -DCMAKE_C_FLAGS="--coverage -O0" >/dev/null
cmake --build "$build" -j 2 >/dev/null
find "$build" -name '*.gcda' -delete
ctest --test-dir "$build" --output-on-failure >"$build/ctest.log" || { cat "$build/ctest.log"; exit 1; }
cd "$build/CMakeFiles/acd.dir"
gcov -n ./*.gcda ./card/*.gcda | awk -v minimum="$minimum" '
  /^File / {
    file = $2
    gsub(/\x27/, "", file)
    own = file ~ /CCore\/(card\/)?acd_[a-z0-9_]*\.c$/
    sub(/.*\//, "", file)
  }
  /^Lines executed:/ && own {
    split($0, part, /[:% ]+/); percent = part[3]; count = part[5]
    printf "%6.2f %% of %4d  %s\n", percent, count, file
    lines += count; ran += percent * count / 100; own = 0; files++
  }
  END {
    if (files == 0) { print "no coverage data"; exit 1 }
    printf "%6.2f %% of %4d  all\n", 100 * ran / lines, lines
    exit 100 * ran / lines < minimum
  }'
