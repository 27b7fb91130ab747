#!/usr/bin/env bash
# build.sh SOURCES BUILD ROOT: builds libsodium for the Cortex-M4, and what the tests want besides: jansson, and as much
# of OpenSSL as they compare with. Installs into ROOT. SOURCES holds the unpacked sources, each in a folder of its name.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$1" && pwd)
mkdir -p "$2/openssl" "$3/lib" "$3/include"
build=$(cd "$2" && pwd)
root=$(cd "$3" && pwd)

cmake -S "$here" -B "$build/cmake" -DCMAKE_TOOLCHAIN_FILE="$here/../toolchain.cmake" -DCMAKE_BUILD_TYPE=MinSizeRel \
  -DLIBSODIUM_SOURCE="$sources/libsodium" -DJANSSON_SOURCE="$sources/jansson" >/dev/null
cmake --build "$build/cmake" -j2 >/dev/null
cmake --install "$build/cmake" --prefix "$root" >/dev/null

without=(asm threads sock dso shared module engine dgram ui-console posix-io autoload-config secure-memory stdio tests err
  cmp cms ct ts ocsp srp async legacy aria bf camellia cast des dsa dh ec gost idea md4 mdc2 rc2 rc4 rmd160 seed siphash
  sm2 sm3 sm4 whirlpool scrypt blake2 ocb siv cmac deprecated filenames)
cd "$build/openssl"
if [ ! -s libcrypto.a ] || [ "$here/openssl.conf" -nt libcrypto.a ]; then
  "$sources/openssl/Configure" --config="$here/openssl.conf" acd-cortex-m --cross-compile-prefix=arm-none-eabi- \
    --with-rand-seed=none "${without[@]/#/no-}" "-I$here/../include" >/dev/null 2>&1
  make -j2 build_generated libcrypto.a >make.log 2>&1 || { tail -20 make.log >&2; exit 1; }
fi
cp libcrypto.a "$root/lib/"
mkdir -p "$root/include/openssl"
cp "$sources"/openssl/include/openssl/*.h include/openssl/*.h "$root/include/openssl/"
