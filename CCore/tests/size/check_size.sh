#!/bin/sh
# check_size.sh: what the core takes of a device's memories, and that it takes nothing of a heap.
# Usage: check_size.sh <size> <nm> <folder of the programs> <libacd.a> [<most bytes of the verifier's code>]
# Fails when the verifier has more code and constants beyond libsodium's than the limit, when the core has variables of
# its own, or calls an allocator.
set -eu
size=$1 nm=$2 programs=$3 library=$4 limit=${5:-}
libsodium=$programs/acd_size_libsodium verifier=$programs/acd_size_verifier
libsodium_card=$programs/acd_size_libsodium_card card=$programs/acd_size_card
failed=0
"$size" -A "$library" "$libsodium" "$verifier" "$libsodium_card" "$card" >/dev/null

# code <file>: bytes of code and constants; constants with addresses in them may stand among the data
code() { "$size" -A "$1" | awk '$1 ~ /^\.(text|rodata|data\.rel\.ro|eh_frame|ARM\.ex|init|fini|srodata)/ {n += $2} END {print n + 0}'; }
# ram <file>: bytes of variables
ram() { "$size" -A "$1" | awk '$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ {n += $2} END {print n + 0}'; }

own_ram=$(ram "$library")
own_code=$(code "$library")
verifier_code=$(($(code "$verifier") - $(code "$libsodium")))
card_code=$(($(code "$card") - $(code "$libsodium_card")))
heap=$("$nm" -u "$library" | awk '{print $NF}' | sort -u |
  grep -E '^(malloc|calloc|realloc|free|aligned_alloc|memalign|posix_memalign|valloc|sbrk|_sbrk|brk|mmap|alloca|strdup|sodium_malloc|sodium_allocarray|sodium_free)$' || true)
echo "size: whole core: code and constants $own_code, static RAM $own_ram"
echo "size: receipt verifier: code and constants $verifier_code beyond libsodium's $(code "$libsodium")"
echo "size: card: code and constants $card_code beyond libsodium's $(code "$libsodium_card")"
echo "size: heap: ${heap:-0}"
[ "$own_code" -gt 0 ] && [ "$verifier_code" -gt 0 ] && [ "$card_code" -gt 0 ] || { echo "that cannot be"; failed=1; }
[ "$own_ram" = 0 ] || { echo "the core has $own_ram bytes of variables"; failed=1; }
[ -z "$heap" ] || { echo "the core calls $heap"; failed=1; }
if [ -n "$limit" ]; then
  [ "$verifier_code" -le "$limit" ] || { echo "the verifier has more than $limit bytes of code"; failed=1; }
  # Without an operating system not even the program around it has a heap.
  for program in "$verifier" "$card"; do
    ! "$nm" "$program" | grep -E ' (malloc|_malloc_r|_sbrk)$' || { echo "$program has a heap"; failed=1; }
  done
fi
exit $failed
