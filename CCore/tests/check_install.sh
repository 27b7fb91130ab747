#!/bin/sh
# check_install.sh: installs the library into a folder of its own, builds the installed example against that
# alone, as CCore/README.md says, and runs it on a genuine receipt and on others.
# Usage: check_install.sh <build folder> <project root> <compiler and flags> [<emulator>]
set -eu
build=$1
root=$2
compiler=$3
emulator=${4:-}
# Of a foreign machine's libraries pkg-config knows those alone that stand in its root.
prefix=${PKG_CONFIG_SYSROOT_DIR:-$build}/installed
rm -rf "$prefix"
cmake -DCMAKE_INSTALL_PREFIX="$prefix" -P "$build/cmake_install.cmake" >/dev/null
pc=$(find "$prefix" -name acd.pc)
export PKG_CONFIG_PATH="${pc%/*}"
flags=$(pkg-config --cflags --libs --static acd)
work=$build/foreign
mkdir -p "$work"
cp "$prefix/share/doc/acd/verify_receipt.c" "$work/"
cd "$work"
# shellcheck disable=SC2086
$compiler -std=c11 verify_receipt.c $flags -o verify_receipt

# field <name> <vector>: the hexadecimal of a field, as bytes in a file
field() { sed -n "/^$1:/,/^[a-z]*:/p" "$2" | grep '^ ' | tr -d ' \n' | xxd -r -p; }
verdict() {
  field hex "$root/Tests/Vectors/$1.txt" >receipt
  field trust "$root/Tests/Vectors/$1.txt" >trust
  $emulator ./verify_receipt receipt trust 1760000000 || true
}
verdict accept/receipt-good | grep -q '^PAID: 1299 minor units of EUR$'
verdict reject/receipt-description | grep -q '^NOT PAID (description)'
verdict reject/receipt-merchant-revoked | grep -q '^NOT PAID (merchant-trusted)'
verdict reject/receipt-p1-signature | grep -q '^NOT PAID (p1-signature)'
echo "the example builds from the installed library alone and gives its verdicts"
