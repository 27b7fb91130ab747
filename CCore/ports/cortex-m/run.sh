#!/bin/sh
# run.sh PROGRAM ARGUMENT...: runs a program of this board under qemu. It reads and writes files here (semihosting) and
# gives its exit status back; 124 when it does not end. Semihosting cannot list folders: the folders among the arguments
# and $ACD_VECTORS are listed for the program (folder.c).
set -eu
listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
for folder in "$@" ${ACD_VECTORS:+"$ACD_VECTORS"}; do
  [ ! -d "$folder" ] || find "$folder" -printf '%y %p\n'
done | sort >"$listing"
words="arg=ACD_LISTING=$listing"
[ -z "${ACD_VECTORS:-}" ] || words="$words,arg=ACD_VECTORS=$ACD_VECTORS"
program=$1
for word in "$@"; do
  case $word in *[\ ,]*) echo "run.sh: no spaces and commas, please: $word" >&2; exit 2 ;; esac
  words="$words,arg=$word"
done
status=0
timeout "${ACD_DEVICE_TIMEOUT:-1200}" qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
  -semihosting-config "enable=on,target=native,$words" -kernel "$program" </dev/null || status=$?
exit $status
