#!/usr/bin/env bash
# Builds the C core for devices and runs its whole test suite there, under qemu: 32-bit ARM and big-endian s390x with
# Linux, Cortex-M4 without an operating system. Prints what was run and what the core takes, and fails when a test fails
# or a limit is passed (CCore/tests/acd_test_stack.c, CCore/tests/size). Installs and fetches what is missing.
#   devices.sh [TARGET...]   the folders of CCore/ports
set -euo pipefail
cd "$(dirname "$0")/.."
targets=("$@")
[ $# -gt 0 ] || targets=(linux-armhf linux-s390x cortex-m)
work=build/devices
root=$PWD
mkdir -p "$work"

packages_of() {
  case $1 in
    linux-armhf) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static ;;
    linux-s390x) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static ;;
    cortex-m) echo gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm ;;
    *) echo "devices: no such target: $1" >&2; return 1 ;;
  esac
}

libraries_of() {
  case $1 in
    linux-*) scripts/foreign.sh "$work/$1" "${1#linux-}" libsodium-dev libjansson-dev libssl-dev ;;
    cortex-m)
      scripts/foreign.sh "$work/source" source libsodium jansson openssl
      CCore/ports/cortex-m/libraries/build.sh "$work/source" "$work/$1/libraries" "$work/$1/root" ;;
  esac
}

packages=(build-essential cmake pkg-config xxd)
for target in "${targets[@]}"; do
  of_target=$(packages_of "$target")
  # shellcheck disable=SC2206
  packages+=($of_target)
done
scripts/setup.sh "${packages[@]}"

failed=0
declare -A figure
note() { figure["$1 $target"]=$2; }

# count FILE ATTRIBUTE: of the whole suite, in CTest's JUnit file
count() { sed -n '/<testsuite/,/>/p' "$1" | tr '\n\t' '  ' | grep -o " $2=\"[0-9]*\"" | head -1 | tr -dc 0-9; }

for target in "${targets[@]}"; do
  libraries_of "$target"
  echo "devices: $target: building"
  build=$work/$target/ccore
  cmake --fresh -S CCore -B "$build" -DCMAKE_TOOLCHAIN_FILE="$root/CCore/ports/$target/toolchain.cmake" \
    -DCMAKE_BUILD_TYPE=MinSizeRel -DACD_DEVICE_ROOT="$root/$work/$target/root" >"$work/$target/cmake.log" 2>&1 ||
    { cat "$work/$target/cmake.log"; exit 1; }
  cmake --build "$build" -j2 >"$work/$target/build.log" 2>&1 || { tail -40 "$work/$target/build.log"; exit 1; }
  echo "devices: $target: running the tests under qemu"
  (cd "$build" && ctest -j2 --output-on-failure --output-junit tests.xml >ctest.log 2>&1) ||
    { failed=1; cat "$build/ctest.log"; }
  log=$build/Testing/Temporary/LastTest.log
  run=$(($(count "$build/tests.xml" tests) - $(count "$build/tests.xml" skipped) - $(count "$build/tests.xml" disabled)))
  note "test programs: run" "$run"
  note "test programs: passed" $((run - $(count "$build/tests.xml" failures)))
  note "test programs: skipped" "$(count "$build/tests.xml" skipped)"
  note "single checks" "$(awk '/ checks, [0-9]+ failed$/ {n += $2} END {print n + 0}' "$log")"
  note "project's vectors" "$(awk '/^(accept|reject): [0-9]+ vectors$/ {n += $2} END {print n + 0}' "$log")"
  note "whole core: code and constants" "$(sed -n 's/^size: whole core: code and constants \([0-9]*\),.*/\1/p' "$log")"
  note "whole core: static RAM" "$(sed -n 's/^size: .*static RAM \([0-9]*\)$/\1/p' "$log")"
  note "whole core: heap" "$(sed -n 's/^size: heap: //p' "$log")"
  note "receipt verifier: code and constants" \
    "$(sed -n 's/^size: receipt verifier: code and constants \([0-9]*\) .*/\1/p' "$log")"
  note "card: code and constants" "$(sed -n 's/^size: card: code and constants \([0-9]*\) .*/\1/p' "$log")"
  note "card: power cuts" "$(sed -n 's/^\([0-9]*\) power cuts, .*/\1/p' "$log")"
  note "card: commands of any form" "$(sed -n 's/^\([0-9]*\) commands$/\1/p' "$log")"
  while IFS='|' read -r what theirs ours; do
    note "stack: $what" "$ours (+ $theirs)"
  done < <(sed -n "s/^stack: \(.*\): libsodium \([0-9]*\), beyond it \([0-9]*\)$/\1|\2|\3/p" "$log")
done

rows=("test programs: run" "test programs: passed" "test programs: skipped" "single checks" "project's vectors"
  "whole core: code and constants" "whole core: static RAM" "whole core: heap" "receipt verifier: code and constants"
  "card: code and constants" "card: power cuts" "card: commands of any form" "stack: verify a receipt"
  "stack: decode a large map" "stack: sign a message" "stack: seal goods" "stack: open P4"
  "stack: verify a log's proof" "stack: verify it packed" "stack: read a policy" "stack: the card's commands")
echo
printf '%-38s' "bytes, beyond libsodium's (+ those)"
printf '%18s' "${targets[@]}"
echo
for row in "${rows[@]}"; do
  printf '%-38s' "$row"
  for target in "${targets[@]}"; do
    value=${figure["$row $target"]:-}
    [ -n "$value" ] || { value="not measured"; failed=1; }
    printf '%18s' "$value"
  done
  echo
done
echo
[ "$failed" = 0 ] || { echo "devices: FAILED"; exit 1; }
echo "devices: all tests passed, all limits are kept"
